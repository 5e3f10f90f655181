"""Deterministic simulation of the whole stack: seeds, faults, and a checker that knows the exchange's truth."""
