"""The broker's side of the exchange: orders from acceptance to end, and what their fills do.

All clients trade for the one account. What an order does in a book becomes events here: prints,
executions with their commissions, and changes of orders, in the order in which they happened.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hydra_nb.sim.accounts import Account
from hydra_nb.sim.book import Entry, Match, Owner
from hydra_nb.sim.market import Market
from hydra_nb.sim.orders import ClientOrder, price_ticks
from hydra_nb.sim.records import (
    ExchangeEvent,
    Executed,
    Execution,
    OrderChanged,
    OrderStatus,
    OrderTerms,
    Traded,
)
from hydra_nb.sim.seeds import stream


class Clearing:
    """Orders and fills of all clients.

    Its methods append what happens to the ``events`` that they are given.

    Parameters
    ----------
    seed
        Decides permanent ids and execution ids.
    account
        The account that everything is booked to.
    mark
        Gives the price at which a contract is valued now, in the quoted unit.

    Attributes
    ----------
    books : Account
        Positions, cash and margin.
    done : list of ClientOrder
        Filled and cancelled orders in the order in which they ended.
    forks : set of (int, int)
        Client and order ids whose next modify enters as a second order; empty unless a fault wants it.
    holds : set of (int, int)
        Client and order ids whose order is held out of the book when it comes; empty unless a fault wants it.
    """

    def __init__(self, *, seed: int, account: str, mark: Callable[[int], Decimal]) -> None:
        self.books = Account(mark=mark)
        self.done: list[ClientOrder] = []
        self.forks: set[tuple[int, int]] = set()
        self.holds: set[tuple[int, int]] = set()
        self._forked: dict[tuple[int, int], ClientOrder] = {}
        self._account = account
        self._orders: dict[tuple[int, int], ClientOrder] = {}
        self._live: dict[int, ClientOrder] = {}
        self._arrivals = count()
        dice = stream(seed, "ids")
        self._perm_ids = count(dice.randrange(100_000_000, 2_000_000_000))
        self._exec_prefix = f"{dice.getrandbits(32):08x}.{dice.getrandbits(32):08x}"
        self._exec_numbers = count(1)

    def find(self, client_id: int, *, order_id: int) -> ClientOrder | None:
        """Give an accepted order by its client's key, live or done."""
        return self._orders.get((client_id, order_id))

    def find_live(self, perm_id: int) -> ClientOrder | None:
        """Give a live order by its permanent id."""
        return self._live.get(perm_id)

    def by_perm_id(self, perm_id: int) -> ClientOrder:
        """Give an order by its permanent id, live or done.

        Raises
        ------
        KeyError
            When there is none.
        """
        live = self._live.get(perm_id)
        if live is not None:
            return live
        for order in self.done:
            if order.perm_id == perm_id:
                return order
        raise KeyError(perm_id)

    def live(self) -> list[ClientOrder]:
        """Give the live orders, oldest first."""
        return list(self._live.values())

    def accept(
        self, terms: OrderTerms, *, market: Market, expires_ns: int, now_ns: int, events: list[ExchangeEvent]
    ) -> ClientOrder:
        """Take on a new order; it trades at once where it can, and is held while the market is closed."""
        tick = market.month.listing.min_tick
        key = terms.client_id, terms.order_id
        held = key in self.holds
        self.holds.discard(key)
        order = ClientOrder(
            terms=terms,
            perm_id=next(self._perm_ids),
            price_ticks=price_ticks(terms.limit_price, tick=tick),
            tick=tick,
            status=OrderStatus.SUBMITTED if market.trades and not held else OrderStatus.PRE_SUBMITTED,
            arrival=next(self._arrivals),
            expires_ns=expires_ns,
            submitted_ns=now_ns,
            held=held,
        )
        self._orders[key] = order
        self._live[order.perm_id] = order
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))
        if market.trades and not held:
            self._enter(order, market=market, now_ns=now_ns, events=events)
        return order

    def modify(
        self,
        order: ClientOrder,
        *,
        terms: OrderTerms,
        market: Market,
        expires_ns: int,
        now_ns: int,
        events: list[ExchangeEvent],
    ) -> None:
        """Give a live order new terms; it ends as filled where no lots are left."""
        ticks = price_ticks(terms.limit_price, tick=order.tick)
        key = terms.client_id, terms.order_id
        if key in self.forks and key not in self._forked and terms.lots > order.filled_lots:
            self.forks.discard(key)
            self._forked[key] = order
            self._fork(order, terms=terms, market=market, expires_ns=expires_ns, now_ns=now_ns, events=events)
            return
        order.change(terms, price_ticks=ticks, expires_ns=expires_ns, arrival=next(self._arrivals))
        if order.leaves == 0:
            self.end(order, status=OrderStatus.FILLED, market=market, now_ns=now_ns, events=events)
            return
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))
        if market.trades and not order.held:
            entry = market.book.amend(order.perm_id, price_ticks=ticks, lots=order.leaves)
            self.settle(entry, market=market, now_ns=now_ns, events=events)

    def end(
        self,
        order: ClientOrder,
        *,
        status: OrderStatus,
        market: Market,
        now_ns: int,
        events: list[ExchangeEvent],
    ) -> None:
        """Take an order out of the book and end it."""
        market.book.cancel(order.perm_id)
        order.finish(status, now_ns=now_ns)
        self._retire(order)
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def hold(self, market: Market, *, now_ns: int, events: list[ExchangeEvent]) -> None:
        """At a close: end the orders that are due, and hold the others until the next open."""
        for order in self._of(market):
            if order.expires_ns <= now_ns:
                self.end(order, status=OrderStatus.CANCELLED, market=market, now_ns=now_ns, events=events)
            else:
                market.book.cancel(order.perm_id)
                order.status = OrderStatus.PRE_SUBMITTED
                events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def release(self, market: Market, *, now_ns: int, events: list[ExchangeEvent]) -> None:
        """At an open: let the held orders into the book in the order in which they came."""
        for order in sorted(self._of(market), key=lambda order: order.arrival):
            self.let_in(order, market=market, now_ns=now_ns, events=events)

    def let_in(self, order: ClientOrder, *, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Let one held order into the book of a market that trades; where it does not, the order waits for the open."""
        order.held = False
        if market.trades:
            order.status = OrderStatus.SUBMITTED
            events.append(OrderChanged(order=order.view(), time_ns=now_ns))
            self._enter(order, market=market, now_ns=now_ns, events=events)

    def set_aside(self, order: ClientOrder, *, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Take one live order out of the book and call it Inactive, until it is let in again or the market opens."""
        market.book.cancel(order.perm_id)
        order.held, order.status = True, OrderStatus.INACTIVE
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def take_out(self, market: Market, *, told: bool, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Where a market stops: take its orders out of the book until the next open; ``told`` reports them held."""
        for order in self._of(market):
            market.book.cancel(order.perm_id)
            if told:
                order.status = OrderStatus.PRE_SUBMITTED
                events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def force(self, order: ClientOrder, *, lots: int, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Fill an order at its limit against nobody, beyond its size or after its end if need be."""
        ticks = order.price_ticks
        volume = market.print_trade(order.terms.side, price_ticks=ticks, lots=lots)
        price = market.price(ticks)
        events.append(Traded(con_id=order.terms.con_id, price=price, size=lots, volume=volume, time_ns=now_ns))
        self._fill(order, price_ticks=ticks, lots=lots, maker=True, market=market, now_ns=now_ns, events=events)
        if order.perm_id in market.book:
            if order.leaves > 0:
                market.book.amend(order.perm_id, price_ticks=ticks, lots=order.leaves)
            else:
                market.book.cancel(order.perm_id)

    def settle(self, entry: Entry, *, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Turn what an order did in the book into prints, fills and cancels."""
        con_id = market.month.listing.con_id
        market.heed(entry, now_ns=now_ns)
        for match in entry.matches:
            volume = market.print_trade(entry.side, price_ticks=match.price_ticks, lots=match.lots)
            price = market.price(match.price_ticks)
            events.append(Traded(con_id=con_id, price=price, size=match.lots, volume=volume, time_ns=now_ns))
            if entry.owner is Owner.CLIENT:
                self._match(entry.key, match=match, maker=False, market=market, now_ns=now_ns, events=events)
            if match.resting_owner is Owner.CLIENT:
                self._match(match.resting_key, match=match, maker=True, market=market, now_ns=now_ns, events=events)
        for perm_id in entry.displaced:
            order = self._live[perm_id]
            self.end(order, status=OrderStatus.CANCELLED, market=market, now_ns=now_ns, events=events)

    def _enter(self, order: ClientOrder, *, market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
        entry = market.book.enter(
            order.perm_id,
            owner=Owner.CLIENT,
            side=order.terms.side,
            price_ticks=order.price_ticks,
            lots=order.leaves,
        )
        self.settle(entry, market=market, now_ns=now_ns, events=events)

    def _fork(
        self,
        order: ClientOrder,
        *,
        terms: OrderTerms,
        market: Market,
        expires_ns: int,
        now_ns: int,
        events: list[ExchangeEvent],
    ) -> None:
        """Enter the modified order beside the first, which works on; both have the fills made so far."""
        twin = replace(
            order,
            terms=terms,
            perm_id=next(self._perm_ids),
            price_ticks=price_ticks(terms.limit_price, tick=order.tick),
            arrival=next(self._arrivals),
            expires_ns=expires_ns,
            submitted_ns=now_ns,
        )
        self._orders[terms.client_id, terms.order_id] = twin
        self._live[twin.perm_id] = twin
        events.append(OrderChanged(order=twin.view(), time_ns=now_ns))
        if market.trades and not twin.held:
            self._enter(twin, market=market, now_ns=now_ns, events=events)

    def _match(
        self,
        perm_id: int,
        *,
        match: Match,
        maker: bool,
        market: Market,
        now_ns: int,
        events: list[ExchangeEvent],
    ) -> None:
        self._fill(
            self._live[perm_id],
            price_ticks=match.price_ticks,
            lots=match.lots,
            maker=maker,
            market=market,
            now_ns=now_ns,
            events=events,
        )

    def _fill(
        self,
        order: ClientOrder,
        *,
        price_ticks: int,
        lots: int,
        maker: bool,
        market: Market,
        now_ns: int,
        events: list[ExchangeEvent],
    ) -> None:
        was_live = order.live
        order.fill(price_ticks=price_ticks, lots=lots, now_ns=now_ns)
        price = market.price(price_ticks)
        terms = order.terms
        execution = Execution(
            exec_id=f"{self._exec_prefix}.{next(self._exec_numbers):08x}.01",
            perm_id=order.perm_id,
            client_id=terms.client_id,
            order_id=terms.order_id,
            account=self._account,
            con_id=terms.con_id,
            side=terms.side,
            lots=lots,
            price=price,
            time_ns=now_ns,
            order_ref=terms.order_ref,
            cumulative_lots=order.filled_lots,
            average_price=order.filled_lot_ticks * order.tick / order.filled_lots,
            maker=maker,
        )
        commission = self.books.book(execution, month=market.month)
        if was_live and not order.live:
            self._retire(order)
        events.append(Executed(execution=execution, commission=commission, time_ns=now_ns))
        events.append(OrderChanged(order=order.view(), time_ns=now_ns))

    def _retire(self, order: ClientOrder) -> None:
        del self._live[order.perm_id]
        self.done.append(order)
        key = order.terms.client_id, order.terms.order_id
        first = self._forked.pop(key, None)
        # Of two live orders of one id the later is the one that requests reach; when it ends, the first is.
        if first is not None and first.live and first is not order:
            self._orders[key] = first

    def _of(self, market: Market) -> list[ClientOrder]:
        con_id = market.month.listing.con_id
        return [order for order in self._live.values() if order.terms.con_id == con_id]
