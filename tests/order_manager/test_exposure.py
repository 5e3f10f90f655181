"""What the account may come to hold, counted from a true ledger and from what the broker has told."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import AccountState, MarketStatistics
from hydra_nb.domain.orders import Action, ChildOrder, ParentOrder, Stage, Strategy
from hydra_nb.domain.units import Side
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager.exposure import Exposures, best_opposite
from hydra_nb.risk.snapshot import Exposure
from tests.ledger.making import DAY_NS, OATS, PLAN, T0, at, reserved, submitted

JULY = dataclasses.replace(OATS, con_id=103, local_symbol="ZON6", contract_month="202607")
PALLADIUM = dataclasses.replace(
    OATS, con_id=102, symbol="PA", local_symbol="PAM6", tick=Decimal("0.50"), multiplier=Decimal(100), price_magnifier=1
)
CANOLA = dataclasses.replace(
    OATS, con_id=104, symbol="RS", local_symbol="RSN6", currency="CAD", multiplier=Decimal(20), price_magnifier=1
)
MIDS = {101: Decimal(400), 103: Decimal(410), 102: Decimal(1_000), 104: Decimal(700)}
"""A lot is worth 20,000 and 20,500 dollars of oats, 100,000 of palladium; one of canola 14,000 Canadian dollars."""
DOLLARS = AccountState(account="SIM1", currency="USD")


@dataclass
class Told:
    """A ledger, and the broker's positions as last told; None before they were."""

    ledger: Ledger = field(default_factory=Ledger)
    reports: dict[int, ev.PositionReported] | None = field(default_factory=dict)
    mids: dict[int, Decimal] = field(default_factory=lambda: dict(MIDS))
    volatilities: dict[int, float | None] = field(default_factory=dict)

    def positions(self) -> tuple[ev.PositionReported, ...] | None:
        """As the broker's port gives them."""
        return None if self.reports is None else tuple(self.reports.values())

    def span(self, con_id: int) -> tuple[int, int] | None:
        """As told, and by our own fills where the broker has told nothing of the contract."""
        if self.reports is None:
            return None
        told, booked = self.reports.get(con_id), self.ledger.booked_position(con_id)
        return (min(0, booked), max(0, booked)) if told is None else (told.lots, told.lots)

    def statistics(self, con_id: int) -> MarketStatistics | None:
        """Volatility alone."""
        if con_id not in self.volatilities:
            return None
        return MarketStatistics(
            con_id=con_id, adv_lots=None, daily_volatility=self.volatilities[con_id], days=20, source="bars"
        )

    def hold(self, contract: FutureContract, lots: int, *, cost: str = "0") -> None:
        """Have the broker tell a position."""
        assert self.reports is not None
        report = ev.PositionReported(
            time_ns=T0,
            con_id=contract.con_id,
            local_symbol=contract.local_symbol,
            symbol=contract.symbol,
            lots=lots,
            average_cost=Decimal(cost),
        )
        self.reports[contract.con_id] = report
        self.ledger.apply(report)

    def know(self, contract: FutureContract) -> str:
        """Submit a parent order of a contract, whose details are known from then on."""
        parent_id = f"P-{len(self.ledger.parents) + 1:04}"
        parent = ParentOrder(account="SIM1", contract=contract, side=Side.BUY, lots=5, strategy=Strategy.TWAP)
        self.ledger.apply(submitted(parent_id, plan=dataclasses.replace(PLAN, parent=parent)))
        return parent_id

    def work(self, contract: FutureContract, side: Side, lots: int, price: str) -> ChildOrder:
        """Reserve an order."""
        number = 100 + len(self.ledger.orders)
        child = ChildOrder(
            order_ref=f"hy:J:P:1:{number}",
            order_id=number,
            parent_id=self.know(contract),
            slice=1,
            account="SIM1",
            contract=contract,
            side=side,
            lots=lots,
            limit_price=Decimal(price),
            expires_ns=at(310),
            stage=Stage.MID,
        )
        self.ledger.apply(reserved(child))
        return child

    def fill(self, child: ChildOrder, lots: int, price: str, *, seconds: float = 3) -> None:
        """Execute some of an order."""
        self.ledger.apply(
            ev.ExecutionReported(
                time_ns=at(seconds),
                order_ref=child.order_ref,
                order_id=child.order_id,
                perm_id=child.order_id,
                exec_id=f"{child.order_id}.{seconds}.01",
                family=f"{child.order_id}.{seconds}",
                revision=1,
                con_id=child.contract.con_id,
                side=child.side,
                lots=lots,
                price=Decimal(price),
                executed_ns=at(seconds),
                quote=None,
            )
        )

    @property
    def exposures(self) -> Exposures:
        """What is tried here, over all of this."""
        broker: Any = self
        return Exposures(ledger=self.ledger, broker=broker, span=self.span, mid=self.mids.get, volume=self.statistics)

    def of(
        self,
        contract: FutureContract = OATS,
        *,
        side: Side = Side.BUY,
        without: str | None = None,
        **account: Any,
    ) -> Exposure:
        """What there is beside an order in a contract."""
        told = dataclasses.replace(DOLLARS, **account)
        exposure = self.exposures.of(contract, side=side, account=told, without=without)
        assert exposure is not None
        return exposure

    def today(self, *, without: str | None = None, now_ns: int = T0, **account: Any) -> float | None:
        """Value of the day."""
        return self.exposures.notional_today(now_ns, account=dataclasses.replace(DOLLARS, **account), without=without)


class TestMonthsOfASymbol:
    """Positions and working lots of one symbol, over its months."""

    def test_months_are_netted_and_sides_that_work_are_not(self) -> None:
        """Long May and short July, with orders on both sides of both."""
        told = Told()
        told.hold(OATS, 6)
        told.hold(JULY, -4)
        told.hold(PALLADIUM, 9)
        told.work(OATS, Side.BUY, 3, "399.00")
        told.work(JULY, Side.BUY, 2, "409.00")
        told.work(JULY, Side.SELL, 1, "411.00")
        told.work(PALLADIUM, Side.SELL, 1, "1001.00")

        exposure = told.of(OATS)

        assert exposure.symbol_position_lots == 2
        assert (exposure.symbol_buy_lots, exposure.symbol_sell_lots) == (5, 1)

    def test_the_order_that_is_checked_does_not_count(self) -> None:
        """A modify is held against everything but itself."""
        told = Told()
        child = told.work(OATS, Side.BUY, 3, "399.00")

        assert told.of(OATS).symbol_buy_lots == 3
        assert told.of(OATS, without=child.order_ref).symbol_buy_lots == 0

    def test_a_position_that_only_our_fills_tell_counts(self) -> None:
        """The broker's own line may come later than the execution."""
        told = Told()
        told.fill(told.work(JULY, Side.BUY, 3, "410.00"), 2, "410.00")

        exposure = told.of(OATS)

        assert told.of(OATS, side=Side.SELL).symbol_position_lots == 0
        assert (exposure.symbol_position_lots, exposure.symbol_buy_lots) == (2, 1)
        assert exposure.others_notional == 3 * 20_500

    def test_before_the_broker_has_told_positions_nothing_is_known(self) -> None:
        """And no zero stands for it."""
        told = Told(reports=None)

        assert told.exposures.of(OATS, side=Side.BUY, account=DOLLARS, without=None) is None


class TestAllContracts:
    """What the positions of other contracts are worth, each in its worst case."""

    @pytest.mark.parametrize(
        ("position", "buys", "sells", "worst"),
        [
            (0, 0, 0, 0),
            (2, 0, 0, 2),
            (-2, 0, 0, 2),
            (2, 3, 1, 5),
            (2, 1, 5, 3),
            (-2, 5, 1, 3),
            (-2, 1, 4, 6),
            (0, 2, 2, 2),
        ],
    )
    def test_the_larger_side_counts_as_filled(self, position: int, buys: int, sells: int, worst: int) -> None:
        """Long or short, whichever filling one side would leave larger."""
        told = Told()
        told.hold(PALLADIUM, position, cost="90000")
        told.know(PALLADIUM)
        for side, lots in ((Side.BUY, buys), (Side.SELL, sells)):
            if lots:
                told.work(PALLADIUM, side, lots, "1000.00")

        assert told.of(OATS).others_notional == worst * 100_000

    def test_the_contract_of_the_order_is_not_among_the_others(self) -> None:
        """The check adds it with the lots of the order; other months of its symbol are others here."""
        told = Told()
        told.work(OATS, Side.BUY, 3, "399.00")
        told.work(JULY, Side.SELL, 2, "411.00")
        told.work(PALLADIUM, Side.BUY, 1, "999.00")

        assert told.of(OATS).others_notional == 2 * 20_500 + 100_000
        assert told.of(PALLADIUM).others_notional == 3 * 20_000 + 2 * 20_500

    def test_a_position_without_a_mid_is_worth_what_it_has_cost(self) -> None:
        """The broker's average cost is cash a lot, multiplier and magnifier in it."""
        told = Told(mids={})
        told.hold(PALLADIUM, -3, cost="95000")
        told.know(PALLADIUM)

        assert told.of(OATS).others_notional == 3 * 95_000

    def test_an_order_without_a_mid_or_a_position_is_worth_its_dearest_price(self) -> None:
        """After a restart an order may work before its quote is there; it is not worth nothing."""
        told = Told(mids={})
        child = told.work(PALLADIUM, Side.BUY, 2, "980.00")
        modified = dataclasses.replace(child, limit_price=Decimal("990.00"))
        told.ledger.apply(
            ev.ChildSent(time_ns=at(1), order_ref=child.order_ref, action=Action.PLACE, content_hash=child.content_hash)
        )
        told.ledger.apply(reserved(modified, action=Action.MODIFY))

        assert told.of(OATS).others_notional == 2 * 99_000

    def test_a_position_of_which_neither_price_nor_cost_is_known_is_not_worth_nothing(self) -> None:
        """What is not known is told as that; the gate refuses it until a quote comes."""
        told = Told(mids={})
        told.fill(told.work(PALLADIUM, Side.BUY, 2, "980.00"), 2, "980.00")

        exposure = told.of(OATS)

        assert (exposure.others_notional, exposure.others_at_risk) == (None, None)

    @pytest.mark.parametrize("mids", [MIDS, {}], ids=["mid", "cost"])
    def test_another_currency_is_valued_at_its_rate(self, mids: dict[int, Decimal]) -> None:
        """At the mid, and at what it has cost, which is in the contract's currency too."""
        told = Told(mids=mids)
        told.hold(CANOLA, 2, cost="14000")
        told.know(CANOLA)

        exposure = told.of(OATS, rates={"CAD": Decimal("0.75")})

        assert exposure.others_notional == 2 * 14_000 * 0.75

    def test_an_account_in_another_currency_values_dollars_at_its_rate(self) -> None:
        """Every contract is foreign to it."""
        told = Told()
        told.work(PALLADIUM, Side.BUY, 2, "999.00")

        assert told.of(OATS, currency="EUR", rates={"USD": Decimal("0.9")}).others_notional == 180_000

    @pytest.mark.parametrize("mids", [MIDS, {}], ids=["mid", "cost"])
    def test_a_rate_that_is_not_known_is_not_taken_for_one(self, mids: dict[int, Decimal]) -> None:
        """An amount of pounds or yen that passes for as many dollars would be no limit at all."""
        told = Told(mids=mids)
        told.hold(CANOLA, 2, cost="14000")
        told.know(CANOLA)

        exposure = told.of(OATS)

        assert (exposure.others_notional, exposure.others_at_risk) == (None, None)

    def test_a_contract_without_details_is_taken_at_cost_in_the_accounts_currency(self) -> None:
        """Of a position that the desk never traded the broker tells no currency."""
        told = Told(mids={})
        told.hold(CANOLA, 2, cost="14000")

        assert told.of(OATS).others_notional == 28_000

    def test_a_flat_position_needs_neither_price_nor_rate(self) -> None:
        """What is closed holds nothing up."""
        told = Told(mids={})
        told.hold(CANOLA, 0)
        told.know(CANOLA)

        assert told.of(OATS).others_notional == 0

    @pytest.mark.parametrize(
        ("volatilities", "daily"),
        [({}, 0.05), ({102: None}, 0.05), ({102: float("nan")}, 0.05), ({102: -0.1}, 0.05), ({102: 0.02}, 0.02)],
    )
    def test_risk_is_value_times_volatility_and_five_percent_where_none_is_known(
        self, volatilities: dict[int, float | None], daily: float
    ) -> None:
        """Of 200,000 dollars."""
        told = Told(volatilities=volatilities)
        told.work(PALLADIUM, Side.SELL, 2, "1000.00")

        assert told.of(OATS).others_at_risk == pytest.approx(200_000 * daily, rel=1e-12)


class TestValueOfTheDay:
    """All that was traded today or works, at its own prices."""

    def test_fills_count_at_their_price_and_the_rest_at_its_limit(self) -> None:
        """Both sides add up: what is bought and sold again was traded twice."""
        told = Told()
        bought = told.work(PALLADIUM, Side.BUY, 3, "1000.00")
        told.fill(bought, 2, "990.00")
        sold = told.work(PALLADIUM, Side.SELL, 1, "1010.00")
        told.fill(sold, 1, "1010.00", seconds=4)

        assert told.today() == 2 * 99_000 + 100_000 + 101_000
        assert told.today(without=bought.order_ref) == 2 * 99_000 + 101_000

    def test_yesterday_does_not_count_and_what_still_works_does(self) -> None:
        """The day is that of UTC."""
        told = Told()
        told.fill(told.work(PALLADIUM, Side.BUY, 3, "1000.00"), 2, "990.00")

        assert told.today(now_ns=T0 + DAY_NS) == 100_000

    @pytest.mark.parametrize(("rate", "value"), [(Decimal("0.75"), 2 * 14_000 * 0.75 + 14_200 * 0.75), (None, None)])
    def test_another_currency_needs_its_rate(self, rate: Decimal | None, value: float | None) -> None:
        """Two lots traded at 700 and one that works at 710, 20 Canadian dollars a point."""
        told = Told()
        told.fill(told.work(CANOLA, Side.BUY, 3, "710.00"), 2, "700.00")

        assert told.today(rates={} if rate is None else {"CAD": rate}) == value

    def test_what_only_works_needs_its_rate_too(self) -> None:
        """No fill has shown the currency yet."""
        told = Told()
        child = told.work(CANOLA, Side.SELL, 1, "710.00")

        assert told.today() is None
        assert told.today(without=child.order_ref) == 0


@pytest.mark.parametrize(
    ("side", "prices", "best"),
    [(Side.BUY, ("401.00", "402.00"), "401.00"), (Side.SELL, ("399.00", "398.00"), "399.00")],
)
def test_the_own_price_that_an_order_would_meet_first(side: Side, prices: Sequence[str], best: str) -> None:
    """The lowest that sells, the highest that buys; none of one's own side, or of another month."""
    told = Told()
    for price in prices:
        told.work(OATS, side.opposite, 1, price)
    told.work(OATS, side, 1, "400.00")
    told.work(JULY, side.opposite, 1, "400.00")

    assert best_opposite(told.ledger, OATS.con_id, side=side) == Decimal(best)
    assert best_opposite(told.ledger, PALLADIUM.con_id, side=side) is None
