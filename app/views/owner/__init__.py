"""Pages for the service owner."""
