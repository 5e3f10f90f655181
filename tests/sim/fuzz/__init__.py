"""The wire under random input: quick by default, long where the environment sets ``HYDRA_FULL=1``."""

import os

IS_FULL = os.environ.get("HYDRA_FULL") == "1"


def rounds(quick: int, *, full: int) -> int:
    """How often a test draws, here and now."""
    return full if IS_FULL else quick
