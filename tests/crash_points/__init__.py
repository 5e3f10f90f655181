"""A TWAP's life, ended at each of its awaits in turn, taken up again, and held against the life that nothing ended."""
