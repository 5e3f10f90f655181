"""Value objects and protocols of the trading side; no input or output, no clock."""
