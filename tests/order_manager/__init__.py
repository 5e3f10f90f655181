"""Tests of the order manager."""
