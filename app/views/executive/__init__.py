"""Pages for the executive."""
