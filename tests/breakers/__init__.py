"""Circuit breakers with state, on the whole stack under virtual time."""
