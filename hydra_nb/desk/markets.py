"""The part of a desk that knows contracts: finds and watches them, and tells quotes, volume and positions."""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from hydra_nb.broker.symbols import read_local_symbol
from hydra_nb.desk import months
from hydra_nb.desk.calibrating import Calibrating
from hydra_nb.desk.held import HeldContracts
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, MarketStatistics, Quote
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError, UnknownInstrument
from hydra_nb.risk.close_out import CloseOut
from hydra_nb.sim.instruments import read_instruments
from hydra_nb.widgets import numbers

FIRST_QUOTE_WAIT_S = 5.0
"""Seconds of market time that a preview waits for the first quote of a contract."""


SCHEDULED_LOOK_S = 60.0
"""Market seconds after which the broker is asked again about a contract of which an order is to begin later."""


class Markets(Calibrating):
    """Contracts by the names that people use, and what is known of each."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self._contracts: dict[str, FutureContract] = {}
        self._listed: dict[str, FutureContract] = {}
        self._statistics: dict[int, MarketStatistics] = {}
        self._choices: dict[str, months.Choice] = {}
        self._held = HeldContracts(rooms)

    def now_ns(self) -> int:
        """Market time, UTC nanoseconds."""
        return self._rooms.clock.now_ns()

    @property
    def speed(self) -> float:
        """Seconds of market time in one second of the host; more than 1 in a simulated market only."""
        return self._rooms.clock.speed

    @property
    def is_connected(self) -> bool:
        """Whether the way to the broker is up, and from there on to its servers."""
        return self._rooms.broker.state is ConnectionState.UP

    def known_instruments(self) -> tuple[str, ...]:
        """Give names to choose from: the symbols of thin futures, and the months listed of those looked up.

        Returns
        -------
        tuple of str
            Code first, then words: ``"ZO  Oats, CBOT"``, ``"ZOH7  Oats Mar 2027, CBOT"``.
        """
        products = [f"{product.symbol}  {product.name}, {product.exchange}" for product in read_instruments()]
        known = {**self._listed, **{contract.local_symbol: contract for contract in self._contracts.values()}}
        listed = [
            f"{month.local_symbol}  {month.name} {numbers.contract_month(month.contract_month)}, {month.exchange}"
            for month in sorted(known.values(), key=lambda month: (month.symbol, month.last_trade_date, month.con_id))
        ]
        return (*products, *listed)

    def position_lots(self, contract: FutureContract) -> int | None:
        """Give the account's position in a contract, signed, with our latest fills; None before the broker told it."""
        return self._rooms.manager.snapshots.position(contract.con_id)

    def adv_lots(self, contract: FutureContract) -> float | None:
        """Give the average daily volume that the broker told; None before `statistics`, or where it is not known."""
        told = self._statistics.get(contract.con_id)
        return None if told is None else told.adv_lots

    async def instrument(self, what: Any) -> FutureContract:
        """Find a future and watch its quotes.

        Parameters
        ----------
        what
            ``"ZO"``: its liquid month outside the close-out window; ``"ZOH7"``: that month; an
            ib_async ``Contract``; or a `FutureContract`.

        Raises
        ------
        UnknownInstrument
            The broker lists no such future.
        """
        self._must_be_open()
        if isinstance(what, FutureContract):
            contract = await months.current(
                what, ask=lambda: self._rooms.broker.contract(what.con_id), now_ns=self.now_ns()
            )
        elif isinstance(what, str):
            name = what.strip().upper()
            if not name:
                raise UnknownInstrument(
                    f"{what!r} names no future; use the broker's symbol, such as ZO, or a month, ZOH7"
                )
            contract = await months.current(
                self._contracts.get(name),
                ask=lambda: self._look_up(name),
                now_ns=self.now_ns(),
                still_meant=lambda month: month.symbol != name or not self.close_out(month).is_inside,
            )
            self._contracts[name] = contract
        else:
            contract = await self._rooms.broker.contract(what)
        self._contracts[contract.local_symbol] = contract
        self._held.learn(contract)
        self._rooms.broker.watch(contract)
        return contract

    async def watch_scheduled(self) -> None:
        """After a restart watch the contracts of orders whose start is still to come, until the broker told of all.

        Without quotes and volume the gate would refuse them when they begin.
        """
        while unknown := [one for one in self._rooms.manager.scheduled_contracts if one.con_id not in self._statistics]:
            for contract in unknown:
                with contextlib.suppress(BrokerError, UnknownInstrument):
                    await self.statistics(await self.instrument(contract))
            await self._rooms.clock.sleep(SCHEDULED_LOOK_S)

    async def _look_up(self, name: str) -> FutureContract:
        broker = self._rooms.broker
        try:
            listed = await broker.contracts(name)
        except UnknownInstrument:
            return await broker.contract(name)
        self._listed.update({month.local_symbol: month for month in listed})
        surveyed = self._survey(listed)
        near = months.candidates(surveyed)
        volumes = {month.contract.con_id: (await self.statistics(month.contract)).adv_lots for month in near}
        choice = months.choose(name, surveyed, adv_lots=volumes)
        if choice is None:
            told = "; ".join(f"{month.name}: {month.obstacle}" for month in surveyed)
            raise UnknownInstrument(f"{name}: no listed month may be entered ({told}); name a month")
        self._choices[name] = choice
        return choice.chosen.contract

    def _survey(self, listed: Sequence[FutureContract]) -> tuple[months.Month, ...]:
        """Look at months as the gate would now."""
        facts, limits = self._rooms.manager.snapshots.facts, self._rooms.gate.limits
        return months.survey(listed, facts=facts, limits=limits, now_ns=self.now_ns())

    def close_out(self, contract: FutureContract) -> CloseOut:
        """Where a contract stands in its close-out window now, as the gate counts it."""
        return self._survey([contract])[0].window

    def why(self, symbol: str) -> str:
        """Say why a bare symbol means the month that it means: volumes, days that are left, months passed over.

        Raises
        ------
        UnknownInstrument
            The symbol was not looked up on this desk, or names one month only.
        """
        name = str(symbol).strip().upper()
        choice = self._choices.get(name)
        if choice is None:
            raise self._without_a_choice(symbol, name=name)
        return choice.why(self._month_now(choice))

    def _without_a_choice(self, symbol: str, *, name: str) -> UnknownInstrument:
        """The error for a name for which no month was chosen: it names one itself, or was not looked up."""
        known = self._contracts.get(name) or self._listed.get(name)
        today = dt.datetime.fromtimestamp(self.now_ns() // NS_PER_S, tz=dt.UTC).date()
        of = known or read_local_symbol(name, today=today)
        if of is None:
            return UnknownInstrument(
                f"{symbol!r} was not looked up by its symbol: await desk.instrument({name!r}) first"
            )
        first = "" if of.symbol in self._choices else f", after await desk.instrument({of.symbol!r})"
        return UnknownInstrument(f"{symbol!r} names one month; desk.why({of.symbol!r}) tells of the symbol{first}")

    def _notices_of_month(self, what: Any) -> tuple[str, ...]:
        """What a plan says of the month that was chosen, in one line; nothing where the caller named one."""
        choice = self._choices.get(what.strip().upper()) if isinstance(what, str) else None
        return () if choice is None else (choice.in_short(self._month_now(choice)),)

    def _month_now(self, choice: months.Choice) -> months.Month:
        """The chosen month with the days that are left now."""
        return self._survey([choice.chosen.contract])[0]

    async def statistics(self, contract: FutureContract) -> MarketStatistics:
        """Volume and volatility of a contract, which the broker is asked for once a day; else those last told.

        Raises
        ------
        BrokerError
            The broker does not tell, and has not told before.
        """
        try:
            told = await self._rooms.broker.statistics(contract)
        except BrokerError:
            if contract.con_id not in self._statistics:
                raise
            return self._statistics[contract.con_id]
        self._statistics[contract.con_id] = told
        self._rooms.manager.snapshots.learn(told)
        return told

    def latest_quote(self, contract: FutureContract) -> Quote | None:
        """The last quote of a contract that is watched; None before the first."""
        return self._rooms.broker.quote(contract.con_id)

    async def _first_quote(self, contract: FutureContract) -> Quote | None:
        """The quote of now; a contract just watched is given a few seconds to show one."""
        deadline_ns = self.now_ns() + round(FIRST_QUOTE_WAIT_S * 1e9)
        while True:
            quote = self.latest_quote(contract)
            if (quote is not None and quote.has_both_sides) or self.now_ns() >= deadline_ns:
                return quote
            if not contract.is_open(self.now_ns()):
                return quote
            await self._rooms.clock.sleep(0.05)

    def _days_to_close_out(self) -> Mapping[int, int]:
        """Days until first notice or last trade of all contracts that are known, by contract id."""
        ledger = self._rooms.manager.ledger
        found = map(self._held.contract, {*ledger.positions, *ledger.contracts})
        return {contract.con_id: self.close_out(contract).days for contract in found if contract is not None}

    def _quotes_now(self) -> Mapping[int, Quote]:
        quotes = (self.latest_quote(contract) for contract in self._contracts.values())
        return {quote.con_id: quote for quote in quotes if quote is not None}
