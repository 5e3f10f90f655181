"""The exchange core: one account, many clients, every contract a market of its own.

Sans-IO: it reads no clock and waits for nothing. Time comes with each call and never runs back: an
earlier instant counts as the latest one seen. Whatever is due before a call's time happens first,
and its events come first in what the call returns.

A contract's market starts when it is first watched or first traded. While its session is closed
orders are held (PreSubmitted) and enter the book at the open, after the flow's first quotes, in
the order in which they came.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count

from hydra_nb.sim.accounts import Account
from hydra_nb.sim.bars import bars_before, next_weekday
from hydra_nb.sim.book import Entry, Match, Owner
from hydra_nb.sim.calendar import Calendar
from hydra_nb.sim.instruments import account_name, first_day, list_months, market_rules, read_instruments
from hydra_nb.sim.market import Market
from hydra_nb.sim.orders import (
    ClientOrder,
    Refusal,
    expiry_ns,
    price_ticks,
    refuse_cancel,
    refuse_change,
    refuse_terms,
)
from hydra_nb.sim.records import (
    Commission,
    DailyBar,
    ExchangeEvent,
    Executed,
    Execution,
    Listing,
    OrderChanged,
    OrderRejected,
    OrderStatus,
    OrderTerms,
    OrderView,
    Position,
    SimSide,
    Top,
    TopChanged,
    Traded,
)
from hydra_nb.sim.seeds import stream

_HOME_ZONE = "America/Chicago"
_START = dt.time(9)

_Due = Callable[[int, int, list[ExchangeEvent]], None]
"""What to do when its time has come: (contract or perm id, time, events to append to)."""


class Exchange:
    """A thin futures market with its broker's books.

    Parameters
    ----------
    seed
        Decides everything: account, ids, first day, listed months, price levels and order flow. The
        same seed and the same calls give the same events.

    Attributes
    ----------
    seed : int
        As given.
    account : str
        The one account, ``SIM`` and seven letters or digits.
    start_ns : int
        The first instant, a Tuesday at 09:00 in Chicago; UTC nanoseconds. All markets are open then.
    listings : tuple of Listing
        The next months of all instruments.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed
        self.account = account_name(seed)
        self._first_day = first_day(seed)
        home = Calendar("00:00-23:59", time_zone=_HOME_ZONE, last_trade_date=self._first_day)
        self.start_ns = home.instant_ns(self._first_day, _START)
        self._months = {month.listing.con_id: month for month in list_months(seed, today=self._first_day)}
        self.listings = tuple(month.listing for month in self._months.values())
        self._rules = market_rules(read_instruments())
        self._markets: dict[int, Market] = {}
        self._orders: dict[tuple[int, int], ClientOrder] = {}
        self._live: dict[int, ClientOrder] = {}
        self._done: list[ClientOrder] = []
        self._account = Account(mark=self._mark)
        self._queue: list[tuple[int, int, _Due, int]] = []
        self._sequence = count()
        self._arrivals = count()
        dice = stream(seed, "ids")
        self._perm_ids = count(dice.randrange(100_000_000, 2_000_000_000))
        self._exec_prefix = f"{dice.getrandbits(32):08x}.{dice.getrandbits(32):08x}"
        self._exec_numbers = count(1)
        self._now_ns = self.start_ns

    def listing(self, con_id: int) -> Listing | None:
        """Give a listed month by its contract id, None when there is none."""
        month = self._months.get(con_id)
        return None if month is None else month.listing

    def advance(self, now_ns: int) -> list[ExchangeEvent]:
        """Let all happen that is due up to and including an instant; events in order of time."""
        events: list[ExchangeEvent] = []
        queue = self._queue
        while queue and queue[0][0] <= now_ns:
            time_ns, _, due, subject = heappop(queue)
            self._now_ns = max(self._now_ns, time_ns)
            due(subject, time_ns, events)
        self._now_ns = max(self._now_ns, now_ns)
        return events

    def next_event_ns(self) -> int | None:
        """Give the time at which ``advance`` next has something to do, None when nothing is due ever."""
        return self._queue[0][0] if self._queue else None

    def submit(self, terms: OrderTerms, now_ns: int) -> list[ExchangeEvent]:
        """Accept a new order, or modify the live one that has the same client and order id.

        Returns
        -------
        list of ExchangeEvent
            ``OrderChanged`` and whatever trades at once, or one ``OrderRejected``; a refused modify
            leaves the order as it was. A modify loses its place unless only its size falls. One that
            brings the total down to what is filled ends the order as filled.
        """
        events = self.advance(now_ns)
        now_ns = self._now_ns
        month = self._months.get(terms.con_id)
        order = self._orders.get((terms.client_id, terms.order_id))
        refusal = None if order is None else refuse_change(order, terms)
        refusal = refusal or refuse_terms(terms, account=self.account, month=month, now_ns=now_ns)
        if refusal is not None or month is None:
            return [*events, *_rejection(refusal, terms.client_id, terms.order_id, now_ns)]
        ticks = price_ticks(terms.limit_price, tick=month.listing.min_tick)
        if ticks is None:
            raise AssertionError(f"limit price {terms.limit_price} was accepted off the tick")
        calendar = month.calendar
        end_ns = calendar.day_end_ns(month.listing.last_trade_date)
        expires_ns = expiry_ns(terms, calendar=calendar, last_session_end_ns=end_ns, now_ns=now_ns)
        if order is None:
            self._accept(terms, ticks=ticks, expires_ns=expires_ns, events=events)
        else:
            self._modify(order, terms, ticks=ticks, expires_ns=expires_ns, events=events)
        return events

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> list[ExchangeEvent]:
        """Cancel one order: ``OrderChanged``, or ``OrderRejected`` 10147 (unknown) or 10148 (done)."""
        events = self.advance(now_ns)
        order = self._orders.get((client_id, order_id))
        refusal = refuse_cancel(order, order_id)
        if order is None or refusal is not None:
            return [*events, *_rejection(refusal, client_id, order_id, self._now_ns)]
        self._end(order, OrderStatus.CANCELLED, self._now_ns, events)
        self._show_top(self._markets[order.terms.con_id], self._now_ns, events)
        return events

    def cancel_all(self, now_ns: int) -> list[ExchangeEvent]:
        """Cancel the live orders of all clients, oldest first."""
        events = self.advance(now_ns)
        for order in list(self._live.values()):
            self._end(order, OrderStatus.CANCELLED, self._now_ns, events)
            self._show_top(self._markets[order.terms.con_id], self._now_ns, events)
        return events

    def watch(self, con_id: int, now_ns: int) -> None:
        """Start a contract's market, so that its ``TopChanged`` and ``Traded`` are emitted from here on.

        Does nothing where it runs already, and nothing for an unknown contract. The first quotes are
        not an event of ``watch``: ask ``top``.
        """
        self._now_ns = max(self._now_ns, now_ns)
        if con_id in self._months:
            self._activate(con_id, [])

    def top(self, con_id: int) -> Top | None:
        """Give the touch of a started market, None for others; both sides None while it is closed."""
        market = self._markets.get(con_id)
        return None if market is None else market.top()

    def trading_hours(self, con_id: int, now_ns: int, days: int = 7) -> str:
        """Write a contract's sessions of the coming days in exchange time, as the wire does.

        Raises
        ------
        KeyError
            When the contract is unknown.
        """
        return self._months[con_id].calendar.hours_text(now_ns, days=days)

    def is_open(self, con_id: int, now_ns: int) -> bool:
        """Tell whether a contract trades at an instant; False for an unknown one."""
        month = self._months.get(con_id)
        return month is not None and month.calendar.is_open(now_ns)

    def open_orders(self) -> list[OrderView]:
        """Give the live orders of all clients, oldest first."""
        return [order.view() for order in self._live.values()]

    def completed_orders(self) -> list[OrderView]:
        """Give filled and cancelled orders in the order in which they ended."""
        return [order.view() for order in self._done]

    def order(self, client_id: int, order_id: int) -> OrderView | None:
        """Give an accepted order, live or done, None when there was none."""
        order = self._orders.get((client_id, order_id))
        return None if order is None else order.view()

    def executions(self) -> list[tuple[Execution, Commission]]:
        """Give all fills of clients with their commissions, in order."""
        return self._account.fills()

    def positions(self) -> list[Position]:
        """Give the contracts that are held."""
        return self._account.positions()

    def account_values(self) -> dict[str, Decimal]:
        """Give the account's values in USD by the wire's tag."""
        return self._account.values()

    def market_price(self, con_id: int) -> Decimal | None:
        """Give the price at which a position is valued; None for an unknown contract."""
        return self._mark(con_id) if con_id in self._months else None

    def daily_bars(self, con_id: int, days: int, now_ns: int) -> list[DailyBar]:
        """Give the last bars of the weekdays before today at the exchange, oldest first; empty if unknown."""
        month = self._months.get(con_id)
        if month is None or days < 1:
            return []
        market = self._markets.get(con_id) or Market(month, seed=self.seed)
        bars = bars_before(month, seed=self.seed, first_day=self._first_day, days=days)
        today = min(month.calendar.local_date(now_ns), month.listing.last_trade_date + dt.timedelta(days=1))
        day = self._first_day
        while day < today:
            bars.append(market.bar(day, close=bars[-1].close))
            day = next_weekday(day)
        return bars[-days:]

    def market_rule(self, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """Give (low edge, increment) of a rule, both in the quoted unit; one row from zero, empty if unknown."""
        tick = self._rules.get(rule_id)
        return () if tick is None else ((Decimal(0), tick),)

    def would_margin(self, terms: OrderTerms) -> tuple[Decimal, Decimal]:
        """Give the change of initial and maintenance margin in USD if the order were filled.

        Raises
        ------
        KeyError
            When the contract is unknown.
        """
        signed = terms.lots if terms.side is SimSide.BUY else -terms.lots
        return self._account.margin_change(self._months[terms.con_id], signed_lots=signed)

    def _mark(self, con_id: int) -> Decimal:
        market = self._markets.get(con_id)
        month = self._months[con_id]
        return month.settlement_ticks * month.listing.min_tick if market is None else market.mark()

    def _schedule(self, time_ns: int, due: _Due, subject: int) -> None:
        heappush(self._queue, (time_ns, next(self._sequence), due, subject))

    def _activate(self, con_id: int, events: list[ExchangeEvent]) -> Market:
        market = self._markets.get(con_id)
        if market is None:
            market = self._markets[con_id] = Market(self._months[con_id], seed=self.seed)
            self._await_session(con_id, self._now_ns, events)
        return market

    def _await_session(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        session = self._months[con_id].calendar.session_after(now_ns)
        if session is None:
            return
        if session.open_ns <= now_ns:
            self._open(con_id, now_ns, events)
        else:
            self._schedule(session.open_ns, self._open, con_id)

    def _open(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._markets[con_id]
        session = market.month.calendar.session_after(now_ns)
        if session is None:
            return
        # The close is scheduled before any act, so that it comes first among what is due together.
        self._schedule(session.close_ns, self._close, con_id)
        for entry in market.open(session, now_ns=now_ns):
            self._settle(market, entry, now_ns, events)
        held = [order for order in self._live.values() if order.terms.con_id == con_id]
        for order in sorted(held, key=lambda order: order.arrival):
            order.status = OrderStatus.SUBMITTED
            events.append(OrderChanged(order=order.view(), time_ns=now_ns))
            self._enter(market, order, now_ns, events)
        self._show_top(market, now_ns, events)
        self._schedule_act(market, con_id, now_ns)

    def _close(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._markets[con_id]
        market.close()
        for order in [order for order in self._live.values() if order.terms.con_id == con_id]:
            if order.expires_ns <= now_ns:
                self._end(order, OrderStatus.CANCELLED, now_ns, events)
            else:
                market.book.cancel(order.perm_id)
                order.status = OrderStatus.PRE_SUBMITTED
                events.append(OrderChanged(order=order.view(), time_ns=now_ns))
        self._show_top(market, now_ns, events)
        self._await_session(con_id, now_ns, events)

    def _act(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._markets[con_id]
        for entry in market.act(now_ns=now_ns):
            if entry.matches:
                self._settle(market, entry, now_ns, events)
        self._show_top(market, now_ns, events)
        self._schedule_act(market, con_id, now_ns)

    def _schedule_act(self, market: Market, con_id: int, now_ns: int) -> None:
        next_ns = market.next_act_ns(now_ns)
        if next_ns is not None:
            self._schedule(next_ns, self._act, con_id)

    def _expire(self, perm_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        order = self._live.get(perm_id)
        # A modify may have moved the expiry since this was scheduled.
        if order is not None and order.expires_ns == now_ns:
            self._end(order, OrderStatus.CANCELLED, now_ns, events)
            self._show_top(self._markets[order.terms.con_id], now_ns, events)

    def _accept(self, terms: OrderTerms, *, ticks: int, expires_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._activate(terms.con_id, events)
        now_ns = self._now_ns
        order = ClientOrder(
            terms=terms,
            perm_id=next(self._perm_ids),
            price_ticks=ticks,
            tick=market.month.listing.min_tick,
            status=OrderStatus.PRE_SUBMITTED if market.session is None else OrderStatus.SUBMITTED,
            arrival=next(self._arrivals),
            expires_ns=expires_ns,
            submitted_ns=now_ns,
        )
        self._orders[terms.client_id, terms.order_id] = order
        self._live[order.perm_id] = order
        self._schedule(expires_ns, self._expire, order.perm_id)
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))
        if market.session is not None:
            self._enter(market, order, now_ns, events)
            self._show_top(market, now_ns, events)

    def _modify(
        self, order: ClientOrder, terms: OrderTerms, *, ticks: int, expires_ns: int, events: list[ExchangeEvent]
    ) -> None:
        market, now_ns = self._markets[terms.con_id], self._now_ns
        if expires_ns != order.expires_ns:
            self._schedule(expires_ns, self._expire, order.perm_id)
        order.change(terms, price_ticks=ticks, expires_ns=expires_ns, arrival=next(self._arrivals))
        if order.leaves == 0:
            self._end(order, OrderStatus.FILLED, now_ns, events)
        else:
            events.append(OrderChanged(order=order.view(), time_ns=now_ns))
            if market.session is not None:
                entry = market.book.amend(order.perm_id, price_ticks=ticks, lots=order.leaves)
                self._settle(market, entry, now_ns, events)
        self._show_top(market, now_ns, events)

    def _enter(self, market: Market, order: ClientOrder, now_ns: int, events: list[ExchangeEvent]) -> None:
        entry = market.book.enter(
            order.perm_id,
            owner=Owner.CLIENT,
            side=order.terms.side,
            price_ticks=order.price_ticks,
            lots=order.leaves,
        )
        self._settle(market, entry, now_ns, events)

    def _end(self, order: ClientOrder, status: OrderStatus, now_ns: int, events: list[ExchangeEvent]) -> None:
        self._markets[order.terms.con_id].book.cancel(order.perm_id)
        order.finish(status, now_ns=now_ns)
        self._retire(order)
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def _retire(self, order: ClientOrder) -> None:
        del self._live[order.perm_id]
        self._done.append(order)

    def _settle(self, market: Market, entry: Entry, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Turn what an order did in the book into prints, fills and cancels."""
        con_id = market.month.listing.con_id
        for match in entry.matches:
            volume = market.print_trade(entry.side, price_ticks=match.price_ticks, lots=match.lots)
            price = market.price(match.price_ticks)
            events.append(Traded(con_id=con_id, price=price, size=match.lots, volume=volume, time_ns=now_ns))
            if entry.owner is Owner.CLIENT:
                self._fill(market, entry.key, match, now_ns, events, maker=False)
            if match.resting_owner is Owner.CLIENT:
                self._fill(market, match.resting_key, match, now_ns, events, maker=True)
        for perm_id in entry.displaced:
            self._end(self._live[perm_id], OrderStatus.CANCELLED, now_ns, events)

    def _fill(
        self, market: Market, perm_id: int, match: Match, now_ns: int, events: list[ExchangeEvent], *, maker: bool
    ) -> None:
        order = self._live[perm_id]
        order.fill(price_ticks=match.price_ticks, lots=match.lots, now_ns=now_ns)
        price = market.price(match.price_ticks)
        terms = order.terms
        execution = Execution(
            exec_id=f"{self._exec_prefix}.{next(self._exec_numbers):08x}.01",
            perm_id=perm_id,
            client_id=terms.client_id,
            order_id=terms.order_id,
            account=self.account,
            con_id=terms.con_id,
            side=terms.side,
            lots=match.lots,
            price=price,
            time_ns=now_ns,
            order_ref=terms.order_ref,
            cumulative_lots=order.filled_lots,
            average_price=order.average_price() or price,
            maker=maker,
        )
        commission = self._account.book(execution, month=market.month)
        if not order.live:
            self._retire(order)
        events.append(Executed(execution=execution, commission=commission, time_ns=now_ns))
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def _show_top(self, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        if market.top_moved():
            events.append(TopChanged(top=market.top(), time_ns=now_ns))


def _rejection(refusal: Refusal | None, client_id: int, order_id: int, now_ns: int) -> list[ExchangeEvent]:
    if refusal is None:
        return []
    code, message = refusal
    return [OrderRejected(client_id=client_id, order_id=order_id, code=code, message=message, time_ns=now_ns)]
