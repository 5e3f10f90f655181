"""Preview, Arm, Send: what allows the next of the three, and what takes it away. Values in, values out, no I/O.

    EMPTY, QUOTING ──draw──▶ DRAWING ──drawn──▶ PLANNED ──arm──▶ ARMED ──send──▶ SENDING ──sent──▶ SENT
                                         └────▶ REFUSED              └─ by hand, 30 s ─▶ PLANNED
    ARMED ── mid outside its range, quote old or gone, link lost, kill ──▶ DISARMED      (only a new preview leads on)
    PLANNED, ARMED ── 300 s of market time after the preview ──▶ EXPIRED                 (only a new preview leads on)
    anything but SENDING ── an edit ──▶ EMPTY, QUOTING;  SENDING ── the desk fails ──▶ FAILED

A plan that was handed to the desk is used up, whatever came of it: its id is kept, and it is never armed again.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.units import Side, floor_to_tick
from hydra_nb.widgets import numbers

ARMED_S = 30.0
"""Seconds of the host for which a plan stays armed: so long a person may hesitate, not so long that they forget."""


class Phase(StrEnum):
    """Where a ticket is between its first field and its order."""

    EMPTY = "empty"
    QUOTING = "quoting"
    DRAWING = "drawing"
    PLANNED = "planned"
    REFUSED = "refused"
    ARMED = "armed"
    DISARMED = "disarmed"
    EXPIRED = "expired"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


_WITH_OPEN_PLAN = (Phase.PLANNED, Phase.REFUSED, Phase.ARMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What arming needs to know of a plan.

    Attributes
    ----------
    valid_until_ns
        Market time after which the plan is too old.
    mid
        Mid at the preview; None where there was none.
    reach
        Distance that the collars allow between a price and the mid, in price units, on tick; None where not known.
    max_quote_age_s
        The oldest quote that the gate takes, in seconds of market time; None where not known.
    """

    plan_id: str
    passes: bool
    valid_until_ns: int
    contract: FutureContract
    side: Side
    lots: int
    limit: Decimal | None
    mid: Decimal | None
    reach: Decimal | None
    max_quote_age_s: float | None

    @property
    def mid_range(self) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest mid at which the plan may still be sent; None where mid or collar is not known.

        The mid stays within the collar of what it was at the preview, and the caller's limit, where it was inside the
        collar then, stays inside.
        """
        if self.mid is None or self.reach is None:
            return None
        low, high = self.mid - self.reach, self.mid + self.reach
        if self.limit is not None and abs(self.limit - self.mid) <= self.reach:
            low, high = max(low, self.limit - self.reach), min(high, self.limit + self.reach)
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The world at one look.

    Attributes
    ----------
    now_ns
        Market time.
    host_s
        Seconds of the host's own clock, from any origin.
    mid, quote_age_s
        Of the quote now; None where no two-sided live quote shows.
    connected
        Whether the way to the broker is up.
    killed
        Whether a kill is in force.
    """

    now_ns: int
    host_s: float
    mid: Decimal | None
    quote_age_s: float | None
    connected: bool = True
    killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arming:
    """A ticket's phase with the plan it is about; every step gives another one.

    Attributes
    ----------
    why
        What led here, in words, where a person has to know.
    armed_until_s
        Host time at which arming lapses; None while not armed.
    used
        Ids of the plans that were handed to the desk.
    """

    phase: Phase = Phase.EMPTY
    terms: Terms | None = None
    why: str = ""
    armed_until_s: float | None = None
    used: frozenset[str] = frozenset()

    @property
    def may_arm(self) -> bool:
        """Whether Arm is on."""
        return self.phase is Phase.PLANNED

    @property
    def has_open_plan(self) -> bool:
        """Whether there is a plan that is not too old, not overtaken by the market, and not handed over."""
        return self.phase in _WITH_OPEN_PLAN

    @property
    def may_send(self) -> bool:
        """Whether Send is on."""
        return self.phase is Phase.ARMED

    def edited(self, *, complete: bool) -> "Arming":
        """A field changed: the plan was drawn for another order. `complete` tells whether a preview could be asked."""
        if self.phase is Phase.SENDING:
            return self
        return Arming(phase=Phase.QUOTING if complete else Phase.EMPTY, used=self.used)

    def drawing(self) -> "Arming":
        """A preview was asked for."""
        return self if self.phase is Phase.SENDING else Arming(phase=Phase.DRAWING, used=self.used)

    def drawn(self, terms: Terms) -> "Arming":
        """The plan that was asked for is there."""
        if self.phase is not Phase.DRAWING:
            return self
        if terms.plan_id in self.used:
            return Arming(phase=Phase.SENT, terms=terms, used=self.used)
        return Arming(phase=Phase.PLANNED if terms.passes else Phase.REFUSED, terms=terms, used=self.used)

    def failed(self, why: str) -> "Arming":
        """The desk could not do what was asked; `why` in words. Whatever plan there was is gone."""
        return Arming(phase=Phase.FAILED, why=why, used=self.used)

    def expired(self) -> "Arming":
        """The desk called the plan too old; its clock decides."""
        return replace(self, phase=Phase.EXPIRED, why="", armed_until_s=None)

    def arm(self, sight: Sight) -> "Arming":
        """Arm was pressed: on for `ARMED_S`, where nothing speaks against sending at this very look."""
        looked = self.looked(sight)
        if not looked.may_arm or looked.terms is None:
            return looked
        obstacle = _obstacle(looked.terms, sight)
        if obstacle is not None:
            return replace(looked, phase=Phase.DISARMED, why=f"Not armed: {obstacle}. Preview again.")
        return replace(looked, phase=Phase.ARMED, why="", armed_until_s=sight.host_s + ARMED_S)

    def disarmed(self) -> "Arming":
        """Disarm was pressed, or Esc: the plan is unharmed and may be armed again."""
        if self.phase is not Phase.ARMED:
            return self
        return replace(self, phase=Phase.PLANNED, why="Disarmed by hand. Arm allows sending again.", armed_until_s=None)

    def looked(self, sight: Sight) -> "Arming":
        """Time passed, or the market moved."""
        terms = self.terms
        if terms is None or self.phase not in _WITH_OPEN_PLAN:
            return self
        if sight.now_ns > terms.valid_until_ns:
            return self.expired()
        if self.phase is not Phase.ARMED or self.armed_until_s is None:
            return self
        obstacle = _obstacle(terms, sight)
        if obstacle is not None:
            return replace(self, phase=Phase.DISARMED, why=f"Disarmed: {obstacle}. Preview again.", armed_until_s=None)
        if sight.host_s >= self.armed_until_s:
            why = f"Disarmed: {ARMED_S:.0f} s passed and nothing was sent. Arm again, or preview again."
            return replace(self, phase=Phase.PLANNED, why=why, armed_until_s=None)
        return self

    def send(self, sight: Sight) -> "Arming":
        """Send was pressed: SENDING where the plan is armed at this very look; else what it is now.

        The caller hands the plan to the desk if, and only if, this step led from ARMED to SENDING.
        """
        looked = self.looked(sight)
        if not looked.may_send or looked.terms is None or looked.terms.plan_id in looked.used:
            return looked
        return replace(
            looked, phase=Phase.SENDING, why="", armed_until_s=None, used=looked.used | {looked.terms.plan_id}
        )

    def sent(self, *, why: str = "") -> "Arming":
        """The desk took the plan; `why` tells where it was not new."""
        return replace(self, phase=Phase.SENT, why=why, armed_until_s=None)


def reach(*, mid: Decimal | None, tick: Decimal, ticks: float | None, percent: float | None) -> Decimal | None:
    """The distance from `mid` that both collars allow, on tick and at least one; None where none is known.

    Parameters
    ----------
    mid
        In the quoted unit.
    ticks, percent
        The two collars, in ticks and in percent of the mid; None where not told.
    """
    reaches = [] if ticks is None else [Decimal(repr(ticks)) * tick]
    if percent is not None and mid is not None:
        reaches.append(Decimal(repr(percent)) * abs(mid) / 100)
    return max(tick, floor_to_tick(min(reaches), tick=tick)) if reaches else None


def _obstacle(terms: Terms, sight: Sight) -> str | None:
    """Why the plan must not be sent now, in words; None where nothing speaks against it."""
    if sight.killed:
        return "the desk was killed"
    if not sight.connected:
        return "there is no link to the broker"
    if sight.mid is None or sight.quote_age_s is None:
        return "there is no live two-sided quote"
    if terms.max_quote_age_s is not None and sight.quote_age_s > terms.max_quote_age_s:
        return f"the quote is {sight.quote_age_s:.0f} s old, {terms.max_quote_age_s:g} s allowed"
    bounds = terms.mid_range
    if bounds is None or bounds[0] <= sight.mid <= bounds[1]:
        return None
    return _moved(terms, sight.mid, low=bounds[0], high=bounds[1])


def _moved(terms: Terms, mid: Decimal, *, low: Decimal, high: Decimal) -> str:
    """How far the mid went, and which allowance that breaks: the limit's collar, or the range of the preview."""
    fell = mid < low
    shown = f"mid {'fell' if fell else 'rose'} to {numbers.mid_price(mid, decimals=terms.contract.decimals)}"
    limit, allowed = terms.limit, terms.reach
    if limit is not None and allowed is not None and (low == limit - allowed if fell else high == limit + allowed):
        away = numbers.plain(abs(limit - mid) / terms.contract.tick)
        side = "above" if limit > mid else "below"
        return f"{shown}, the limit is {away} ticks {side} it, {numbers.plain(allowed / terms.contract.tick)} allowed"
    return f"{shown}, outside {range_words(low, high, decimals=terms.contract.decimals)}"


def range_words(low: Decimal, high: Decimal, *, decimals: int) -> str:
    """A range of mids: ``368.25 – 375.00``."""
    return f"{numbers.mid_price(low, decimals=decimals)} – {numbers.mid_price(high, decimals=decimals)}"
