"""Moments as a person gives them.

Text counts only in the order of ISO 8601, year first: what else pandas reads it guesses, month before day, and "today"
by the clock and the zone of the host.
"""

import datetime as dt
import re
from typing import Final

import numpy as np
import pandas as pd

from hydra_nb.errors import AnalysisError

Moment = str | int | dt.datetime | dt.date | np.datetime64 | pd.Timestamp
"""Text such as ``"2027-01-12 14:30"``, UTC nanoseconds, or a moment of another library."""

_YEAR_FIRST: Final = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?!\d)")


def read_moment(given: Moment) -> pd.Timestamp | None:
    """The moment, without a time zone where it names none; None where it is no moment, or not one of 1678 to 2261."""
    if isinstance(given, str) and not _YEAR_FIRST.match(given):
        return None
    try:
        stamp = pd.Timestamp(given).as_unit("ns")
    except (TypeError, ValueError, OverflowError):
        return None
    return None if pd.isna(stamp) else stamp


def filter_ns(given: Moment | None, *, name: str) -> int | None:
    """UTC nanoseconds of the moment from which, or up to which, rows are wanted; None leaves it open.

    Parameters
    ----------
    given
        The moment; without a time zone it is UTC.
    name
        Of the filter, for the message.

    Raises
    ------
    AnalysisError
        It is no moment.
    """
    if given is None:
        return None
    stamp = read_moment(given)
    if stamp is None:
        raise AnalysisError(
            f"{name}={given!r} is no time; write it as '2027-01-12 14:30', which is UTC unless it names a zone as in "
            "'2027-01-12 08:30-06:00', or give a Timestamp"
        )
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp).value)
