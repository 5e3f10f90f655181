"""What can go wrong at the venue and in its books: fills beyond an order, revised fills, halts and the like.

Faults change the truth here and nowhere else, so that the exchange's orders and executions stay the ground truth that
a checker reads. The caller has advanced the exchange to the time that it gives.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hydra_nb.sim.book import Owner
from hydra_nb.sim.clearing import Clearing
from hydra_nb.sim.market import Market
from hydra_nb.sim.records import ExchangeEvent, Executed, Execution, OrderStatus, SimSide, TopChanged


class Interventions:
    """A hand in one exchange's books and markets.

    Parameters
    ----------
    clearing
        The exchange's orders and fills.
    markets
        Its running markets by contract id.
    """

    def __init__(self, clearing: Clearing, *, markets: Mapping[int, Market]) -> None:
        self._clearing = clearing
        self._markets = markets

    def fill(self, perm_id: int, *, lots: int, now_ns: int) -> list[ExchangeEvent]:
        """Fill an order at its own limit price, whether it has so many lots left or not, live or done.

        A live order that has no lots left afterwards is filled. A cancelled one stays cancelled until it is full.

        Raises
        ------
        KeyError
            When there is no such order.
        """
        events: list[ExchangeEvent] = []
        order = self._clearing.by_perm_id(perm_id)
        market = self._markets[order.terms.con_id]
        self._clearing.force(order, lots=lots, market=market, now_ns=now_ns, events=events)
        _show_top(market, now_ns, events)
        return events

    def revise(self, exec_id: str, *, lots: int, price: Decimal, now_ns: int) -> list[ExchangeEvent]:
        """Publish the next revision of a fill: a correction, or with 0 lots a bust.

        Positions and cash follow; what the order counts as filled does not, as its lots did trade. The revision's own
        commission takes the place of the earlier one.

        Raises
        ------
        KeyError
            When there is no such fill.
        """
        fill = self._latest(exec_id)
        family, _, revision = fill.exec_id.rpartition(".")
        revised = replace(fill, exec_id=f"{family}.{int(revision) + 1:02d}", lots=lots, price=price)
        report = self._clearing.books.revise(revised, month=self._markets[fill.con_id].month)
        return [Executed(execution=revised, commission=report, time_ns=now_ns)]

    def fork_next_modify(self, client_id: int, *, order_id: int) -> None:
        """Let the order's next modify enter as a second order of the same id, while the first goes on working."""
        self._clearing.forks.add((client_id, order_id))

    def hold_next(self, client_id: int, *, order_id: int) -> None:
        """Let the order with this id be held out of the book when it comes, until `release` or the next open."""
        self._clearing.holds.add((client_id, order_id))

    def forget_marks(self) -> None:
        """Let modifies and new orders come as usual again."""
        self._clearing.forks.clear()
        self._clearing.holds.clear()

    def release(self, client_id: int, *, order_id: int, now_ns: int) -> list[ExchangeEvent]:
        """Let a held order into the book; nothing happens where there is none."""
        events: list[ExchangeEvent] = []
        self._clearing.holds.discard((client_id, order_id))
        order = self._clearing.find(client_id, order_id=order_id)
        if order is not None and order.live and order.held:
            market = self._markets[order.terms.con_id]
            self._clearing.let_in(order, market=market, now_ns=now_ns, events=events)
            _show_top(market, now_ns, events)
        return events

    def deactivate(self, perm_id: int, *, now_ns: int) -> list[ExchangeEvent]:
        """Call a live order Inactive and keep it out of the book, until `reactivate` or the next open."""
        events: list[ExchangeEvent] = []
        order = self._clearing.find_live(perm_id)
        if order is not None:
            market = self._markets[order.terms.con_id]
            self._clearing.set_aside(order, market=market, now_ns=now_ns, events=events)
            _show_top(market, now_ns, events)
        return events

    def reactivate(self, perm_id: int, *, now_ns: int) -> list[ExchangeEvent]:
        """Let an Inactive order work again; nothing happens where it is not Inactive any more."""
        events: list[ExchangeEvent] = []
        order = self._clearing.find_live(perm_id)
        if order is not None and order.status is OrderStatus.INACTIVE:
            market = self._markets[order.terms.con_id]
            self._clearing.let_in(order, market=market, now_ns=now_ns, events=events)
            _show_top(market, now_ns, events)
        return events

    def running(self) -> list[int]:
        """Contract ids of the markets in session and not stopped, in the order in which they were started."""
        return [con_id for con_id, market in self._markets.items() if market.trades]

    def stop(self, con_id: int, *, told: bool, now_ns: int) -> list[ExchangeEvent]:
        """Stop a market: quotes vanish, and client orders wait outside the book.

        Parameters
        ----------
        con_id
            A running market.
        told
            Whether the waiting orders are reported as held, as in a break between sessions; in a halt they are not.
        now_ns
            Now.
        """
        events: list[ExchangeEvent] = []
        market = self._markets[con_id]
        market.stop()
        self._clearing.take_out(market, told=told, now_ns=now_ns, events=events)
        _show_top(market, now_ns, events)
        return events

    def resume(self, con_id: int, *, now_ns: int) -> list[ExchangeEvent]:
        """Start a stopped market again, if its session lasts: new quotes first, then the orders that waited."""
        events: list[ExchangeEvent] = []
        market = self._markets[con_id]
        market.resume(now_ns=now_ns)
        if market.trades:
            self._clearing.release(market, now_ns=now_ns, events=events)
        _show_top(market, now_ns, events)
        return events

    def lock(self, con_id: int, *, absent: SimSide | None, now_ns: int) -> list[ExchangeEvent]:
        """Lock a market at its price limit: nobody but clients is on the absent side; None unlocks."""
        events: list[ExchangeEvent] = []
        market = self._markets[con_id]
        market.lock(absent)
        if absent is not None:
            for resting in market.book.queue(absent):
                if resting.owner is Owner.FLOW:
                    market.book.cancel(resting.key)
        _show_top(market, now_ns, events)
        return events

    def _latest(self, exec_id: str) -> Execution:
        family = exec_id.rpartition(".")[0]
        for fill, _ in reversed(self._clearing.books.fills()):
            if fill.exec_id.rpartition(".")[0] == family:
                return fill
        raise KeyError(exec_id)


def _show_top(market: Market, now_ns: int, events: list[ExchangeEvent]) -> None:
    if market.top_moved():
        events.append(TopChanged(top=market.top(), time_ns=now_ns))
