"""The desk that a notebook holds, and how it is opened."""
