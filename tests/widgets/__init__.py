"""Tests of what a person sees, without a browser."""
