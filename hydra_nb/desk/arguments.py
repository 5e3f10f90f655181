"""What a person typed, checked and turned into values; every refusal names value, limit and remedy."""

import datetime as dt
import math
import operator
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hydra_nb.desk.starting import FORMS
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.units import Side, seconds_ns
from hydra_nb.errors import InvalidOrder

MAX_SLICES = 500
"""A schedule longer than this is a mistake: IB would warn of its messages long before."""

MAX_LOTS = 1_000_000
"""More is a slip of the hand, and the larger numbers that one may type have no place in the journal."""

OVERRUNS = ("refuse", "shorten", "wait")
EVEN, ALMGREN_CHRISS = SCHEDULES = ("even", "almgren_chriss")
RISK_AVERSION = 1e-6
"""That of the example of Almgren and Chriss (2000), for orders of its size; ten lots in an hour stay nearly even."""
MAX_RISK_AVERSION = 1e3
MAX_DURATION_S = 366 * 86_400
MAX_PRICE = Decimal(10) ** 12
MAX_SEED = 2**63 - 1
MAX_CLIENT_ID = 2**31 - 1
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How an order is to be worked, as `preview` takes it.

    Parameters
    ----------
    strategy
        ``auto``, ``limit_patience`` or ``twap``.
    slices
        Slices of a TWAP.
    duration
        From submission to the end: seconds, a `timedelta`, or text such as ``"2h"``; None is 600 s a slice.
    patience
        Seconds that a slice waits at mid.
    step
        Fraction of the price by which the second stage moves.
    jitter
        Fraction of the even gap by which starts are drawn, 0 to below 1.
    adv
        Average daily volume in lots where the caller knows better.
    limit
        A price never to be passed, in the quoted unit, on tick.
    seed
        Of the draws; None draws one.
    tag
        Free text that tells two otherwise equal orders of one day apart.
    start
        When it begins, see `hydra_nb.desk.starting.start_ns`; None is at its submission.
    overrun
        What becomes of a schedule that would run into a break or the close: ``refuse``, ``shorten``, or ``wait``, which
        sends nothing in the break; None is ``refuse`` with a start of its own, else ``wait``.
    schedule
        How a TWAP's lots are divided: ``even``, or ``almgren_chriss``, more of them early.
    risk_aversion
        Of ``almgren_chriss``: cash that a cash² of variance is worth, 1/cash; None is 1e-6.
    """

    strategy: str = "auto"
    slices: int = 5
    duration: float | str | dt.timedelta | None = None
    patience: float = 300.0
    step: float = 0.001
    jitter: float = 0.20
    adv: float | None = None
    limit: float | str | Decimal | None = None
    seed: int | None = None
    tag: str | None = None
    start: str | dt.datetime | None = None
    overrun: str | None = None
    schedule: str = EVEN
    risk_aversion: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot be worked."""
        choices = ("auto", *Strategy)
        if self.strategy not in choices:
            raise InvalidOrder(f"strategy {self.strategy!r} is unknown; say one of {', '.join(choices)}")
        if whole(self.slices, what="slices") > MAX_SLICES:
            raise InvalidOrder(f"{self.slices} slices are too many; at most {MAX_SLICES}")
        _inside(self.patience, what="patience", low=1.0, high=86_400.0, unit="s")
        _inside(self.step, what="step", low=0.00001, high=0.02, unit="of the price")
        _inside(self.jitter, what="jitter", low=0.0, high=0.9, unit="of a gap")
        if self.adv is not None:
            _inside(self.adv, what="adv", low=0.0, high=1e9, unit="lots a day")
        if self.tag is not None and not (isinstance(self.tag, str) and len(self.tag) <= 200 and self.tag.isprintable()):
            raise InvalidOrder(f"tag {self.tag!r:.60} is not one line of at most 200 characters")
        if self.overrun not in (None, *OVERRUNS):
            raise InvalidOrder(f"overrun {self.overrun!r} is unknown; say one of {', '.join(OVERRUNS)}")
        if self.schedule not in SCHEDULES:
            raise InvalidOrder(f"schedule {self.schedule!r} is unknown; say one of {', '.join(SCHEDULES)}")
        if self.schedule == ALMGREN_CHRISS and self.strategy == Strategy.LIMIT_PATIENCE:
            raise InvalidOrder(
                f"schedule {self.schedule!r} divides the lots of slices, and strategy 'limit_patience' has none; say "
                "strategy='twap', or leave the schedule out"
            )
        if self.risk_aversion is not None:
            _inside(self.risk_aversion, what="risk_aversion", low=0.0, high=MAX_RISK_AVERSION, unit="1/cash")
        if not isinstance(self.start, str | dt.datetime | None) or self.start == "":
            raise InvalidOrder(f"start {self.start!r} is no time; say for instance {FORMS}")
        if self.seed is not None and (type(self.seed) is not int or not 0 <= self.seed <= MAX_SEED):
            raise InvalidOrder(f"seed {self.seed!r} is no whole number from 0 to {MAX_SEED}")

    @classmethod
    def parse(cls, how: Mapping[str, Any]) -> "How":
        """Build from keywords; an unknown one is a TypeError that lists the known."""
        known = [field.name for field in fields(cls)]
        for name in how:
            if name not in known:
                raise TypeError(f"unknown keyword {name!r}; known are {', '.join(known)}")
        # Numbers out of a frame are of numpy's types, which the journal does not keep.
        return cls(**{name: value.item() if isinstance(value, np.generic) else value for name, value in how.items()})

    @property
    def at_close(self) -> str:
        """What becomes of a schedule that would run past the end of its session."""
        return self.overrun or ("wait" if self.start is None else "refuse")

    @property
    def duration_ns(self) -> int | None:
        """The duration in nanoseconds; None where none was given."""
        if self.duration is None:
            return None
        try:
            given = plain_duration(self.duration)
            seconds = pd.Timedelta(given).total_seconds() if isinstance(given, str) else float(given)
        except (TypeError, ValueError) as error:
            raise InvalidOrder(f"duration {self.duration!r} is no time; say seconds, or for instance '2h'") from error
        if not 0 < seconds <= MAX_DURATION_S:
            raise InvalidOrder(f"duration {self.duration!r} is outside 0 to {MAX_DURATION_S // 86_400} days")
        return seconds_ns(seconds)

    def limit_price(self, contract: FutureContract) -> Decimal | None:
        """The caller's limit as an exact price on tick; None where none was given."""
        if self.limit is None:
            return None
        try:
            price = Decimal(str(self.limit))
        except InvalidOperation as error:
            raise InvalidOrder(f"limit {self.limit!r} is no price") from error
        if not price.is_finite() or abs(price) > MAX_PRICE:
            raise InvalidOrder(f"limit {self.limit!r} is no price")
        if not contract.is_on_tick(price):
            low, high = (contract.format_price(tick) for tick in contract.nearest_ticks(price))
            raise InvalidOrder(f"limit price {price} is off the {contract.tick} tick; nearest {low} or {high}")
        return price


def plain_duration(duration: Any) -> Any:
    """Seconds of a duration that is a `timedelta`, or a bare number as text, of which pandas would make nanoseconds."""
    if isinstance(duration, dt.timedelta):
        return duration.total_seconds()
    return float(duration) if isinstance(duration, str) and _NUMBER.fullmatch(duration.strip()) else duration


def parse_side(side: object) -> Side:
    """BUY or SELL, in any case."""
    try:
        return Side(str(side).upper())
    except ValueError:
        raise InvalidOrder(f"side {side!r} is neither 'BUY' nor 'SELL'") from None


def parse_lots(value: object) -> int:
    """Whole lots, at least 1."""
    lots = whole(value, what="lots")
    if lots > MAX_LOTS:
        raise InvalidOrder(f"{value!r} lots are too many to be meant; at most {MAX_LOTS:,}")
    return lots


def parse_client_id(value: object) -> int:
    """The id of a connection, as the broker's wire takes it: a whole number, also of NumPy."""
    number = _index(value)
    if number is None or not 0 <= number <= MAX_CLIENT_ID:
        raise InvalidOrder(
            f"client_id={value!r:.60} is no id of a connection; give a whole number from 0 to {MAX_CLIENT_ID:,}"
        )
    return number


def parse_market_seed(value: object) -> int | None:
    """The seed of a simulated market: a whole number, also of NumPy; None is the market's own."""
    number = _index(value)
    if value is not None and number is None:
        raise InvalidOrder(f"seed={value!r:.60} is no seed of a market; give a whole number, for instance 7, or None")
    return number


def parse_journal(value: object) -> str | Path | None:
    """Where the journal is, as text or a path; None where nobody said."""
    if isinstance(value, str | Path | None):
        return value
    path = os.fspath(value) if isinstance(value, os.PathLike) else None
    if not isinstance(path, str):
        raise InvalidOrder(f"journal={value!r:.60} is no path; give the path of a SQLite file, ':memory:', or None")
    return path


def parse_ending(working: object) -> bool:
    """Whether a desk that closes cancels what works; else it is left to its expiry."""
    if working not in ("cancel", "expire"):
        raise InvalidOrder(f"working={working!r}: say 'cancel' or 'expire'")
    return working == "cancel"


def whole(value: object, *, what: str) -> int:
    """A whole number of at least 1; floats are refused, also whole ones."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # whatever has no __index__ is refused below
    except TypeError:
        raise InvalidOrder(f"{value!r} {what}: a whole number is needed, for instance 13") from None
    if isinstance(value, bool) or number < 1:
        raise InvalidOrder(f"{value!r} {what}: at least 1 is needed")
    return number


def _index(value: object) -> int | None:
    """A whole number of Python or of NumPy; None for all else, also for True."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # whatever has no __index__ is none
    except TypeError:
        return None


def _inside(value: object, *, what: str, low: float, high: float, unit: str) -> None:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever is no number is refused below
    except (TypeError, ValueError):
        number = math.nan
    # Text that reads as a number is refused as well: the arithmetic to come would repeat it, not multiply.
    if isinstance(value, bool | str | bytes) or math.isnan(number):
        raise InvalidOrder(f"{what} {value!r} is no number")
    if not low <= number <= high:
        raise InvalidOrder(f"{what} {value!r} is outside {low:g} to {high:g} {unit}")
