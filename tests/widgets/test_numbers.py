"""Numbers and times as the screens write them."""

import math

import pandas as pd
import pytest

from hydra_nb.widgets import numbers

from .hand_made import OATS

CHICAGO = "America/Chicago"


@pytest.mark.parametrize(
    ("amount", "whole", "shown"),
    [
        (877.5, False, "$877.50"),
        (9_999.994, False, "$9,999.99"),
        (240_500, False, "$240,500"),
        (-1_183.4, True, "−$1,183"),
        (1_137.5, True, "$1,138"),
        (0, False, "$0.00"),
        (-0.001, False, "$0.00"),
        (math.nan, False, "–"),
        (None, False, "–"),
    ],
)
def test_cash_has_sign_currency_and_cents_below_ten_thousand(amount: float | None, whole: bool, shown: str) -> None:
    """Cash: a true minus before the currency, cents below $10,000, none in tiles."""
    text = numbers.cash(amount, currency="USD", whole=whole)

    assert text == shown


def test_cash_of_a_currency_without_sign_names_it() -> None:
    """A currency whose sign is not known stands before the amount."""
    text = numbers.cash(-12.5, currency="CHF")

    assert text == "−CHF 12.50"


@pytest.mark.parametrize(("price", "shown"), [(370, "370.00"), (-37.63, "−37.63"), (pd.NA, "–"), (math.inf, "–")])
def test_prices_have_all_decimals_of_the_tick(price: object, shown: str) -> None:
    """A price keeps its decimals, may be negative, and is an en dash where unknown."""
    text = numbers.price(price, decimals=2)

    assert text == shown


def test_averages_have_one_decimal_more_and_mids_only_where_they_need_it() -> None:
    """An average of fills is finer than a tick; a mid is so only between ticks."""
    average = numbers.average_price(370.625, decimals=2)
    on_tick, between = numbers.mid_price(370.0, decimals=2), numbers.mid_price(370.125, decimals=2)

    assert (average, on_tick, between) == ("370.625", "370.00", "370.125")


@pytest.mark.parametrize(("value", "shown"), [(2.5, "+2.5"), (-1.04, "−1.0"), (-0.04, "0.0"), (None, "–")])
def test_ticks_are_signed_when_a_cost(value: float | None, shown: str) -> None:
    """Plus is worse than arrival; what rounds to zero has no sign."""
    text = numbers.ticks(value, signed=True)

    assert text == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(84, "1:24"), (7_200, "2 h"), (4_661, "1:17:41"), (30, "0:30"), (0, "0:00")]
)
def test_durations_are_minutes_or_whole_hours(seconds: float, shown: str) -> None:
    """Minutes and seconds, hours in front, whole hours in words."""
    text = numbers.duration(seconds)

    assert text == shown


def test_times_are_the_exchanges_with_utc_on_hover() -> None:
    """Chicago time on the screen, UTC to the millisecond on hover, the zone as exchanges write it."""
    winter, summer = pd.Timestamp("2027-01-12 15:25:41.208", tz="UTC"), pd.Timestamp("2027-07-12 15:00", tz="UTC")

    shown = [numbers.clock_time(time, time_zone=CHICAGO) for time in (winter, summer, pd.NaT)]

    assert shown == ["09:25:41", "10:00:00", "–"]
    assert numbers.utc_time(winter) == "2027-01-12 15:25:41.208 UTC"
    assert {numbers.zone_name(time, time_zone=CHICAGO) for time in (winter, summer)} == {"CT"}
    assert numbers.zone_name(summer, time_zone="Europe/London") == "BST"


def test_whole_numbers_are_read_as_nanoseconds() -> None:
    """Market time as the domain keeps it is understood as it is."""
    time = pd.Timestamp("2027-01-12 15:25:41", tz="UTC")

    shown = numbers.clock_time(time.value, time_zone=CHICAGO)

    assert shown == "09:25:41"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (3.1, "% of ADV", "3.10\u2009% of ADV"),
        (24, "ticks", "24 ticks"),
        (244_400, "USD", "$244,400"),
        (376, "price", "376.00"),
        (17, "lots", "17 lots"),
        (0.4, "s", "0.4 s"),
        (None, "lots", "–"),
        (5, "", "5"),
    ],
)
def test_figures_of_checks_are_shown_in_their_own_unit(value: float | None, unit: str, shown: str) -> None:
    """The gate names its units; each is written as screens write it."""
    text = numbers.quantity(value, unit=unit, contract=OATS)

    assert text == shown
