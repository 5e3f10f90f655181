"""Finding listed months and what their daily bars tell."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from hydra_nb.broker.asking import Requests
from hydra_nb.broker.daily import DailyBar, market_statistics
from hydra_nb.broker.symbols import MonthName, read_local_symbol, unknown_instrument, unknown_month
from hydra_nb.broker.wire_values import quoted
from hydra_nb.clock import Clock
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder, RequestRefused, UnknownInstrument

HISTORY_REPLY_S = 30.0
"""Host seconds that the broker may take for daily bars."""

_NO_SUCH_CONTRACT = 200
ALGO_VENUES = frozenset({"QBALGO"})
"""Venues under which the broker lists futures for its algorithms (seen in `validExchanges` of CBOT, CME and NYMEX)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractQuery:
    """What a listed month is looked up by; empty or 0 means any."""

    con_id: int = 0
    symbol: str = ""
    local_symbol: str = ""
    contract_month: str = ""
    exchange: str = ""
    currency: str = ""
    multiplier: str = ""
    trading_class: str = ""

    @property
    def name(self) -> str:
        """The query in a word."""
        return self.local_symbol or f"{self.symbol} {self.contract_month}".strip() or str(self.con_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMonth:
    """A month with its least tick, and the market rule that may make the tick wider."""

    contract: FutureContract
    market_rule: int | None


class InstrumentWire(Protocol):
    """The requests that finding instruments needs."""

    async def details(self, query: ContractQuery) -> tuple[ListedMonth, ...]:
        """Months that fit a query."""
        ...

    async def rule_tick(self, rule: int) -> Decimal | None:
        """Tick of a market rule, None where the broker does not tell it."""
        ...

    async def daily_bars(self, contract: FutureContract) -> tuple[DailyBar, ...]:
        """Daily bars of the last 30 days."""
        ...


class Instruments:
    """Looks up months and their statistics.

    Parameters
    ----------
    wire
        Sends the requests.
    requests
        Paces and serialises them.
    clock
        Market time: it decides which trade date is not complete.
    learn
        Told every month that is found.
    """

    def __init__(
        self, wire: InstrumentWire, *, requests: Requests, clock: Clock, learn: Callable[[FutureContract], None]
    ) -> None:
        self._learn = learn
        self._wire = wire
        self._requests = requests
        self._clock = clock
        self._rule_ticks: dict[int, Decimal | None] = {}
        self._statistics: dict[tuple[int, dt.date], MarketStatistics] = {}
        self._symbols: set[str] = set()
        self._unlisted: set[str] = set()

    async def look_up(self, query: ContractQuery) -> tuple[FutureContract, ...]:
        """All months that fit, nearest last trade date first.

        Raises
        ------
        UnknownInstrument
            There is none.
        """
        if found := await self._listed(query):
            return found
        raise unknown_instrument(query.name, known=self._symbols, unlisted=self._unlisted)

    async def find(self, key: object) -> FutureContract:
        """One month by contract id, local symbol, query, or itself; see `BrokerGateway.contract`."""
        if isinstance(key, FutureContract):
            self._learn(key)
            return key
        if isinstance(key, ContractQuery):
            return await self.the_one(key)
        if isinstance(key, int) and not isinstance(key, bool):
            return await self.the_one(ContractQuery(con_id=key))
        if isinstance(key, str):
            return await self.named(key.strip().upper())
        raise InvalidOrder(f"an instrument is a symbol, a contract id or a Contract, not {key!r}")

    async def the_one(self, query: ContractQuery) -> FutureContract:
        """The single month that fits.

        Raises
        ------
        UnknownInstrument
            There is none, or more than one.
        """
        return _only(await self.look_up(query), query=query)

    async def named(self, name: str) -> FutureContract:
        """The month of a local symbol, as the exchange writes it or as ``ZOH7``."""
        query = ContractQuery(local_symbol=name)
        month = read_local_symbol(name, today=self._today("UTC"))
        if month is None:
            return await self.the_one(query)
        if found := await self._listed(query):
            return _only(found, query=query)
        # Some exchanges write their local symbols in another way, such as "ZO   MAR 27".
        query = ContractQuery(symbol=month.symbol, contract_month=month.contract_month)
        if found := await self._listed(query):
            return _only(found, query=query)
        raise await self._no_such_month(name, month)

    async def statistics(self, contract: FutureContract, *, source: str) -> MarketStatistics:
        """Average daily volume and daily volatility, asked for once an exchange day; None where not computable."""
        today = self._today(contract.time_zone)
        known = self._statistics.get((contract.con_id, today))
        if known is not None:
            return known
        try:
            bars = await self._requests.ask(
                "daily bars", lambda: self._wire.daily_bars(contract), timeout_s=HISTORY_REPLY_S
            )
        except RequestRefused:
            bars = ()  # no permission, or no bars: unknown, and asked for again next time
        told = market_statistics(bars, con_id=contract.con_id, today=today, source=source)
        if bars:
            self._statistics[contract.con_id, today] = told
        return told

    async def _listed(self, query: ContractQuery) -> tuple[FutureContract, ...]:
        """All months that fit, nearest last trade date first; empty where there are none."""
        try:
            listed = await self._requests.ask("contract details", lambda: self._wire.details(query))
        except RequestRefused as refusal:
            if refusal.code != _NO_SUCH_CONTRACT:
                raise
            listed = ()
        found = [await self._with_rule(month) for month in _by_one_venue(listed)]
        for contract in found:
            self._learn(contract)
            self._symbols.add(contract.symbol)
            self._unlisted.discard(contract.symbol)
        if not found and query == ContractQuery(symbol=query.symbol):
            self._unlisted.add(query.symbol)
        return tuple(sorted(found, key=lambda contract: (contract.last_trade_date, contract.con_id)))

    async def _no_such_month(self, name: str, month: MonthName) -> UnknownInstrument:
        """Tell a month that is not listed from a symbol that is not."""
        if month.symbol not in self._symbols:
            await self._listed(ContractQuery(symbol=month.symbol))
        return unknown_month(
            name, read_as=month, today=self._today("UTC"), known=self._symbols, unlisted=self._unlisted
        )

    async def _with_rule(self, month: ListedMonth) -> FutureContract:
        rule = month.market_rule
        if rule is None:
            return month.contract
        if rule not in self._rule_ticks:
            self._rule_ticks[rule] = await self._requests.ask(f"market rule {rule}", lambda: self._wire.rule_tick(rule))
        told = self._rule_ticks[rule]
        return month.contract if told is None else replace(month.contract, tick=_quoted(told, contract=month.contract))

    def _today(self, zone: str) -> dt.date:
        return dt.datetime.fromtimestamp(self._clock.now_ns() // NS_PER_S, tz=ZoneInfo(zone)).date()


def _only(found: tuple[FutureContract, ...], *, query: ContractQuery) -> FutureContract:
    """The month that was found; refused where there are more, as nobody guesses which was meant."""
    if len(found) > 1:
        raise UnknownInstrument(f"{query.name} names {len(found)} futures; name one of {_names(found)}")
    return found[0]


def _by_one_venue(listed: Iterable[ListedMonth]) -> Iterable[ListedMonth]:
    """Each contract id once: a month may be told for its exchange, and again for a venue that only algorithms reach."""
    venues: dict[int, ListedMonth] = {}
    for month in listed:
        known = venues.get(month.contract.con_id)
        if known is None or known.contract.exchange in ALGO_VENUES:
            venues[month.contract.con_id] = month
    return venues.values()


def _quoted(told: Decimal, *, contract: FutureContract) -> Decimal:
    """The increment of a market rule in the quoted unit.

    It is told in the currency, as the tick of contract details is. One that is told in the quoted unit is not below the
    contract's tick, which no increment in the currency comes near.
    """
    return told if told >= contract.tick else quoted(told, magnifier=contract.price_magnifier)


def _names(contracts: Iterable[FutureContract]) -> str:
    return ", ".join(contract.local_symbol for contract in contracts)
