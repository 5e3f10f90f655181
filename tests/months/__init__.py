"""Months of a symbol: which is meant and why, all side by side, and those held too long."""
