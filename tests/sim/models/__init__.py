"""The models of order flow, held against what theory says of them."""
