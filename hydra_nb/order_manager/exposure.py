"""What the account holds and may come to hold over all contracts, worst case, in the account's currency."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hydra_nb.broker.port import OrderPort
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import AccountState, MarketStatistics
from hydra_nb.domain.units import Side
from hydra_nb.ledger import Ledger, OrderRecord
from hydra_nb.order_manager.planned import Planned
from hydra_nb.risk.case import number
from hydra_nb.risk.checks_exposure import ASSUMED_VOLATILITY
from hydra_nb.risk.snapshot import Exposure


@dataclass(slots=True, kw_only=True)
class _Held:
    """Lots of one contract: what its position is at least and at most, what works on either side, its dearest price."""

    symbol: str
    least: int = 0
    most: int = 0
    buys: int = 0
    sells: int = 0
    dearest: Decimal | None = None
    contract: FutureContract | None = None

    @property
    def worst(self) -> int:
        """Largest position, long or short, that filling one side could make."""
        return max(self.most + self.buys, self.sells - self.least)

    def work(self, contract: FutureContract, *, is_buy: bool, lots: int, dearest: Decimal | None) -> None:
        """Count lots that work, or are planned, on one side."""
        self.contract = contract
        if dearest is not None and (self.dearest is None or dearest > self.dearest):
            self.dearest = dearest
        if is_buy:
            self.buys += lots
        else:
            self.sells += lots


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractExposure:
    """What one contract is held at, what works or is to be worked, and what its worst case is worth.

    `working` counts what orders and parents may still do, `planned` what comes on top; `notional` is in the account's
    currency, None where a price or a rate is not known. Of a contract that was never traded here `contract` is None.
    """

    con_id: int
    contract: FutureContract | None
    symbol: str
    least: int
    most: int
    working_buy: int
    working_sell: int
    planned_buy: int
    planned_sell: int
    notional: float | None

    @property
    def worst_long(self) -> int:
        """The position if all buys fill."""
        return self.most + self.working_buy + self.planned_buy

    @property
    def worst_short(self) -> int:
        """The position if all sells fill."""
        return self.least - self.working_sell - self.planned_sell


class _Open(NamedTuple):
    """What an order at work counts for, kept with its record: most orders are as they were at the last look."""

    record: OrderRecord
    contract: FutureContract
    is_buy: bool
    lots: int
    dearest: Decimal
    points: Decimal  # lots × the last gated price, in cash of the contract's currency

    @classmethod
    def of(cls, record: OrderRecord) -> "_Open":
        """Work it out."""
        contract, last = record.child.contract, abs(record.terms.limit_price)
        return cls(
            record=record,
            contract=contract,
            is_buy=record.child.side is Side.BUY,
            lots=record.working_lots,
            dearest=max(abs(record.child.limit_price), last),
            points=last * record.working_lots * contract.point_value,
        )


class Exposures:
    """Adds up positions and working orders; looks at ledger and broker only.

    Parameters
    ----------
    span
        Gives the least and the most that the position of a contract can be; None where the broker has not told it.
    mid
        Gives the last mid of a contract that others made; None where none was seen.
    volume
        Gives what is known of a contract's volume and volatility.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        broker: OrderPort,
        span: Callable[[int], tuple[int, int] | None],
        mid: Callable[[int], Decimal | None],
        volume: Callable[[int], MarketStatistics | None],
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._span = span
        self._mid = mid
        self._volume = volume
        self._open: dict[str, _Open] = {}

    def of(
        self,
        contract: FutureContract,
        *,
        side: Side,
        account: AccountState,
        without: str | None,
        beside: Sequence[Planned] = (),
    ) -> Exposure | None:
        """What there is beside an order on a side of `contract`.

        `without` names an order that does not count, `beside` is counted as if it worked.
        """
        told = self._broker.positions()
        if told is None:
            return None
        held = self._held(without=without, beside=beside)
        months = [one for one in held.values() if one.symbol == contract.symbol]
        worths = {
            con_id: self._worth(con_id, one, account=account)
            for con_id, one in held.items()
            if con_id != contract.con_id and one.worst
        }
        known = {con_id: held[con_id].worst * lot for con_id, lot in worths.items() if lot is not None}
        is_all_known = len(known) == len(worths)
        return Exposure(
            symbol_position_lots=sum(one.most if side is Side.BUY else one.least for one in months),
            symbol_buy_lots=sum(one.buys for one in months),
            symbol_sell_lots=sum(one.sells for one in months),
            others_notional=sum(known.values()) if is_all_known else None,
            others_at_risk=sum(cash * self._volatility(con_id) for con_id, cash in known.items())
            if is_all_known
            else None,
        )

    def lines(
        self, *, account: AccountState, working: Sequence[Planned], planned: Sequence[Planned]
    ) -> Iterator[ContractExposure]:
        """What each contract that is held, worked or planned may come to, in the order in which they were met."""
        before = self._held(without=None, beside=working)
        for con_id, held in self._held(without=None, beside=[*working, *planned]).items():
            worked = before.get(con_id, _Held(symbol=held.symbol))
            lot = self._worth(con_id, held, account=account)
            yield ContractExposure(
                con_id=con_id,
                contract=held.contract or self._ledger.contracts.get(con_id),
                symbol=held.symbol,
                least=held.least,
                most=held.most,
                working_buy=worked.buys,
                working_sell=worked.sells,
                planned_buy=held.buys - worked.buys,
                planned_sell=held.sells - worked.sells,
                notional=None if lot is None else held.worst * lot,
            )

    def notional_today(
        self, now_ns: int, *, account: AccountState, without: str | None, beside: Sequence[Planned] = ()
    ) -> float | None:
        """Cash value of all that was traded today or works; None where a price or a rate of exchange is not known."""
        cash = 0.0
        for planned in beside:
            rate = account.rate(planned.contract.currency)
            if rate is None or planned.price is None:
                return None
            cash += float(planned.contract.notional(planned.price, lots=planned.lots) * rate)
        for con_id, traded in self._ledger.traded_on(now_ns).items():
            contract = self._ledger.contracts.get(con_id)
            rate = None if contract is None else account.rate(contract.currency)
            if contract is None or rate is None:
                return None
            cash += float(traded.points * contract.point_value * rate)
        for one in self._at_work(without=without):
            if one.lots:
                rate = account.rate(one.contract.currency)
                if rate is None:
                    return None
                cash += float(one.points * rate)
        return cash

    def _at_work(self, *, without: str | None) -> list[_Open]:
        """The orders that are not over, but the one named `without`."""
        known, self._open = self._open, {}
        for record in self._ledger.open_orders():
            one = known.get(record.order_ref)
            self._open[record.order_ref] = one if one is not None and one.record is record else _Open.of(record)
        return [one for order_ref, one in self._open.items() if order_ref != without]

    def _held(self, *, without: str | None, beside: Sequence[Planned] = ()) -> dict[int, _Held]:
        held = self._positions()

        def of(contract: FutureContract) -> _Held:
            one = held.get(contract.con_id)
            if one is None:
                one = held[contract.con_id] = _Held(symbol=contract.symbol)
            return one

        for order in self._at_work(without=without):
            of(order.contract).work(order.contract, is_buy=order.is_buy, lots=order.lots, dearest=order.dearest)
        for planned in beside:
            dearest = None if planned.price is None else abs(planned.price)
            is_buy = planned.side is Side.BUY
            of(planned.contract).work(planned.contract, is_buy=is_buy, lots=planned.lots, dearest=dearest)
        return held

    def _positions(self) -> dict[int, _Held]:
        """The position of each contract, those among them that only our own fills tell."""
        symbols = {one.con_id: one.symbol for one in self._broker.positions() or ()}
        symbols |= {con_id: contract.symbol for con_id, contract in self._ledger.contracts.items()}
        spans = ((con_id, symbol, self._span(con_id) or (0, 0)) for con_id, symbol in symbols.items())
        return {
            con_id: _Held(symbol=symbol, least=least, most=most)
            for con_id, symbol, (least, most) in spans
            if least or most
        }

    def _worth(self, con_id: int, held: _Held, *, account: AccountState) -> float | None:
        """Cash value of one lot of a contract that is held or worked; None where a price or a rate is not known.

        At its last mid, else at what it has cost, else at the dearest price at which it works. A contract of which we
        have no details is taken to be in the account's currency: the broker tells no currency with a position.
        """
        contract, told = self._ledger.contracts.get(con_id) or held.contract, self._ledger.positions.get(con_id)
        mid, cost = self._mid(con_id), None if told is None else abs(told.average_cost)
        if contract is None:
            return float(cost) if cost else None
        rate = account.rate(contract.currency)
        if rate is None:
            return None
        if mid is not None:
            return float(contract.notional(mid, lots=1) * rate)
        if cost:
            return float(cost * rate)
        return None if held.dearest is None else float(contract.notional(held.dearest, lots=1) * rate)

    def _volatility(self, con_id: int) -> float:
        told = self._volume(con_id)
        known = None if told is None else number(told.daily_volatility)
        return ASSUMED_VOLATILITY if known is None or known < 0 else known


def best_opposite(ledger: Ledger, con_id: int, *, side: Side) -> Decimal | None:
    """The price at which an own order on the other side may rest nearest to the market; None where there is none."""
    prices = [
        price
        for record in ledger.open_orders(con_id)
        if record.child.side is side.opposite and record.working_lots
        for price in (record.child.limit_price, record.terms.limit_price)
    ]
    if not prices:
        return None
    return min(prices) if side is Side.BUY else max(prices)
