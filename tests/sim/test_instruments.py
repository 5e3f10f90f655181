"""Instruments and listed months: what the table says, and what the seed decides."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.sim.instruments import (
    MONTH_CODES,
    account_name,
    first_day,
    last_trade_date,
    list_months,
    read_instruments,
)

SEEDS = st.integers(0, 10_000)
CODES = {"ZO": "HKNUZ", "HE": "GJKMNQVZ", "PA": "HMUZ", "CB": MONTH_CODES}


def test_the_packaged_table_is_read_with_its_units() -> None:
    """Oats as the table has them: cents, a quarter of a cent a tick, 5,000 bushels."""
    instruments = {instrument.symbol: instrument for instrument in read_instruments()}

    oats = instruments["ZO"]

    assert len(instruments) == 12
    assert (oats.min_tick, oats.multiplier, oats.price_magnifier) == (Decimal("0.25"), "5000", 100)
    assert (oats.spread_ticks, oats.time_zone) == (14.4, "America/Chicago")


def test_months_follow_cycle_order_and_naming() -> None:
    """Months are consecutive ones of the cycle, and the local symbol says month and year."""
    today = dt.date(2027, 1, 12)

    months = list_months(7, today=today)

    for symbol, codes in CODES.items():
        listings = [month.listing for month in months if month.listing.symbol == symbol]
        start = codes.index(listings[0].local_symbol[len(symbol)])
        for number, listing in enumerate(listings):
            code = codes[(start + number) % len(codes)]
            assert listing.local_symbol == f"{symbol}{code}{listing.contract_month[3]}"
            assert listing.contract_month[4:] == f"{MONTH_CODES.index(code) + 1:02d}"
            assert listing.last_trade_date >= today
        assert [item.contract_month for item in listings] == sorted({item.contract_month for item in listings})
    assert "ZOH7" in {month.listing.local_symbol for month in months}


LAST_DATES = [
    ("ZO", "2027-03-01", "2027-03-12"),  # the 14th is a Sunday
    ("LBR", "2027-03-01", "2027-03-15"),
    ("GF", "2027-03-01", "2027-03-25"),
    ("HE", "2027-04-01", "2027-04-14"),
    ("OJ", "2027-03-01", "2027-03-11"),
    ("PA", "2027-03-01", "2027-03-29"),
    ("CB", "2027-03-01", "2027-04-02"),  # announced on the 4th, a Sunday
]


@pytest.mark.parametrize(("symbol", "month", "expected"), LAST_DATES)
def test_last_trade_dates_follow_the_exchanges_rules(symbol: str, month: str, expected: str) -> None:
    """Each row was counted on a calendar by hand."""
    assert last_trade_date(symbol, month=dt.date.fromisoformat(month)) == dt.date.fromisoformat(expected)


@settings(deadline=None)
@given(SEEDS)
def test_the_first_day_is_a_quiet_tuesday_on_which_all_listed_months_trade(seed: int) -> None:
    """No holiday week, no change of the clocks, and distinct ids for all months."""
    day = first_day(seed)

    months = list_months(seed, today=day)

    assert day.weekday() == 1
    assert day.year in (2026, 2027)
    assert len({month.listing.con_id for month in months}) == len(months) == 72
    assert all(month.listing.last_trade_date.weekday() < 5 for month in months)
    assert sum(month.rank == 0 for month in months) == 12
    assert re.fullmatch(r"SIM[0-9A-Z]{7}", account_name(seed))


def test_seeds_decide_ids_days_and_accounts() -> None:
    """Different seeds give different markets, one seed always the same."""
    seeds = range(20)

    accounts = {account_name(seed) for seed in seeds}
    ids = {list_months(seed, today=dt.date(2027, 1, 12))[0].listing.con_id for seed in seeds}

    assert len(accounts) == len(ids) == 20
    assert len({first_day(seed) for seed in seeds}) > 5
    assert list_months(3, today=first_day(3))[5].listing == list_months(3, today=first_day(3))[5].listing
