"""Mutation testing of the risk gate: one small fault at a time in its source, which a test must notice."""
