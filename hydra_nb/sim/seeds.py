"""Named random streams of one seed, so that no two parts of the market share their dice."""

import random


def stream(seed: int, *names: object) -> random.Random:
    """Give the random generator that belongs to a name under a seed.

    Parameters
    ----------
    seed
        Seed of the whole simulated market.
    *names
        What the stream is for, for instance ``"flow", con_id``.

    Returns
    -------
    random.Random
        A fresh generator; the same arguments give the same numbers on every machine.
    """
    words = "/".join(str(name) for name in (seed, *names))
    return random.Random(words)  # noqa: S311  The market needs numbers that repeat, not secrets.
