"""The way to the broker: what the rest of the house may ask of it, and the only user of ib_async."""
