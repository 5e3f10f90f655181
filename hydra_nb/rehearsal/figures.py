"""What may be given where a rehearsal asks for a figure, a contract or a frame: all else is refused at the door.

A value that is no number, or beyond what a market can have, would else be found out in a path, by an error that names
neither the argument nor what is wanted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Final

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import InvalidFrame, InvalidOrder

LEAST: Final = 1e-9
MOST: Final = 1e9
"""No market has smaller or larger figures; products and quotients of a few such ones are floats still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which numbers are wanted: `words` say it, `fits` tells. NaN never fits."""

    words: str
    fits: Callable[[float], bool]


def _is_usual(value: float) -> bool:
    return LEAST <= value <= MOST


POSITIVE: Final = Wanted(words="a positive number from 1e-9 to 1e9", fits=_is_usual)
NOT_NEGATIVE: Final = Wanted(words="zero, or a positive number up to 1e9", fits=lambda value: 0 <= value <= MOST)
RATE: Final = Wanted(
    words="zero, or a positive number from 1e-9 to 1e9", fits=lambda value: value == 0 or _is_usual(value)
)
LASTING: Final = Wanted(
    words="a positive number from 1e-9 to 1e9, or math.inf", fits=lambda value: value == math.inf or _is_usual(value)
)
SIGNED: Final = Wanted(words="a number from -1e9 to 1e9", fits=lambda value: abs(value) <= MOST)
PROBABILITY: Final = Wanted(words="a number from 0 to 1", fits=lambda value: 0 <= value <= 1)
SHARE: Final = Wanted(words="a number above 0 and at most 1", fits=lambda value: 0 < value <= 1)
WHOLE: Final = Wanted(
    words="a whole number from 1 to 1,000,000,000", fits=lambda value: _is_usual(value) and value.is_integer()
)


def figure(value: object, *, name: str, wanted: Wanted = POSITIVE, what: str = "figure of a market") -> float:
    """Give a figure as a float, be it a number of Python or of NumPy.

    Parameters
    ----------
    value
        What was given. True is no number here, and neither are a `Decimal`, which does not go with floats, and text.
    name
        Of the argument.
    wanted
        Which numbers it may be.
    what
        What it is to be, in words.

    Raises
    ------
    InvalidOrder
        It is none of them.
    """
    try:
        number = float(value) if not isinstance(value, bool) and isinstance(value, Real) else math.nan
    except (OverflowError, TypeError):  # a whole number that no float holds; a time of NumPy, which counts as one
        number = math.nan
    if not wanted.fits(number):
        raise InvalidOrder(f"{name}={value!r:.60} is no {what}; give {wanted.words}")
    return number


def must_be_contract(value: object, *, name: str) -> None:
    """Refuse what is no contract of a desk."""
    if not isinstance(value, FutureContract):
        raise InvalidOrder(f"{name}={value!r:.60} is no contract; give what `await desk.instrument(...)` gave")


def must_be_frame(value: object, *, name: str, give: str) -> None:
    """Refuse what is no DataFrame, without loading pandas."""
    if isinstance(value, type) or not hasattr(value, "columns"):
        raise InvalidFrame(f"{name}={value!r:.60} is no frame; give {give}")
