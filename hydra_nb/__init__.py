"""Execute orders in thin commodity futures from a Jupyter notebook, through Interactive Brokers."""
