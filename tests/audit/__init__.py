"""The audit trail, through the whole stack: lives of parents, heads of days, the clock, and the command line."""
