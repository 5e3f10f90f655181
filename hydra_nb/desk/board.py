"""Gathers what a desk tells a screen, from ledger, broker and history, without frames."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from hydra_nb.algos.slice_state import EXPIRY_GRACE_NS
from hydra_nb.analysis.history import History
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain import events as ev
from hydra_nb.domain.board import Board, Breaker, Happening, OrderLine, ParentLine, PositionLine
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.domain.orders import SliceStatus
from hydra_nb.domain.units import Side
from hydra_nb.ledger import OrderRecord, ParentRecord
from hydra_nb.order_manager.breaker_watch import LedgerFigures
from hydra_nb.risk.breakers_shown import Exposure, shown_breakers

MOST_DONE = 30
"""Parents that are over and still told, the newest."""

MOST_HAPPENINGS = 24
_DAY_NS = 86_400 * 1_000_000_000


class BoardMaker:
    """Makes the boards of one desk.

    Parameters
    ----------
    rooms
        Of the desk.
    history
        The fold of its journal, which it shares with the frames.
    lag_p99_ms
        Gives the loop's lag.
    """

    def __init__(self, rooms: Rooms, *, history: History, lag_p99_ms: Callable[[], float]) -> None:
        self._rooms = rooms
        self._history = history
        self._lag_p99_ms = lag_p99_ms
        self._opened_ns = rooms.clock.now_ns()
        self._reconciled_ns: int | None = None
        self._last_seq = 0

    def make(self) -> Board:
        """The desk at this moment."""
        rooms, now_ns = self._rooms, self._rooms.clock.now_ns()
        ledger, broker, limits = rooms.manager.ledger, rooms.broker, rooms.gate.limits
        self._history.catch_up()
        for seq, event in rooms.journal.events(kinds=(ev.Reconciled,), after=self._last_seq):
            self._last_seq, self._reconciled_ns = seq, event.time_ns
        records = self._told_records()
        positions = tuple(self._positions(records))
        quotes = [
            (quote, limits.for_symbol(one.contract.symbol).max_quote_age_s)
            for one in positions
            if one.contract is not None and (quote := self._quote(one.contract)) is not None
        ]
        ages = ((quote.age_s(now_ns), allowed_s) for quote, allowed_s in quotes)
        age_s, allowed_s = max(ages, key=lambda age: age[0] - age[1], default=(None, limits.max_quote_age_s))
        equity, start = ledger.equity, ledger.day_start_equity
        feeds = [quote.feed for quote, _ in quotes]
        day_ns = now_ns - now_ns % _DAY_NS
        return Board(
            now_ns=now_ns,
            opened_ns=self._opened_ns,
            connection=broker.state,
            connection_since_ns=self._history.link_since_ns,
            feed=max(feeds, key=list(FeedType).index, default=None),
            quote_age_s=age_s,
            quote_age_allowed_s=allowed_s,
            reconciled=ledger.reconciled,
            reconciled_ns=self._reconciled_ns,
            breaks=sum(not one.resolved for one in rooms.reconciler.breaks),
            journal_failure=None if rooms.journal.healthy else rooms.journal.failure or "",
            lag_p99_ms=self._lag_p99_ms(),
            messages=sum(one.messages for one in ledger.parents.values() if one.submitted_ns >= day_ns),
            messages_last_second=broker.messages_last_second(),
            currency=ledger.currency,
            pnl=None if equity is None or start is None else equity - start,
            fees=_fees(ledger.commissions, since_ns=day_ns, currency=ledger.currency),
            parents=tuple(self._parent(record) for record in records),
            orders=tuple(self._orders()),
            positions=positions,
            breakers=self._breakers(positions, now_ns=now_ns),
            happenings=self._happenings(records),
        )

    def breakers(self) -> tuple[Breaker, ...]:
        """The circuit breakers at this moment."""
        self._history.catch_up()
        return self._breakers(tuple(self._positions(self._told_records())), now_ns=self._rooms.clock.now_ns())

    def _breakers(self, positions: tuple[PositionLine, ...], *, now_ns: int) -> tuple[Breaker, ...]:
        ledger = self._rooms.manager.ledger
        return shown_breakers(
            LedgerFigures.of(ledger, account=self._rooms.broker.account_state(), now_ns=now_ns),
            self._rooms.gate.limits,
            exposures=tuple(self._exposure(line) for line in positions),
            tripped=ledger.breakers.tripped,
            rearmed=ledger.breakers.rearmed,
        )

    def _told_records(self) -> list[ParentRecord]:
        """Parents at work, then the newest that are over, each newest first."""
        at_work: list[ParentRecord] = []
        done: list[ParentRecord] = []
        for record in reversed(self._rooms.manager.ledger.parents.values()):
            if not record.status.is_over:
                at_work.append(record)
            elif len(done) < MOST_DONE:
                done.append(record)
        return [*at_work, *done]

    def _parent(self, record: ParentRecord) -> ParentLine:
        view = self._rooms.manager.core.parent_view(record.parent_id)
        resting = next(self._resting(record), None)
        slices = zip(record.plan.slices, record.slices, strict=True)
        planned = next((one for one, state in slices if state.status is SliceStatus.PLANNED), None)
        waits = planned is not None and not record.status.is_over
        return ParentLine(
            parent_id=record.parent_id,
            parent=record.plan.parent,
            status=record.status,
            reason=record.reason,
            submitted_ns=record.submitted_ns,
            finished_ns=record.finished_ns,
            standing_since_ns=self._history.standing_since_ns(record.parent_id),
            slices=len(record.slices),
            duration_ns=record.plan.duration_ns,
            filled_lots=view.filled_lots,
            working_lots=view.working_lots,
            due_lots=view.due_lots,
            shortfall_lots=view.shortfall_lots,
            average_price=view.average_price,
            arrival_mid=view.arrival_mid,
            next_slice=planned.number if waits and planned is not None else None,
            next_start_ns=self._start_ns(record, planned.offset_ns) if waits and planned is not None else None,
            stage=None if resting is None else resting.terms.stage,
            stage_ends_ns=None if resting is None else resting.expires_ns - EXPIRY_GRACE_NS,
        )

    def _start_ns(self, record: ParentRecord, offset_ns: int) -> int:
        planned_ns = record.begins_ns + offset_ns
        return planned_ns + self._history.paused_before(record.parent_id, planned_ns)

    def _resting(self, record: ParentRecord) -> Iterator[OrderRecord]:
        orders = self._rooms.manager.ledger.orders
        return (order for ref in reversed(record.order_refs) if (order := orders[ref]).working_lots)

    def _orders(self) -> Iterator[OrderLine]:
        ledger = self._rooms.manager.ledger
        for order in reversed(list(ledger.open_orders())):
            parent = ledger.parents.get(order.child.parent_id)
            if parent is not None and order.working_lots:
                yield OrderLine(
                    parent=parent.plan.parent,
                    lots=order.working_lots,
                    limit_price=order.terms.limit_price,
                    stage=order.terms.stage,
                    stage_ends_ns=order.expires_ns - EXPIRY_GRACE_NS,
                    expires_ns=order.expires_ns,
                    state=order.state,
                )

    def _positions(self, records: list[ParentRecord]) -> Iterator[PositionLine]:
        """Contracts that are held or worked, by name; each with what it could become."""
        manager = self._rooms.manager
        ledger, contracts = manager.ledger, self._history.contracts
        could: dict[tuple[int, Side], int] = {}
        for record in records:
            parent = record.plan.parent
            key = (parent.contract.con_id, parent.side)
            left = 0 if record.status.is_over else max(0, parent.lots - record.filled_lots)
            could[key] = could.get(key, 0) + left
        over = [order for order in ledger.open_orders() if ledger.parents[order.child.parent_id].status.is_over]
        for order in over:
            key = (order.child.contract.con_id, order.child.side)
            could[key] = could.get(key, 0) + order.working_lots
        con_ids = {*ledger.positions, *(con_id for (con_id, _), lots in could.items() if lots)}
        lines = []
        for con_id in con_ids | {one for one in contracts if ledger.booked_position(one)}:
            told, contract = ledger.positions.get(con_id), contracts.get(con_id)
            now = manager.snapshots.position(con_id)
            lots = now if now is not None else (0 if told is None else told.lots)
            buys, sells = could.get((con_id, Side.BUY), 0), could.get((con_id, Side.SELL), 0)
            if not (lots or buys or sells):
                continue
            quote, locked = self._quote(contract), ledger.locked.get(con_id)
            symbol = contract.symbol if contract is not None else told.symbol if told else ""
            mid = None if quote is None else quote.mid
            lines.append(
                PositionLine(
                    local_symbol=contract.local_symbol if contract is not None else told.local_symbol if told else "",
                    contract=contract,
                    lots=lots,
                    most=lots + buys,
                    least=lots - sells,
                    value=None if contract is None or mid is None else contract.cash(mid, lots=lots),
                    max_lots=self._rooms.gate.limits.for_symbol(symbol).max_position_lots,
                    locked=None if locked is None else locked.reason,
                )
            )
        yield from sorted(lines, key=lambda line: line.local_symbol)

    def _exposure(self, line: PositionLine) -> Exposure:
        """What a position is at worst; its value at mid, None without one."""
        contract, quote = line.contract, self._quote(line.contract)
        worst, value = max(abs(line.most), abs(line.least)), None
        rate = None if contract is None else self._rooms.broker.account_state().rate(contract.currency)
        if contract is not None and quote is not None and quote.mid is not None and rate is not None:
            value = contract.notional(quote.mid, lots=worst) * rate
        symbol = "" if contract is None else contract.symbol
        return Exposure(symbol=symbol, local_symbol=line.local_symbol, lots=worst, value=value)

    def _quote(self, contract: FutureContract | None) -> Quote | None:
        return None if contract is None else self._rooms.broker.quote(contract.con_id)

    def _happenings(self, records: list[ParentRecord]) -> tuple[Happening, ...]:
        """The newest of all stories, newest first."""
        told = [Happening(event=event, parent=None) for event in self._history.common_story[-MOST_HAPPENINGS:]]
        for record in records:
            story = self._history.stories.get(record.parent_id, [])[-MOST_HAPPENINGS:]
            told += [Happening(event=event, parent=record.plan.parent) for event in story]
        return tuple(heapq.nlargest(MOST_HAPPENINGS, told, key=lambda one: one.event.time_ns))


def _fees(commissions: Mapping[str, ev.CommissionReported], *, since_ns: int, currency: str) -> Decimal:
    """Fees since a time in one currency, each execution family once, by its latest revision."""
    latest: dict[str, tuple[str, Decimal]] = {}
    for exec_id, report in commissions.items():
        if report.time_ns >= since_ns and report.currency == currency:
            family, _, revision = exec_id.rpartition(".")
            if family not in latest or revision >= latest[family][0]:
                latest[family] = (revision, report.commission)
    return sum((commission for _, commission in latest.values()), start=Decimal(0))
