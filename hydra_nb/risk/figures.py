"""How a refusal writes what it found, beside the limit that this is beyond.

To the decimals of its message 5.0125 % would stand beside the 5 % that are allowed as 5.0 %. Only what is refused is
written so: what passes may well be at its limit.
"""

from typing import Final

_MOST_DECIMALS: Final = 15  # of a figure near 1 a double holds no more


def told_apart(observed: float, *, limit: float, decimals: int) -> str:
    """A figure to so many decimals, or to as many more as tell it from its limit, which is printed as ``:g``.

    Where none do, as the limit was itself rounded, it has the decimals of its message.
    """
    beside = float(f"{limit:g}")
    longer = range(decimals, _MOST_DECIMALS + 1)
    return f"{observed:.{next((more for more in longer if round(observed, more) != beside), decimals)}f}"


def cash_apart(observed: float, *, limit: float) -> tuple[str, str]:
    """An amount and its limit, in whole units, or to as many decimals as tell one from the other, cents first."""
    whole = f"{observed:,.0f}", f"{limit:,.0f}"
    longer = ((f"{observed:,.{more}f}", f"{limit:,.{more}f}") for more in range(0, _MOST_DECIMALS, 2))
    return next((pair for pair in longer if pair[0] != pair[1]), whole)
