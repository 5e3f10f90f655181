"""Numbers and times of the wire, whose sentinels (−1, NaN, infinities, the largest double) become None."""

import datetime as dt
import math
from decimal import Decimal

from hydra_nb.domain.units import NS_PER_S

_LARGEST = 1e15  # beyond this a number of the wire stands for "not set"


def known(number: float | None) -> float | None:
    """A number of the wire, None where it stands for "not set"."""
    return number if number is not None and math.isfinite(number) and abs(number) < _LARGEST else None


def quoted(told: Decimal, *, magnifier: int) -> Decimal:
    """A tick in the unit of the prices, which the broker tells in the currency: 0.0025 for quarters of a cent."""
    return told if magnifier == 1 else Decimal(f"{(told * magnifier).normalize():f}")


def decimal(number: float | None) -> Decimal | None:
    """The shortest decimal of a double, None where it stands for "not set"."""
    number = known(number)
    return None if number is None else Decimal(repr(float(number)))


def whole_lots(number: float) -> int:
    """Lots of the wire, which writes them as doubles.

    Raises
    ------
    ValueError
        Where they are not whole.
    """
    lots = round(number)
    if lots != number:
        raise ValueError(f"{number} lots are not a whole number")
    return lots


def outward_lots(number: float) -> int:
    """The next whole number away from zero, of what may be held in fractions, as shares: it counts for no less."""
    return math.floor(number) if number < 0 else math.ceil(number)


def read_good_till(text: str) -> int | None:
    """UTC nanoseconds of a good-till date, None where it is empty or in a form that we do not send."""
    for form in ("%Y%m%d-%H:%M:%S", "%Y%m%d %H:%M:%S UTC", "%Y%m%d %H:%M:%S GMT"):
        try:
            return int(dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC).timestamp()) * NS_PER_S
        except ValueError:
            continue
    return None
