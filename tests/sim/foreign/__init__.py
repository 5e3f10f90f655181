"""Clients written by others, and the environments they run in."""
