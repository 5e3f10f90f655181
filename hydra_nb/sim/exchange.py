"""The exchange core: one account, many clients, every contract a market of its own.

Sans-IO: it reads no clock and waits for nothing. Time comes with each call and never runs back: an
earlier instant counts as the latest one seen. Whatever is due before a call's time happens first,
and its events come first in what the call returns.

A contract's market starts when it is first watched or first traded. While its session is closed
orders are held (PreSubmitted) and enter the book at the open, after the flow's first quotes, in
the order in which they came.
"""

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from itertools import count, takewhile

from hydra_nb.sim.bars import bars_before, next_weekday, open_interest, unwatched_bar
from hydra_nb.sim.calendar import Calendar, Holidays
from hydra_nb.sim.clearing import Clearing
from hydra_nb.sim.instruments import Month, account_name, list_months, market_rules, read_instruments
from hydra_nb.sim.instruments import first_day as day_of_seed
from hydra_nb.sim.interventions import Interventions
from hydra_nb.sim.market import Market, thin_flow
from hydra_nb.sim.models.port import FlowModel
from hydra_nb.sim.orders import (
    ClientOrder,
    Refusal,
    expiry_ns,
    refuse_cancel,
    refuse_change,
    refuse_terms,
)
from hydra_nb.sim.records import (
    Commission,
    DailyBar,
    ExchangeEvent,
    Execution,
    Listing,
    OrderRejected,
    OrderStatus,
    OrderTerms,
    OrderView,
    Position,
    SimSide,
    Top,
    TopChanged,
)
from hydra_nb.sim.world import World

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
    first_day
        A weekday on which the market starts, in place of the Tuesday of the seed.
    holidays
        Trade dates on which nothing trades (None), or which end early, at a time of each exchange.
    world
        One month to be traded instead of all that the table lists, with the account and the instant to begin with; the
        seed then decides the order flow alone.
    flow
        Makes the order flow of a month as its market starts; by default the thin market's own, or that of `world`.

    Attributes
    ----------
    seed : int
        As given.
    account : str
        The one account, ``SIM`` and seven letters or digits.
    start_ns : int
        The first instant, 09:00 in Chicago on the first day; UTC nanoseconds. All markets are open then.
    listings : tuple of Listing
        The next months of all instruments.
    interventions : Interventions
        The way in for faults of the venue.
    """

    def __init__(
        self,
        *,
        seed: int,
        first_day: dt.date | None = None,
        holidays: Holidays | None = None,
        flow: Callable[[Month], FlowModel] | None = None,
        world: World | None = None,
    ) -> None:
        self.seed = seed
        if world is None:
            self.account = account_name(seed)
            self._first_day = day_of_seed(seed) if first_day is None else first_day
            home = Calendar("00:00-23:59", time_zone=_HOME_ZONE, last_trade_date=self._first_day)
            self.start_ns = home.instant_ns(self._first_day, _START)
            months = list_months(seed, today=self._first_day, holidays=holidays)
            self._rules = market_rules(read_instruments())
        else:
            self.account, self.start_ns = world.account, world.start_ns
            self._first_day = world.month.calendar.local_date(world.start_ns)
            months = (world.month,)
            self._rules = {world.month.listing.market_rule_id: world.month.listing.told_tick}
        own = partial(thin_flow, seed=seed) if world is None else partial(world.flow, seed=seed)
        self._flow = own if flow is None else flow
        self._months = {month.listing.con_id: month for month in months}
        self.listings = tuple(month.listing for month in months)
        self._markets: dict[int, Market] = {}
        self._clearing = Clearing(seed=seed, account=self.account, mark=self._mark)
        self.interventions = Interventions(self._clearing, markets=self._markets)
        self._queue: list[tuple[int, int, _Due, int]] = []
        self._sequence = count()
        self._now_ns = self.start_ns
        self._until_ns: float = self.start_ns  # to where time is being advanced

    def hold(self, con_id: int, *, lots: int, average_cost: Decimal | None) -> None:
        """Let the account hold signed lots of a contract from before the first order of it.

        Parameters
        ----------
        average_cost
            As the wire counts it; None takes the price at which the contract is valued now.

        Raises
        ------
        KeyError
            When the contract is unknown.
        """
        self._clearing.books.hold(self._months[con_id], lots=lots, average_cost=average_cost)

    def listing(self, con_id: int) -> Listing | None:
        """Give a listed month by its contract id, None when there is none."""
        month = self._months.get(con_id)
        return None if month is None else month.listing

    def advance(self, now_ns: int) -> list[ExchangeEvent]:
        """Let all happen that is due up to and including an instant; events in order of time."""
        events: list[ExchangeEvent] = []
        queue, self._until_ns = self._queue, now_ns
        while queue and queue[0][0] <= now_ns:
            time_ns, _, due, subject = heappop(queue)
            self._now_ns = max(self._now_ns, time_ns)
            due(subject, time_ns, events)
        self._now_ns = max(self._now_ns, now_ns)
        return events

    def advance_to_news(self, until_ns: int | None) -> tuple[int, list[ExchangeEvent]]:
        """Let all happen that is due up to and including the first instant that there is something to tell of.

        Parameters
        ----------
        until_ns
            The latest instant that it may be; None goes on for as long as anything is due.

        Returns
        -------
        tuple of int and list of ExchangeEvent
            The last instant at which anything happened, and its events; none where there was nothing to tell.
        """
        events: list[ExchangeEvent] = []
        queue, self._until_ns = self._queue, math.inf if until_ns is None else until_ns
        while queue and queue[0][0] <= self._until_ns:
            time_ns, _, due, subject = heappop(queue)
            self._now_ns = max(self._now_ns, time_ns)
            due(subject, time_ns, events)
            if events and not (queue and queue[0][0] <= self._now_ns):
                break
        return self._now_ns, events

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
        order = self._clearing.find(terms.client_id, order_id=terms.order_id)
        refusal = None if order is None else refuse_change(order, terms)
        refusal = refusal or refuse_terms(terms, account=self.account, month=month, now_ns=now_ns)
        if refusal is not None or month is None:
            return [*events, *_rejection(refusal, terms.client_id, terms.order_id, now_ns)]
        market = self._activate(terms.con_id, events)
        expires_ns = expiry_ns(terms, month=month, now_ns=now_ns)
        if order is None:
            order = self._clearing.accept(terms, market=market, expires_ns=expires_ns, now_ns=now_ns, events=events)
            self._schedule(expires_ns, self._expire, order.perm_id)
        else:
            moved = expires_ns != order.expires_ns
            self._clearing.modify(
                order, terms=terms, market=market, expires_ns=expires_ns, now_ns=now_ns, events=events
            )
            # A modify at fault leaves a second order under the same id, which expires for itself.
            latest = self._clearing.find(terms.client_id, order_id=terms.order_id) or order
            if moved or latest is not order:
                self._schedule(expires_ns, self._expire, latest.perm_id)
        self._show_top(market, now_ns, events)
        return events

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> list[ExchangeEvent]:
        """Cancel one order: ``OrderChanged``, or ``OrderRejected`` 10147 (unknown) or 10148 (done)."""
        events = self.advance(now_ns)
        order = self._clearing.find(client_id, order_id=order_id)
        refusal = refuse_cancel(order, order_id=order_id)
        if order is None or refusal is not None:
            return [*events, *_rejection(refusal, client_id, order_id, self._now_ns)]
        self._cancel(order, self._now_ns, events)
        return events

    def cancel_all(self, now_ns: int) -> list[ExchangeEvent]:
        """Cancel the live orders of all clients, oldest first."""
        events = self.advance(now_ns)
        for order in self._clearing.live():
            self._cancel(order, self._now_ns, events)
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
        return [order.view() for order in self._clearing.live()]

    def completed_orders(self) -> list[OrderView]:
        """Give filled and cancelled orders in the order in which they ended."""
        return [order.view() for order in self._clearing.done]

    def orders_since(self, time_ns: int) -> list[OrderView]:
        """Give the orders that are live or ended at an instant or later, in the order in which they were accepted."""
        ended = takewhile(lambda order: (order.completed_ns or 0) >= time_ns, reversed(self._clearing.done))
        found = [*self._clearing.live(), *ended]
        return [order.view() for order in sorted(found, key=lambda order: order.perm_id)]

    def order(self, client_id: int, order_id: int) -> OrderView | None:
        """Give an accepted order, live or done, None when there was none."""
        order = self._clearing.find(client_id, order_id=order_id)
        return None if order is None else order.view()

    def executions(self) -> list[tuple[Execution, Commission]]:
        """Give all fills of clients with their commissions, in order, each revision of a fill a row of its own."""
        return self._clearing.books.fills()

    def true_fills(self) -> list[Execution]:
        """Give the latest revision of each fill, in order of the fills; those that were busted are left out."""
        return self._clearing.books.true_fills()

    def positions(self) -> list[Position]:
        """Give the contracts that are held."""
        return self._clearing.books.positions()

    def account_values(self) -> dict[str, Decimal]:
        """Give the account's values in USD by the wire's tag."""
        return self._clearing.books.values()

    def market_price(self, con_id: int) -> Decimal | None:
        """Give the price at which a position is valued; None for an unknown contract."""
        return self._mark(con_id) if con_id in self._months else None

    def daily_bars(self, con_id: int, days: int, now_ns: int) -> list[DailyBar]:
        """Give the last bars of the weekdays before today at the exchange, oldest first; empty if unknown."""
        month = self._months.get(con_id)
        if month is None or days < 1:
            return []
        market = self._markets.get(con_id)
        watched = {} if market is None else market.bars
        bars = bars_before(month, seed=self.seed, first_day=self._first_day, days=days)
        today = min(month.calendar.local_date(now_ns), month.listing.last_trade_date + dt.timedelta(days=1))
        day = self._first_day
        while day < today:
            if month.calendar.sessions(day):
                bar = watched.get(day)
                bars.append(bar or unwatched_bar(month, seed=self.seed, day=day, price=bars[-1].close))
            day = next_weekday(day)
        return bars[-days:]

    def open_interest(self, con_id: int, now_ns: int) -> int | None:
        """Give the lots open on the evening before today at the exchange; None for an unknown contract."""
        month = self._months.get(con_id)
        if month is None:
            return None
        return open_interest(month, seed=self.seed, day=month.calendar.local_date(now_ns))

    def market_rule(self, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        """Give (low edge, increment) of a rule, both in the currency; one row from zero, empty if unknown."""
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
        return self._clearing.books.margin_change(self._months[terms.con_id], signed_lots=signed)

    def _mark(self, con_id: int) -> Decimal:
        market = self._markets.get(con_id)
        month = self._months[con_id]
        return month.settlement_ticks * month.listing.min_tick if market is None else market.mark()

    def _schedule(self, time_ns: int, due: _Due, subject: int) -> None:
        heappush(self._queue, (time_ns, next(self._sequence), due, subject))

    def _activate(self, con_id: int, events: list[ExchangeEvent]) -> Market:
        market = self._markets.get(con_id)
        if market is None:
            month = self._months[con_id]
            market = self._markets[con_id] = Market(month, seed=self.seed, flow=self._flow(month))
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
        self._schedule(session.close_ns, self._close, con_id)
        market.open(session, now_ns=now_ns)
        if market.trades:
            self._clearing.release(market, now_ns=now_ns, events=events)
        self._show_top(market, now_ns, events)
        self._schedule_act(market, con_id, now_ns)

    def _close(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._markets[con_id]
        market.close()
        self._clearing.hold(market, now_ns=now_ns, events=events)
        self._show_top(market, now_ns, events)
        self._await_session(con_id, now_ns, events)

    def _act(self, con_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Let the flow act, and act again for as long as nothing else comes before it, and nothing is to be told."""
        market, queue = self._markets[con_id], self._queue
        while True:
            for entry in market.act(now_ns=now_ns):
                if entry.matches:
                    self._clearing.settle(entry, market=market, now_ns=now_ns, events=events)
            self._show_top(market, now_ns, events)
            next_ns = market.next_act_ns(now_ns)
            if next_ns is None:
                return
            if events or next_ns > self._until_ns or (queue and queue[0][0] <= next_ns):
                self._schedule(next_ns, self._act, con_id)
                return
            now_ns = self._now_ns = next_ns

    def _schedule_act(self, market: Market, con_id: int, now_ns: int) -> None:
        next_ns = market.next_act_ns(now_ns)
        if next_ns is not None:
            self._schedule(next_ns, self._act, con_id)

    def _expire(self, perm_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        order = self._clearing.find_live(perm_id)
        # A modify may have moved the expiry since this was scheduled.
        if order is not None and order.expires_ns == now_ns:
            self._cancel(order, now_ns, events)

    def _cancel(self, order: ClientOrder, now_ns: int, events: list[ExchangeEvent]) -> None:
        market = self._markets[order.terms.con_id]
        self._clearing.end(order, status=OrderStatus.CANCELLED, market=market, now_ns=now_ns, events=events)
        self._show_top(market, now_ns, events)

    def _show_top(self, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        if market.top_moved():
            events.append(TopChanged(top=market.top(), time_ns=now_ns))


def _rejection(refusal: Refusal | None, client_id: int, order_id: int, now_ns: int) -> list[ExchangeEvent]:
    if refusal is None:
        return []
    code, message = refusal
    return [OrderRejected(client_id=client_id, order_id=order_id, code=code, message=message, time_ns=now_ns)]
