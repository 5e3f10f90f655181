"""What a notebook may do to trading, tried in kernels of their own: blocked cells, re-runs, clicks, interrupts."""
