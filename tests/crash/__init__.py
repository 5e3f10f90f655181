"""Processes that are killed, and what is on the disk and on the wire afterwards."""
