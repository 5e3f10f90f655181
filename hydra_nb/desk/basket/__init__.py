"""Baskets: many orders in one frame, read, weighed and run together."""
