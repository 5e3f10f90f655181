"""Tests of the runner and of its daily cycles."""
