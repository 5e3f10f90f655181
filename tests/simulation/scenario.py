"""What a seed draws: the market, the orders, what a person does, and what goes wrong."""

import math
import random
from dataclasses import dataclass, field, replace
from typing import Any

SYMBOLS = ("ZO", "ZO", "ZO", "KE", "HE", "GF", "OJ", "ZR")
LONG_MIN = (5, 60, 15)  # shortest, longest and most frequent length of the time in which things go wrong
SHORT_FROM_SEED = 10_000
SHORT_MIN = (3, 12, 5)  # from that seed on: as many faults in less time, for runs of many thousand seeds
LATER_FROM_SEED = 100_000
LATER_SHARE = 0.4
"""From that seed on: parents that begin later than they are submitted."""
OVERLAP_FROM_SEED = 200_000
"""From that seed on: a person who kills while the desk is re-armed, or sends while it is closed."""
NO_FAULTS_SHARE = 0.04
CRASH_SHARE = 0.5
DEFAULT_LIMITS_SHARE = 0.15
LIMIT_SHARE = 0.25
"""Parent orders to which the caller gave a limit price."""
WIDE_LIMITS = {
    "max_notional_per_order": 1e8,
    "max_notional_per_day": 1e9,
    "max_gross_percent_of_equity": 5_000.0,
    "max_equity_at_risk_percent": 100.0,
    "max_position_percent_of_equity": 5_000.0,
    "max_adv_percent": 50.0,
    "max_daily_loss": 1e7,
    "max_drawdown_percent": 90.0,
    "max_parent_loss": 1e7,
}
"""Limits under which most orders of a simulation come to be sent at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentDraw:
    """One parent order: when it is submitted, seconds from the opening of the desk, and what it is.

    `limit_ticks` is the caller's limit as its distance from the mid at preview; None for no limit. `later_s` is how
    long after its preview it begins; None for at once.
    """

    at_s: float
    side: str
    lots: int
    symbol: str
    how: dict[str, Any]
    limit_ticks: int | None = None
    later_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that a person does, or that befalls the host.

    From `at_s` on it waits until an order of ours comes into `state` in the ledger, if one is named. `number` picks a
    parent or counts steps, `amount` is a size in seconds.
    """

    at_s: float
    kind: str
    number: int = 0
    amount: float = 0.0
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that one seed draws.

    Attributes
    ----------
    faulty_s
        Seconds after which all faults heal.
    deeds
        What a person does and what befalls the host, in order of time.
    per_hour
        Mean number of faults of the gateway in an hour; 0 for a run in which nothing goes wrong.
    aimed
        Faults that wait for an order in a certain state.
    commit_s
        Seconds that a commit of the journal takes at most.
    ends_by
        How the run is ended once its parents are over: by closing the desk, by a kill, or by leaving orders to expire.
    kinds
        The only kinds of faults of the gateway that there are; empty for all.
    """

    seed: int
    market_seed: int
    faulty_s: float
    parents: tuple[ParentDraw, ...]
    deeds: tuple[Deed, ...]
    per_hour: float
    fault_share: float
    aimed: int
    ends_by: str
    on_disk: bool
    commit_s: float
    resumes: float
    limits: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()

    @property
    def goes_wrong(self) -> bool:
        """Whether anything does."""
        return self.per_hour > 0 or bool(self.deeds)


def draw(seed: int) -> Scenario:
    """Draw a scenario; the same seed gives the same."""
    dice = random.Random(f"scenario {seed}")  # noqa: S311  repeatable, not secret
    minutes = SHORT_MIN if seed >= SHORT_FROM_SEED else LONG_MIN
    faulty_s = 60.0 * dice.triangular(*minutes)
    calm = dice.random() < NO_FAULTS_SHARE
    parents = tuple(_parent(dice, number, faulty_s) for number in range(dice.choice((1, 2, 2, 3, 3, 4))))
    parents = _some_later(seed, parents, faulty_s=faulty_s)
    on_disk = dice.random() < CRASH_SHARE
    deeds = [] if calm else [*_person(dice, faulty_s, len(parents)), *_host(dice, faulty_s, on_disk=on_disk)]
    deeds += [] if calm else _mishaps(seed, faulty_s, on_disk=on_disk)
    deeds += [] if calm else _overlaps(seed, faulty_s, len(parents), on_disk=on_disk)
    return Scenario(
        seed=seed,
        market_seed=dice.randrange(1, 100_000),
        faulty_s=faulty_s,
        parents=parents,
        deeds=tuple(sorted(deeds, key=lambda deed: deed.at_s)),
        per_hour=0.0 if calm else dice.uniform(2, 40) * 900 / faulty_s + 5,
        aimed=0 if calm else dice.choice((5, 10, 20, 40)),
        fault_share=dice.choice((0.1, 0.3, 0.6, 1.0)),
        ends_by=dice.choice(("close", "close", "kill", "expire")),
        on_disk=on_disk,
        commit_s=random.Random(f"commits {seed}").choice((0.0, 0.0, 0.02, 0.5)),  # noqa: S311  repeatable, not secret
        resumes=dice.choice((0.0, 0.7, 1.0)),
        limits={} if dice.random() < DEFAULT_LIMITS_SHARE else WIDE_LIMITS,
    )


def narrow(drawn: Scenario, kinds: tuple[str, ...]) -> Scenario:
    """Leave no faults of the gateway but these kinds; ``kill@reserved`` adds a deed that waits for an order's state."""
    if not kinds:
        return drawn
    dice = random.Random(f"aimed deeds {drawn.seed}")  # noqa: S311  repeatable, not secret
    deeds = list(drawn.deeds)
    for kind, at, state in (one.partition("@") for one in kinds):
        if at:
            deeds.append(Deed(at_s=dice.uniform(1, drawn.faulty_s / 2), kind=kind, state=state))
    ordered = tuple(sorted(deeds, key=lambda deed: deed.at_s))
    return replace(drawn, kinds=tuple(one for one in kinds if "@" not in one), deeds=ordered)


def _parent(dice: random.Random, number: int, faulty_s: float) -> ParentDraw:
    at_s = 0.0 if number == 0 else dice.uniform(0, faulty_s * 0.5)
    lots = dice.choice((1, 2, 3, 5, 8, 10, 13, 16, 20, 30))
    how: dict[str, Any] = {"tag": f"order {number}", "jitter": dice.choice((0.0, 0.2, 0.5))}
    slices = dice.randint(1, 10)
    if dice.random() < 0.2:
        how |= {"strategy": "limit_patience", "patience": dice.choice((40, 100, 300))}
    else:
        length_s = max(slices * 90.0, dice.uniform(0.3, 1.1) * (faulty_s - at_s))
        how |= {"strategy": "twap", "slices": slices, "duration": round(length_s)}
        how |= {"patience": dice.choice((30, 120, 300))}
    side, symbol = dice.choice(("BUY", "SELL")), dice.choice(SYMBOLS)
    # A stream of its own, so that the rest of the scenario does not hang on it.
    own = random.Random(f"limit {how['jitter']} {lots} {at_s} {symbol}")  # noqa: S311  repeatable, not secret
    limit_ticks = own.randrange(0, 6) if own.random() < LIMIT_SHARE else None
    return ParentDraw(at_s=at_s, side=side, lots=lots, symbol=symbol, how=how, limit_ticks=limit_ticks)


def _some_later(seed: int, parents: tuple[ParentDraw, ...], *, faulty_s: float) -> tuple[ParentDraw, ...]:
    """Have some begin later, by a stream of its own; no seed below is touched, so that those that are kept stay."""
    if seed < LATER_FROM_SEED:
        return parents
    dice = random.Random(f"later {seed}")  # noqa: S311  repeatable, not secret
    return tuple(
        replace(one, later_s=dice.uniform(20, 0.6 * faulty_s)) if dice.random() < LATER_SHARE else one
        for one in parents
    )


def _person(dice: random.Random, faulty_s: float, parents: int) -> list[Deed]:
    """Draw what a person does: pauses and resumes, cancels, kills and re-arms, closes and comes back, interrupts."""
    deeds = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        kind = dice.choice(("pause", "pause", "cancel", "kill", "kill", "close", "interrupt", "equal", "reconcile"))
        at_s = dice.uniform(5, faulty_s)
        amount = dice.expovariate(1 / 60)
        state = dice.choice((None, "reserved", "sent", "working", "cancel_pending", "unknown"))
        if kind not in ("kill", "cancel"):
            state = None
        deeds.append(Deed(at_s=at_s, kind=kind, number=dice.randrange(parents), amount=amount, state=state))
        if kind == "pause":
            deeds.append(Deed(at_s=at_s + amount, kind="resume", number=deeds[-1].number))
        elif kind == "kill" and dice.random() < 0.7:
            deeds.append(Deed(at_s=at_s + amount, kind="rearm"))
            deeds.append(Deed(at_s=at_s + amount + 5, kind="submit", number=dice.randrange(parents)))
    return deeds


def _host(dice: random.Random, faulty_s: float, *, on_disk: bool) -> list[Deed]:
    """Draw what befalls the host: stalls, a disk that takes nothing, and a process killed."""
    deeds = []
    for _ in range(dice.choice((0, 1, 2, 3, 4, 5))):
        kinds = ["stall", "stall", "disk_full", "interrupt"]
        if on_disk:
            kinds += ["disk_error", "disk_busy", "crash", "crash_soon", "crash_soon", "close"]
        kind = dice.choice(kinds)
        deeds.append(
            Deed(
                at_s=dice.uniform(1, 0.9 * faulty_s),
                kind=kind,
                number=dice.randrange(60),
                amount=_size(dice, kind),
                state=dice.choice((None, "reserved", "sent", "working", "cancel_pending", "unknown")),
            )
        )
    return deeds


def _mishaps(seed: int, faulty_s: float, *, on_disk: bool) -> list[Deed]:
    """Draw what seldom befalls a host, from a stream of its own, so that most scenarios do not hang on it."""
    dice = random.Random(f"mishaps {seed}")  # noqa: S311  repeatable, not secret
    kinds = ("wall_clock", "zone", "sleep", "signal", "second_id", "wrong_account", *(("second_journal",) * on_disk))
    return [
        Deed(
            at_s=dice.uniform(1, 0.9 * faulty_s),
            kind=(kind := dice.choice(kinds)),
            number=dice.randrange(60),
            amount=_size(dice, kind),
            state=dice.choice((None, "reserved", "sent", "working", "cancel_pending", "unknown")),
        )
        for _ in range(dice.choice((0, 0, 0, 1, 2, 3)))
    ]


def _overlaps(seed: int, faulty_s: float, parents: int, *, on_disk: bool) -> list[Deed]:
    """Draw what a person does before the last deed has ended, from a stream of its own; no seed below is touched."""
    if seed < OVERLAP_FROM_SEED:
        return []
    dice = random.Random(f"overlaps {seed}")  # noqa: S311  repeatable, not secret
    kinds = ("kill_rearming", *(("submit_closing",) * on_disk))
    return [
        Deed(
            at_s=dice.uniform(5, 0.9 * faulty_s),
            kind=dice.choice(kinds),
            number=dice.randrange(60) * parents + dice.randrange(parents),
            amount=dice.expovariate(1 / 60),
            state=dice.choice((None, "sent", "working", "cancel_pending", "unknown")),
        )
        for _ in range(dice.choice((1, 1, 2)))
    ]


def _size(dice: random.Random, kind: str) -> float:
    if kind == "wall_clock":  # seconds to an hour, forward or back
        return dice.choice((-1, 1)) * math.exp(dice.uniform(0, math.log(3600.0)))
    if kind == "sleep":  # minutes to an hour
        return 60.0 * math.exp(dice.uniform(0, math.log(60.0)))
    if kind == "stall":
        return min(300.0, 1 + dice.expovariate(1 / 15))
    return min(300.0, 1 + dice.expovariate(1 / 30))
