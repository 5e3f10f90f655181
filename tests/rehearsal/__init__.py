"""Rehearsal: the direct driver held against the wire, markets, models, and what comes out of many paths."""
