"""Our ledger against the broker's own account of executions, orders and positions."""

from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.domain.events import Event, OpenOrderReported, Reconciled
from hydra_nb.ledger import Ledger, OrderRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing on which ledger and broker do not agree.

    `kind` is ``order`` (ours works, the broker lists none), ``stray_order`` (the broker works an order
    of this journal that our ledger holds for over or unknown) or ``position`` (lots). `resolved` says that
    the proof asked for meanwhile settled it.
    """

    time_ns: int
    kind: str
    local_symbol: str
    order_ref: str
    ours: float | None
    brokers: float | None
    resolved: bool
    message: str


class Reconciler:
    """Compares, asks for proof where they differ, and journals the outcome.

    Positions are held against those that the account had when the desk was opened plus our own fills
    since: what others trade in the account meanwhile shows as a break, and is never counted as ours.
    """

    def __init__(
        self, ledger: Ledger, *, broker: BrokerPort, clock: Clock, own_prefix: str, ingest: Callable[[Event], None]
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._own_prefix = own_prefix
        self._ingest = ingest
        self._others_lots: dict[int, int] | None = None

    async def run(self) -> tuple[Break, ...]:
        """Fetch executions and open orders, compare, and give what differs.

        Raises
        ------
        BrokerError
            The broker did not answer, or there is no connection.
        """
        await self._broker.fetch_executions()
        listed = {order.order_ref: order for order in await self._broker.open_orders() if self._is_own(order)}
        breaks = [
            *[
                await self._missing(record)
                for record in list(self._ledger.open_orders())
                if self._lacks(record, listed)
            ],
            *[self._stray(order) for order in listed.values() if self._is_stray(order)],
            *self._positions(),
        ]
        unresolved = sum(not found.resolved for found in breaks if found.kind != "position")
        message = "; ".join(found.message for found in breaks) or "ledger and broker agree"
        self._ingest(Reconciled(time_ns=self._clock.now_ns(), breaks=unresolved, message=message))
        return tuple(breaks)

    def _is_own(self, order: OpenOrderReported) -> bool:
        return order.order_ref.startswith(self._own_prefix)

    @staticmethod
    def _lacks(record: OrderRecord, listed: dict[str, OpenOrderReported]) -> bool:
        return record.sent_ns is not None and record.order_ref not in listed

    async def _missing(self, record: OrderRecord) -> Break:
        """The broker lists no order where we hold one for working: ask for the proof."""
        self._ingest(await self._broker.probe_death(record.child))
        known = self._ledger.orders[record.order_ref]
        return Break(
            time_ns=self._clock.now_ns(),
            kind="order",
            local_symbol=record.child.contract.local_symbol,
            order_ref=record.order_ref,
            ours=float(record.working_lots),
            brokers=0.0,
            resolved=known.state.is_over,
            message=f"{record.order_ref}: {record.state} with us, not open at the broker; now {known.state}",
        )

    def _is_stray(self, order: OpenOrderReported) -> bool:
        record = self._ledger.orders.get(order.order_ref)
        return record is None or record.state.is_over

    def _stray(self, order: OpenOrderReported) -> Break:
        record = self._ledger.orders.get(order.order_ref)
        return Break(
            time_ns=self._clock.now_ns(),
            kind="stray_order",
            local_symbol="" if record is None else record.child.contract.local_symbol,
            order_ref=order.order_ref,
            ours=0.0,
            brokers=float(order.lots),
            resolved=False,
            message=f"{order.order_ref}: open at the broker, {'unknown' if record is None else record.state} with us",
        )

    def _positions(self) -> list[Break]:
        told = {position.con_id: position for position in self._broker.positions() or ()}
        if self._others_lots is None:
            self._others_lots = {
                con_id: told_now.lots - self._ledger.booked_position(con_id) for con_id, told_now in told.items()
            }
        breaks = []
        for con_id, told_now in told.items():
            ours = self._others_lots.get(con_id, 0) + self._ledger.booked_position(con_id)
            if ours != told_now.lots:
                breaks.append(
                    Break(
                        time_ns=self._clock.now_ns(),
                        kind="position",
                        local_symbol=told_now.local_symbol,
                        order_ref="",
                        ours=float(ours),
                        brokers=float(told_now.lots),
                        resolved=False,
                        message=(
                            f"{told_now.local_symbol}: the broker shows {told_now.lots} lots, our fills explain {ours}"
                        ),
                    )
                )
        return breaks
