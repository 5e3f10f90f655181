"""Tests of the way to the broker."""
