"""Baskets: read, weighed together, run side by side, and found again."""
