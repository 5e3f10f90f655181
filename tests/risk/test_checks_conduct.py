"""Circuit breakers on how the desk fares: refusals in a row, rejected messages, what fills cost."""

import pytest

from hydra_nb.domain.breakers import Conduct
from hydra_nb.risk import checks_conduct
from hydra_nb.risk.limits import Limits

from .making import make_case, make_snapshot


def decide(check, limits=None, **fared):
    """The decision of a check over a desk that has fared so."""
    return check(make_case(limits=limits or Limits(), snapshot=make_snapshot(conduct=Conduct(**fared))))


@pytest.mark.parametrize(
    ("refusals", "limit", "allowed"), [(0, 0, True), (1, 0, False), (10, 10, True), (11, 10, False)]
)
def test_refusals_in_a_row_trip_beyond_their_limit(refusals, limit, allowed):
    """At the limit it passes, as everywhere; at 0 the first one trips."""
    limits = Limits(max_consecutive_refusals=limit)

    decision = decide(checks_conduct.consecutive_refusals, limits, refusals_in_row=refusals)

    assert decision.allowed is allowed
    assert (decision.observed, decision.limit, decision.unit) == (refusals, limit, "refusals")
    assert not decision.transient


@pytest.mark.parametrize(
    ("messages", "rejected", "allowed"),
    [(0, 0, True), (9, 9, True), (10, 2, True), (10, 3, False), (15, 3, True), (14, 3, False), (200, 41, False)],
)
def test_the_share_of_rejected_messages_trips_beyond_its_limit(messages, rejected, allowed):
    """A fifth passes; fewer than ten messages are not judged."""
    decision = decide(checks_conduct.reject_rate, messages=messages, rejected_messages=rejected)

    assert decision.allowed is allowed
    assert decision.observed == (None if messages < 10 else 100 * rejected / messages)
    assert not decision.transient


@pytest.mark.parametrize(
    ("fills", "paid", "predicted", "allowed"),
    [
        (0, None, None, True),
        (9, 500.0, 1.0, True),
        (10, 15.0, 1.0, True),
        (10, 15.1, 1.0, False),
        (10, 31.5, 4.3, True),
        (10, 31.6, 4.3, False),
        (400, -3.0, 0.5, True),
    ],
)
def test_what_fills_cost_trips_beyond_a_multiple_of_the_prediction_and_some_ticks(fills, paid, predicted, allowed):
    """Five times what was predicted, and ten ticks; a gain passes, and fewer than ten fills are not judged."""
    decision = decide(checks_conduct.slippage_breach, fills=fills, slippage_ticks=paid, predicted_ticks=predicted)

    assert decision.allowed is allowed
    assert decision.limit == 5 * (predicted or 0.0) + 10
    assert decision.unit == "ticks"


@pytest.mark.parametrize(
    ("check", "fared", "words"),
    [
        (checks_conduct.consecutive_refusals, {"refusals_in_row": 11}, "11 hard refusals in a row, 10 allowed: "),
        (
            checks_conduct.reject_rate,
            {"messages": 12, "rejected_messages": 3},
            "The broker rejected 25 % of the last hour's messages, 20 % allowed: ",
        ),
        (
            checks_conduct.slippage_breach,
            {"fills": 12, "slippage_ticks": 41.25, "predicted_ticks": 6.0},
            "Today's fills cost 41.25 ticks a lot, 40 allowed by their prediction: ",
        ),
    ],
)
def test_a_refusal_holds_value_limit_unit_and_remedy(check, fared, words):
    """In the words of a trader."""
    decision = decide(check, **fared)

    assert decision.message == f'{words}once you know why, say await desk.rearm("why", breaker="{decision.check}")'
    assert decision.source in ("journal", "broker messages", "fills against stored predictions")


def test_equal_figures_give_the_decision_that_was_made_before():
    """It is remembered, and never given to other figures or limits."""
    first = decide(checks_conduct.consecutive_refusals, refusals_in_row=3)

    again = decide(checks_conduct.consecutive_refusals, refusals_in_row=3)
    other = decide(checks_conduct.consecutive_refusals, Limits(max_consecutive_refusals=2), refusals_in_row=3)

    assert again is first
    assert not other.allowed
