"""The account: positions, average cost and profit against a recount that shares no code with it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.sim.accounts import Account
from hydra_nb.sim.instruments import Month, first_day, list_months
from hydra_nb.sim.records import Execution, SimSide
from hydra_nb.sim.seeds import stream

MONTHS = {month.listing.symbol: month for month in list_months(1, today=first_day(1)) if month.rank == 0}


def execution(month: Month, *, number: int, signed_lots: int, price: Decimal) -> Execution:
    """Make a fill; the sign of the lots is its side."""
    return Execution(
        exec_id=f"a.b.{number}.01",
        perm_id=1,
        client_id=1,
        order_id=1,
        account="SIM0000000",
        con_id=month.listing.con_id,
        side=SimSide.BUY if signed_lots > 0 else SimSide.SELL,
        lots=abs(signed_lots),
        price=price,
        time_ns=0,
        order_ref="",
        cumulative_lots=abs(signed_lots),
        average_price=price,
        maker=True,
    )


STORIES = [
    # fills (signed lots, price), position, average cost per lot, realised profit, in dollars
    ("oats are $50 a point", "ZO", [(2, "370.00")], 2, "18500", "0"),
    ("a sale below cost loses", "ZO", [(2, "370.00"), (-1, "369.75")], 1, "18500", "-12.50"),
    ("two prices average", "ZO", [(1, "370.00"), (1, "372.00")], 2, "18550", "0"),
    ("a short earns when it falls", "LBR", [(-2, "580.00"), (2, "570.00")], 0, None, "550.00"),
    ("through zero starts anew", "PA", [(1, "980.00"), (-3, "990.00")], -2, "99000", "1000.00"),
]


@pytest.mark.parametrize(
    ("symbol", "fills", "lots", "cost", "profit"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES]
)
def test_stories_of_fills(symbol: str, fills: list[tuple[int, str]], lots: int, cost: str | None, profit: str) -> None:
    """Each row was reckoned by hand; commission is $2.52 a lot and side."""
    month = MONTHS[symbol]
    account = Account(mark=lambda _: Decimal(fills[-1][1]))

    for number, (signed, price) in enumerate(fills):
        account.book(execution(month, number=number, signed_lots=signed, price=Decimal(price)), month=month)

    traded = sum(abs(signed) for signed, _ in fills)
    values = account.values()
    assert [(item.lots, item.average_cost) for item in account.positions()] == (
        [(lots, Decimal(cost))] if cost is not None else []
    )
    assert values["RealizedPnL"] == Decimal(profit)
    assert values["TotalCashValue"] == 1_000_000 + Decimal(profit) - Decimal("2.52") * traded


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1400, 1500)), min_size=1, max_size=30))
def test_profit_agrees_with_a_recount_lot_by_lot(fills: list[tuple[int, int]]) -> None:
    """Equity is deposit plus the value of all flows at the mark less fees, however it was averaged."""
    month = MONTHS["ZO"]
    tick = Decimal("0.25")
    account = Account(mark=lambda _: 1450 * tick)

    reports = [
        account.book(execution(month, number=number, signed_lots=signed, price=ticks * tick), month=month)
        for number, (signed, ticks) in enumerate(fills)
    ]

    dollars_per_tick = Fraction(5000, 100) * Fraction(1, 4)
    profit = sum(signed * (1450 - ticks) for signed, ticks in fills) * dollars_per_tick
    fees = sum(abs(signed) for signed, _ in fills) * Fraction("2.52")
    values = account.values()
    position = sum(signed for signed, _ in fills)
    assert sum(item.lots for item in account.positions()) == position
    # Each closing fill's profit is rounded to the cent by itself.
    assert abs(Fraction(values["NetLiquidation"]) - (1_000_000 + profit - fees)) <= Fraction(len(fills) + 1, 100)
    assert values["RealizedPnL"] == sum((r.realised_pnl or Decimal(0) for r in reports), Decimal(0))
    held = 0
    for report, (signed, _) in zip(reports, fills, strict=True):
        assert (report.realised_pnl is None) == (held * signed >= 0)
        held += signed


def test_margin_follows_the_position_and_is_given_back() -> None:
    """Opening costs margin, closing releases the same, and values report what is held."""
    month = MONTHS["HE"]
    account = Account(mark=lambda _: Decimal(82))
    opening = account.margin_change(month, signed_lots=3)

    account.book(execution(month, number=1, signed_lots=3, price=Decimal(82)), month=month)

    closing = account.margin_change(month, signed_lots=-3)
    values = account.values()
    assert opening[0] > opening[1] > 0
    assert closing == (-opening[0], -opening[1])
    assert (values["InitMarginReq"], values["MaintMarginReq"]) == opening
    assert values["AvailableFunds"] == values["NetLiquidation"] - opening[0]


def test_lots_that_were_held_before_are_closed_at_their_own_cost_and_outlive_a_revision() -> None:
    """Three oats at 344.50: one sold at 350 makes $275; were it not so, three are held again, and nothing was made."""
    month = MONTHS["ZO"]
    account = Account(mark=lambda _: Decimal(350))
    account.hold(month, lots=3, average_cost=Decimal(17_225))
    sale = execution(month, number=1, signed_lots=-1, price=Decimal(350))

    report = account.book(sale, month=month)
    left = account.positions()
    account.revise(replace(sale, exec_id="a.b.1.02", lots=0), month=month)

    assert report.realised_pnl == Decimal(275)
    assert [(one.lots, one.average_cost) for one in left] == [(2, Decimal(17_225))]
    assert [(one.lots, one.average_cost) for one in account.positions()] == [(3, Decimal(17_225))]
    assert account.values()["RealizedPnL"] == 0
    assert account.values()["NetLiquidation"] == 1_000_000 + 3 * 275


def test_many_contracts_keep_their_own_books() -> None:
    """Fills of several contracts in any order leave each position its own."""
    dice = stream(3, "fills")
    account = Account(mark=lambda _: Decimal(1))
    expected = dict.fromkeys(MONTHS, 0)

    for number in range(200):
        symbol = dice.choice(list(MONTHS))
        signed = dice.choice([-2, -1, 1, 2])
        expected[symbol] += signed
        month = MONTHS[symbol]
        account.book(
            execution(month, number=number, signed_lots=signed, price=month.settlement_ticks * month.listing.min_tick),
            month=month,
        )

    held = {item.con_id: item.lots for item in account.positions()}
    assert held == {MONTHS[symbol].listing.con_id: lots for symbol, lots in expected.items() if lots}
