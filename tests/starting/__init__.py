"""Orders that begin later."""
