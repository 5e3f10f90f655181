"""One order on one market, twice: over the wire to the gateway in memory, and by the direct driver."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hydra_nb
from hydra_nb.domain.events import Event, ExecutionReported, ParentSubmitted
from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.orders import Action
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Decision
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import VirtualLoop, run_virtual

AHEAD_NS = 500_000_000
"""A desk takes its time from whole seconds of the gateway, and the middle of a second for the instant of the answer."""
CLOSE_NS = 3_000_000
"""The virtual loop lands a microsecond behind every timer; nothing of the market depends on it."""
OF_THE_WIRE = frozenset({"message_budget", "clock_skew"})
"""Checks whose observed figure counts what only a wire has: heartbeats among the messages, and how far its own
microseconds have run away from the gateway's clock. Their verdicts are compared as all others are."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A fill as it was told."""

    attempt: str
    lots: int
    price: str
    told_ns: int
    second_ns: int

    def is_like(self, other: "Filled") -> bool:
        """Whether it is the same fill; of one close to the turn of a second, either second may be told."""
        return (
            (self.attempt, self.lots, self.price) == (other.attempt, other.lots, other.price)
            and abs(self.told_ns - other.told_ns) <= CLOSE_NS
            and abs(self.second_ns - other.second_ns) in (0, NS_PER_S)
        )


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the gate decided, in order, and what was filled."""

    decisions: tuple[
        tuple[int, int | None, str, str, bool, float], ...
    ]  # time, slice, action, check, allowed, observed
    fills: tuple["Filled", ...]
    ending: str

    def differences(self, other: "Told") -> list[str]:
        """In what they are not alike, in words; empty is good."""
        found = [] if self.ending == other.ending else [f"ends {self.ending!r}, not {other.ending!r}"]
        if len(self.fills) != len(other.fills):
            found.append(f"{len(self.fills)} fills, not {len(other.fills)}")
        found += [
            f"{mine}, not {theirs}"
            for mine, theirs in zip(self.fills, other.fills, strict=False)
            if not mine.is_like(theirs)
        ]
        if len(self.decisions) != len(other.decisions):
            found.append(f"{len(self.decisions)} decisions, not {len(other.decisions)}")
        found += [
            f"decision {one}, not {two}"
            for one, two in zip(self.decisions, other.decisions, strict=False)
            if not _alike(one, two)
        ]
        return found


@dataclass(frozen=True, kw_only=True)
class Wired:
    """What the run over the wire told, and what the other way has to begin with."""

    told: Told
    plan: ExecutionPlan
    watched_ns: int
    submitted_ns: int
    statistics: MarketStatistics
    facts: Mapping[str, ContractFacts]
    limits: Limits


def order_of(seed: int) -> dict[str, Any]:
    """Draw an order: mostly those that the default limits let pass."""
    dice = random.Random(f"order {seed}")  # noqa: S311
    how: dict[str, Any] = {
        "side": dice.choice(["BUY", "SELL"]),
        "lots": dice.choice([1, 2, 3, 5, 8]),
        "instrument": dice.choice(["ZO", "ZR", "LBR", "OJ", "DA", "CB", "PA", "KE", "CSC", "GF"]),
    }
    if dice.random() < 0.6:
        minutes = dice.choice([20, 40, 90])
        return how | {"strategy": "twap", "slices": dice.randint(2, 6), "duration": f"{minutes}min"}
    return how | {"strategy": "limit_patience"}


def over_the_wire(
    seed: int, how: Mapping[str, Any], *, look: Callable[[hydra_nb.Desk, str], None] | None = None
) -> Wired:
    """Preview and run it on a desk in virtual time; `look` is shown that desk when the order is over."""
    found: list[Wired] = []

    async def main(_loop: VirtualLoop) -> None:
        async with hydra_nb.connect("sim", seed=seed, speed="max", journal=":memory:") as desk:
            plan = await desk.preview(**how)
            execution = await desk.submit(plan)
            rooms = desk._rooms
            await rooms.manager.wait(execution.parent_id)
            if look is not None:
                look(desk, execution.parent_id)
            events = [event for _, event in rooms.journal.events()]
            rows = desk.decisions()
            slices = [
                None if value is None else int(value)
                for value in rows.slice.astype(object).where(rows.slice.notna(), None)
            ]
            decisions = tuple(
                zip(
                    [int(time.value) for time in rows.time],
                    slices,
                    map(str, rows.action),
                    map(str, rows.check),
                    map(bool, rows.allowed),
                    map(float, rows.observed),
                    strict=True,
                )
            )
            contract = plan.parent.contract
            found.append(
                Wired(
                    told=Told(
                        decisions=decisions, fills=_fills(events), ending=f"{execution.status}: {execution.reason}"
                    ),
                    plan=plan.terms,
                    watched_ns=int(desk.quotes().time.iloc[0].value),
                    submitted_ns=next(event.time_ns for event in events if isinstance(event, ParentSubmitted)),
                    statistics=await desk.statistics(contract),
                    facts=rooms.manager.snapshots.facts,
                    limits=rooms.gate.limits,
                )
            )

    run_virtual(main)
    return found[0]


def directly(
    seed: int, wired: Wired, *, late_ns: int = 0, look: Callable[[DirectDesk, str], None] | None = None
) -> Told:
    """Run the same plan by the direct driver, from the same instants on, or submitted later; `look` as there."""
    desk = DirectDesk(
        Exchange(seed=seed),
        contract=wired.plan.parent.contract,
        limits=wired.limits,
        statistics=(wired.statistics,),
        facts=wired.facts,
        ahead_ns=AHEAD_NS,
    )
    decisions: list[tuple[int, int | None, str, str, bool, float]] = []
    events: list[Event] = []

    def hear(time_ns: int, _parent: str, number: int | None, action: Action, made: Sequence[Decision]) -> None:
        for one in made:
            observed = math.nan if one.observed is None else float(one.observed)
            decisions.append((time_ns, number, str(action), one.check, one.allowed, observed))

    desk.record.on_decisions = hear
    desk.manager.observers.append(events.append)
    desk.run_to(wired.watched_ns)
    desk.begin()
    desk.ask_margin(wired.plan.parent)
    desk.run_to(wired.submitted_ns + late_ns)
    parent_id = desk.submit(wired.plan)
    desk.finish(parent_id)
    if look is not None:
        look(desk, parent_id)
    desk.close()
    parent = desk.manager.ledger.parents[parent_id]
    return Told(decisions=tuple(decisions), fills=_fills(events), ending=f"{parent.status}: {parent.reason}")


def _fills(events: Sequence[Event]) -> tuple[Filled, ...]:
    return tuple(
        Filled(
            attempt=event.order_ref.split(":", 3)[3],
            lots=event.lots,
            price=str(event.price.normalize()),
            told_ns=event.time_ns,
            second_ns=event.executed_ns,
        )
        for event in events
        if isinstance(event, ExecutionReported)
    )


def _alike(
    one: tuple[int, int | None, str, str, bool, float], two: tuple[int, int | None, str, str, bool, float]
) -> bool:
    (time, *what, observed), (other_time, *other_what, other_observed) = one, two
    if what != other_what or abs(time - other_time) > CLOSE_NS:
        return False
    if what[2] in OF_THE_WIRE or (math.isnan(observed) and math.isnan(other_observed)):
        return True
    return math.isclose(observed, other_observed, rel_tol=1e-9, abs_tol=0.01)
