"""Pure functions from frame to figure; no chart reads the warehouse or the session."""
