"""Frames and figures of a journal: yesterday and today by the same code, and never from live objects."""
