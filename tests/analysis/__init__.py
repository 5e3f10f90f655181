"""Tests of frames and plots."""
