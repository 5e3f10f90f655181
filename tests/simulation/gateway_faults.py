"""The faults of a scenario's gateway: at rates, and aimed at order states that are seldom met."""

import random
from collections.abc import Container, Iterator

from hydra_nb.sim.faults import FAULTS, Fault, FaultRates, FaultScript, Occasion
from hydra_nb.sim.faults.kinds import PENDING, PENDING_CANCEL, PENDING_MODIFY
from tests.simulation import coverage
from tests.simulation.scenario import Scenario

NOTHING_OPEN = "none"
_TELLS_FILLS = (Occasion.EXECUTION, Occasion.COMMISSION)
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
    aimed = [
        Fault(kind=kind, state=state, at_s=dice.uniform(0, scenario.faulty_s), parameters=_milder(kind, dice))
        for kind, state in dice.choices(pairs, k=scenario.aimed)
    ]
    return tuple(one for fault in aimed for one in (*_beside(fault, kinds), fault))


def _beside(fault: Fault, kinds: Container[str]) -> Iterator[Fault]:
    """What has to go wrong in the same instant, or the fault would hardly meet an order in its state.

    Fills are told of an order that is being changed where one is corrected just then; and a client starts, or asks
    what is open, while its request waits and the connection breaks.
    """
    occasion, state = FAULTS[fault.kind].occasion, fault.state
    companions: dict[str, dict[str, float]] = {}
    if occasion in _TELLS_FILLS and state in (PENDING_CANCEL, PENDING_MODIFY):
        companions = {"correction": {}}
    elif occasion in _COMES_BACK and state in (PENDING, PENDING_CANCEL, PENDING_MODIFY):
        companions = {"half_open": {"duration_s": 0.5}, "request_delayed": {"delay_s": 40.0}}
    for kind, parameters in companions.items():
        if kind in kinds:
            yield Fault(kind=kind, state=state, at_s=fault.at_s, parameters=parameters)


def _milder(kind: str, dice: random.Random) -> dict[str, float]:
    """Shorter times than the defaults, so that the desk comes to trade between two faults."""
    return {
        one.name: one.default * dice.uniform(0.05, 1.0) for one in FAULTS[kind].parameters if one.name == "duration_s"
    }
