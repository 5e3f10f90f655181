"""The one account of the simulated gateway: fills, positions, profit and margin, in dollars.

Commission is a constant per lot and side. Average cost is the wire's: price / magnifier x
multiplier, without commission. Realised profit is without commission too; cash is the deposit
plus realised profit less commissions. Futures are not settled daily into cash, and margin is
counted but never enforced. What was held before anything is booked counts from its average cost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from hydra_nb.sim.instruments import Month
from hydra_nb.sim.records import Commission, Execution, Position, SimSide

DEPOSIT = Decimal(1_000_000)
COMMISSION_PER_LOT = Decimal("2.52")
"""Dollars per lot and side: about what a broker, an exchange and a clearing house take together."""
INITIAL_MARGIN_RATE = Decimal("0.08")
MAINTENANCE_SHARE = Decimal(1) / Decimal("1.1")
_CENT = Decimal("0.01")


@dataclass(slots=True, kw_only=True)
class _Holding:
    """Signed lots of one contract and what they cost together, in dollars."""

    month: Month
    lots: int = 0
    cost: Decimal = Decimal(0)


def value_per_lot(price: Decimal, *, month: Month) -> Decimal:
    """Give the dollars of one lot at a price in the quoted unit: price / magnifier x multiplier."""
    return price * Decimal(month.listing.multiplier) / month.listing.price_magnifier


class Account:
    """Books of the account.

    Parameters
    ----------
    mark
        Gives the price in the quoted unit at which a contract (by its id) is valued now.
    """

    def __init__(self, *, mark: Callable[[int], Decimal]) -> None:
        self._mark = mark
        self._holdings: dict[int, _Holding] = {}
        self._held_before: dict[int, tuple[int, Decimal]] = {}
        self._fills: list[tuple[Execution, Commission]] = []
        self._realised = Decimal(0)
        self._commissions = Decimal(0)

    def hold(self, month: Month, *, lots: int, average_cost: Decimal | None) -> None:
        """Begin with signed lots of a contract, held before anything of it is booked.

        Parameters
        ----------
        average_cost
            Dollars a lot, as the wire counts it; None takes what a lot is valued at now.
        """
        con_id = month.listing.con_id
        if average_cost is None:
            average_cost = value_per_lot(self._mark(con_id), month=month)
        self._held_before[con_id] = lots, average_cost * lots
        self._holdings[con_id] = _Holding(month=month, lots=lots, cost=average_cost * lots)

    def book(self, execution: Execution, *, month: Month) -> Commission:
        """Book a fill and give its commission report, with the profit of the lots that it closed."""
        holding = self._holdings.setdefault(execution.con_id, _Holding(month=month))
        signed = execution.lots if execution.side is SimSide.BUY else -execution.lots
        value = value_per_lot(execution.price, month=month)
        profit: Decimal | None = None
        if holding.lots * signed < 0:
            direction = 1 if holding.lots > 0 else -1
            closed = direction * min(abs(signed), abs(holding.lots))
            cost = holding.cost if closed == holding.lots else holding.cost * closed / holding.lots
            profit = (value * closed - cost).quantize(_CENT, ROUND_HALF_UP)
            self._realised += profit
            holding.lots -= closed
            holding.cost -= cost
            signed += closed
        holding.lots += signed
        holding.cost += value * signed
        fee = COMMISSION_PER_LOT * execution.lots
        self._commissions += fee
        report = Commission(
            exec_id=execution.exec_id, commission=fee, currency=month.listing.currency, realised_pnl=profit
        )
        self._fills.append((execution, report))
        return report

    def fills(self) -> list[tuple[Execution, Commission]]:
        """Give all fills with their commissions, in order."""
        return list(self._fills)

    def true_fills(self) -> list[Execution]:
        """Give the latest revision of each fill, without those of 0 lots."""
        latest = {fill.exec_id.rpartition(".")[0]: fill for fill, _ in self._fills}
        return [fill for fill in latest.values() if fill.lots]

    def revise(self, execution: Execution, *, month: Month) -> Commission:
        """Book the next revision of a fill; the books become those in which it had been so from the start."""
        reported = list(self._fills)
        months = {con_id: holding.month for con_id, holding in self._holdings.items()} | {execution.con_id: month}
        truth = [*(fill for fill, _ in reported), execution]
        latest = {fill.exec_id.rpartition(".")[0]: fill for fill in truth}
        for con_id, holding in self._holdings.items():
            holding.lots, holding.cost = self._held_before.get(con_id, (0, Decimal(0)))
        self._realised = self._commissions = Decimal(0)
        reports = {fill.exec_id: self.book(fill, month=months[fill.con_id]) for fill in latest.values()}
        self._fills = [*reported, (execution, reports[execution.exec_id])]
        return reports[execution.exec_id]

    def positions(self) -> list[Position]:
        """Give the contracts that are held, in the order in which they came; flat ones are left out."""
        return [
            Position(con_id=con_id, lots=item.lots, average_cost=item.cost / item.lots)
            for con_id, item in self._holdings.items()
            if item.lots
        ]

    def margin_change(self, month: Month, *, signed_lots: int) -> tuple[Decimal, Decimal]:
        """Give the change of (initial, maintenance) margin if so many signed lots were filled; dollars."""
        holding = self._holdings.get(month.listing.con_id)
        held = holding.lots if holding is not None else 0
        initial = _margin(month, lots=held + signed_lots) - _margin(month, lots=held)
        return _cents(initial), _cents(initial * MAINTENANCE_SHARE)

    def values(self) -> dict[str, Decimal]:
        """Give the account's values by the wire's tag, in dollars, rounded to cents."""
        held: Iterable[_Holding] = [item for item in self._holdings.values() if item.lots]
        unrealised = sum(
            (
                value_per_lot(self._mark(item.month.listing.con_id), month=item.month) * item.lots - item.cost
                for item in held
            ),
            Decimal(0),
        )
        initial = sum((_margin(item.month, lots=item.lots) for item in held), Decimal(0))
        cash = DEPOSIT + self._realised - self._commissions
        net = cash + unrealised
        available = net - initial
        values = {
            "NetLiquidation": net,
            "TotalCashValue": cash,
            "EquityWithLoanValue": net,
            "AvailableFunds": available,
            "BuyingPower": available,
            "InitMarginReq": initial,
            "MaintMarginReq": initial * MAINTENANCE_SHARE,
            "RealizedPnL": self._realised,
            "UnrealizedPnL": unrealised,
        }
        return {tag: _cents(value) for tag, value in values.items()}


def _margin(month: Month, *, lots: int) -> Decimal:
    """Initial margin of a position: a share of its value at the price before the market's first day."""
    price = month.settlement_ticks * month.listing.min_tick
    return abs(lots) * value_per_lot(price, month=month) * INITIAL_MARGIN_RATE


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
