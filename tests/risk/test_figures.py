"""A refusal never shows a figure that equals its limit: it has as many decimals as it takes to see why."""

from decimal import Decimal

import pytest

from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks import CHECKS
from hydra_nb.risk.figures import cash_apart, told_apart

from .making import NOW_NS, OATS
from .situations.building import NEW_YORK_2344_NS, at, lots, margin, others

FUNCTIONS = {check.name: check.function for check in CHECKS}
CLOSES_NS = OATS.sessions[0].close_ns

HARDLY_REFUSED: dict[str, tuple[Case, str]] = {
    "volume_share": (lots(22, adv_lots=438.9), "22 lots today are 5.01 % of ADV, 5 % allowed: at most 21 lots"),
    "parent_volume_share": (lots(22, adv_lots=439.9), "22 lots are 5.001 % of ADV, 5 % an order allowed: at most 21"),
    "order_notional": (
        lots(1, limits={"max_notional_per_order": 18_499.6}),
        "18,500.00 USD an order, 18,499.60 allowed",
    ),
    "day_notional": (at(notional_today=1_944_500.25), "2,000,000.25 USD traded today, 2,000,000.00 allowed"),
    "position_share": (at(equity=Decimal("110999")), "3 lots long at worst are 50.0005 % of equity, 50 % allowed"),
    "gross_exposure": (at(**others(notional=1_944_900.0)), "All positions at worst: 200.04 % of equity, 200 % allowed"),
    "margin": (at(**margin(3, 490_000.0, 10_400.0)), "Margin of 50.04 % of equity at worst, 50 % allowed"),
    "displayed_share": (
        at("372", case={"open_lots": 301}, quote={"ask_size": 300}, limits={"max_displayed_percent": 100.0}),
        "301 lots cross into 300 shown, 100.3 %, 100 % allowed: at most 300 lots",
    ),
    "session_left": (at(now_ns=CLOSES_NS - 29_600_000_000), "The session ends in 29.6 s, 30 s wanted"),
    "spread_width": (at(usual_spread_ticks=2.79), "The spread is 14 ticks, 5.02 times its usual 2.79, 5 times allowed"),
    "quote_age": (at(quote={"time_ns": NOW_NS - 30 * NS_PER_S - 1}), "Quote 30.000000001 s old, 30 s allowed"),
    "reference_age": (at(reference_age_s=600.02), "Mid 600.02 s old, 600 s allowed"),
    "gateway_reset": (at(now_ns=NEW_YORK_2344_NS - 239_700_000_000), "299.7 s from the gateway's nightly reset, 300 s"),
    "clock_skew": (at(clock_skew_s=-2.03), "The clock is 2.03 s off the broker's, 2 s allowed"),
    "order_efficiency": (at(case={"messages": 2001, "lots": 100}), "20.01 messages for a lot at most, 20 allowed"),
    "loop_lag": (at(loop_lag_ms=1_000.25), "The notebook's loop was 1000.2 ms late, 1000 ms allowed"),
    "collar_percent": (at("376", limits={"collar_percent": 1.62}), "1.622 % above mid, 1.62 % allowed"),
    "collar_last": (
        at("350", quote={"last": Decimal(371)}, limits={"collar_last_percent": 5.66}),
        "5.6604 % below the last trade, 5.66 % allowed",
    ),
    "chase": (at("378", limits={"max_chase_percent": 2.16}), "2.162 % above the arrival mid, 2.16 % allowed"),
}


@pytest.mark.parametrize("check", HARDLY_REFUSED)
def test_what_is_hardly_refused_is_told_from_its_limit(check: str) -> None:
    """To the decimals of its message the figure would be the limit, and the refusal a riddle."""
    case, words = HARDLY_REFUSED[check]

    decision = FUNCTIONS[check](case)

    assert not decision.allowed
    assert decision.message.startswith(words)


@pytest.mark.parametrize(
    ("observed", "limit", "decimals", "shown"),
    [
        (5.0125, 5.0, 1, "5.01"),
        (5.2375, 5.0, 1, "5.2"),
        (5.0125, 5.01, 1, "5.0"),
        (0.04, 0.0, 1, "0.04"),
        (29.96, 30.0, 0, "29.96"),
        (100.0, 99.6, 0, "100"),
        (5.0 + 2**-50, 5.0, 1, "5.000000000000001"),
        (1e-30, 0.0, 1, "0.0"),
        (float("inf"), 200.0, 1, "inf"),
    ],
)
def test_a_figure_has_no_more_decimals_than_it_takes(observed: float, limit: float, decimals: int, shown: str) -> None:
    """Those of the message where they suffice, and where none would do."""
    assert told_apart(observed, limit=limit, decimals=decimals) == shown


@pytest.mark.parametrize(
    ("observed", "limit", "shown"),
    [
        (2_055_500.0, 2_000_000.0, ("2,055,500", "2,000,000")),
        (2_000_000.25, 2_000_000.0, ("2,000,000.25", "2,000,000.00")),
        (2_000_000.001, 2_000_000.0, ("2,000,000.0010", "2,000,000.0000")),
        (55_500.0, 55_499.99, ("55,500.00", "55,499.99")),
        (float("inf"), 2_000_000.0, ("inf", "2,000,000")),
        (2_000_000.0, 2_000_000.0, ("2,000,000", "2,000,000")),
    ],
)
def test_an_amount_and_its_limit_show_cents_where_whole_units_are_the_same(
    observed: float, limit: float, shown: tuple[str, str]
) -> None:
    """Both do, as either may have them."""
    assert cash_apart(observed, limit=limit) == shown
