"""The faults of a scenario's gateway: at rates, and aimed at order states that are seldom met."""

import random
from collections.abc import Container, Iterator
from dataclasses import replace

from hydra_nb.sim.faults import FAULTS, Fault, FaultRates, FaultScript, Occasion
from hydra_nb.sim.faults.kinds import PENDING, PENDING_CANCEL, PENDING_MODIFY
from tests.simulation import coverage
from tests.simulation.scenario import Scenario

NOTHING_OPEN = "none"
EARLY = 0.3
_TELLS_FILLS = (Occasion.EXECUTION, Occasion.COMMISSION)
_FILLED_WHILE = {PENDING_CANCEL: "fill_crosses_cancel", PENDING_MODIFY: "fill_crosses_modify"}
_COMES_BACK = (Occasion.START, Occasion.ORDERS_QUERY, Occasion.EXECUTIONS_QUERY)


def script(scenario: Scenario) -> FaultScript | None:
    """Draw the faults of a scenario's gateway; None where nothing goes wrong."""
    if not scenario.per_hour:
        return None
    dice = random.Random(f"faults {scenario.seed}")  # noqa: S311  repeatable, not secret
    share = 1.0 if scenario.kinds else scenario.fault_share
    rates = FaultRates.draw(dice, per_hour=scenario.per_hour, kinds=scenario.kinds or tuple(FAULTS), share=share)
    return FaultScript(rates=rates, faults=_aimed(scenario, dice), seed=scenario.seed, heal_s=None)


def _aimed(scenario: Scenario, dice: random.Random) -> tuple[Fault, ...]:
    """Faults that wait for an order in a certain state, so that rare meetings come about."""
    kinds = scenario.kinds or tuple(FAULTS)
    pairs = [pair for pair in coverage.gateway_pairs() if pair[1] != NOTHING_OPEN and pair[0] in kinds]
    return tuple(
        fault
        for kind, state in dice.choices(pairs, k=scenario.aimed)
        for fault in _together(
            Fault(kind=kind, state=state, at_s=dice.uniform(0, scenario.faulty_s), parameters=_milder(kind, dice)),
            kinds,
        )
    )


def _together(fault: Fault, kinds: Container[str]) -> Iterator[Fault]:
    """Give a fault, and before it what has to go wrong in the same instant, or it would hardly meet its state.

    A fill of an order that is being changed is told where it trades just then; and a client starts, or asks what is
    open, while its request waits and the connection breaks. Such meetings are waited for from early on.
    """
    beside = {kind: parameters for kind, parameters in _beside(fault).items() if kind in kinds}
    at_s = EARLY * fault.at_s if beside else fault.at_s
    for kind, parameters in beside.items():
        yield Fault(kind=kind, state=fault.state, at_s=at_s, parameters=parameters)
    yield replace(fault, at_s=at_s)


def _beside(fault: Fault) -> dict[str, dict[str, float]]:
    occasion, state = FAULTS[fault.kind].occasion, fault.state
    if occasion in _TELLS_FILLS and state in _FILLED_WHILE:
        return {_FILLED_WHILE[state]: {}}
    if occasion in _COMES_BACK and state in (PENDING, PENDING_CANCEL, PENDING_MODIFY):
        return {"half_open": {"duration_s": 0.5}, "request_delayed": {"delay_s": 40.0}}
    return {}


def _milder(kind: str, dice: random.Random) -> dict[str, float]:
    """Shorter times than the defaults, so that the desk comes to trade between two faults."""
    return {
        one.name: one.default * dice.uniform(0.05, 1.0) for one in FAULTS[kind].parameters if one.name == "duration_s"
    }
