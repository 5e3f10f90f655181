"""The panes of the desk's view: pure functions from its board to HTML.

Tables are lean: columns are styled by their place in the style sheet and not by classes in each cell, as they are sent
again whenever a row changes.
"""

from collections.abc import Callable, Iterable, Sequence

from hydra_nb.domain.board import Board, Breaker, Happening, OrderLine, ParentLine, PositionLine
from hydra_nb.domain.events import BrokerErrorReported
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import OrderState, ParentStatus, Stage, Strategy
from hydra_nb.domain.units import Side
from hydra_nb.widgets import breaker_parts, numbers
from hydra_nb.widgets.execution_log import lines
from hydra_nb.widgets.parts import State, age, countdown, escape, masked, time_cell, title

LAG_LIMIT_MS = 20.0
"""Lag of the loop, 99th percentile, up to which orders keep their times."""

MOST_LOG_LINES = 4
NS_PER_S = 1e9

_ECHOES = (202, 10148)
"""Codes by which the broker answers our own cancels: each is told already by who asked for it."""

_DOTS = {Stage.MID: "●○○", Stage.STEP: "●●○", Stage.CROSS: "●●●"}
_NEXT_STAGE = {Stage.MID: "step", Stage.STEP: "cross"}
_SIDES = {Side.BUY: '<b class="hy-text-buy">▲ BUY</b>', Side.SELL: '<b class="hy-text-sell">▼ SELL</b>'}
_STATUS_WORDS = {
    ParentStatus.SCHEDULED: ("○ Scheduled", "plain"),
    ParentStatus.WORKING: ("► Working", "plain"),
    ParentStatus.PAUSED: ("❚❚ Paused", "warn"),
    ParentStatus.FILLED: ("✓ Filled", "good"),
    ParentStatus.PARTIAL: ("▲ Short", "warn"),
    ParentStatus.REFUSED: ("✕ Refused", "bad"),
    ParentStatus.CANCELLED: ("■ Cancelled", "warn"),
    ParentStatus.INTERRUPTED: ("? Interrupted", "bad"),
    ParentStatus.NEEDS_HUMAN: ("? Unknown", "bad"),
}


def time_zone_of(board: Board) -> str:
    """The zone of the desk's times: that of its first parent, else of its first position, else UTC."""
    contracts = [line.parent.contract for line in board.parents]
    contracts += [line.contract for line in board.positions if line.contract is not None]
    return contracts[0].time_zone if contracts else "UTC"


def desk_state(board: Board, *, killed: bool) -> State:
    """The state of the desk: what keeps orders from being sent, or that nothing does."""
    if killed:
        return State(words="■ Killed", sentence="", tone="bad")
    if board.connection is not ConnectionState.UP:
        return State(words="✕ No link to broker", sentence="", tone="bad")
    if board.journal_failure is not None:
        return State(words="✕ No journal", sentence="Nothing is sent that cannot be recorded.", tone="bad")
    if not board.reconciled:
        return State(words="✕ Not reconciled", sentence="Nothing is sent until ledger and broker agree.", tone="bad")
    tripped = breaker_parts.tripped_state(board.breakers)
    if tripped is not None:
        return tripped
    locked = [line.local_symbol for line in board.positions if line.locked]
    if locked:
        return State(words=f"▲ {', '.join(locked)} locked", sentence="A break there needs a person.", tone="warn")
    return State(words="● Trading on", sentence="Interrupt does not stop trading; Kill all does.", tone="good")


def lost_link(board: Board, *, time_zone: str) -> State | None:
    """The alert of a lost link: what may still fill, and until when; None while there is a link."""
    if board.connection is ConnectionState.UP:
        return None
    since = numbers.clock_time(board.connection_since_ns, time_zone=time_zone)
    lots = sum(order.lots for order in board.orders)
    rest = "Nothing of ours is in the market."
    if lots:
        until = numbers.clock_time(max(order.expires_ns for order in board.orders), time_zone=time_zone)
        rest = f"{numbers.plural(lots, 'lot')} may still fill; the broker expires them, the last at {until}."
    words = "✕ No link to broker" if board.connection is ConnectionState.DOWN else "✕ The broker lost its link"
    return State(words=words, sentence=f"Since {since}. Nothing new is sent. {rest}", tone="bad")


# Tiles


def tiles(board: Board, *, time_zone: str) -> str:
    """Connection, data, reconciled, journal, lag, messages, P&L."""
    up, live = board.connection is ConnectionState.UP, board.feed is FeedType.LIVE
    stale = board.quote_age_s is not None and board.quote_age_s > board.quote_age_allowed_s
    link = {ConnectionState.UP: "Up", ConnectionState.DEGRADED: "Degraded", ConnectionState.DOWN: "Lost"}
    since = numbers.clock_time(board.connection_since_ns, time_zone=time_zone, seconds=False)
    data = "None" if board.feed is None else str(board.feed).replace("_", " ").capitalize()
    quote_age = "no contract is watched" if board.quote_age_s is None else f"oldest {age(board.quote_age_s)}"
    slow = board.lag_p99_ms > LAG_LIMIT_MS
    shown = (
        _tile("Connection", link[board.connection], sign=_light(good=up), note=f"since {since}"),
        _tile(
            "Market data",
            "Stale" if stale else data,
            sign=_light(good=live and not stale) if board.feed else "",
            note=quote_age,
        ),
        _tile(
            "Reconciled",
            numbers.clock_time(board.reconciled_ns, time_zone=time_zone) if board.reconciled else "No",
            sign=_check(good=board.reconciled and not board.breaks),
            note=numbers.plural(board.breaks, "break"),
        ),
        _tile(
            "Journal",
            "Written" if board.journal_failure is None else "Failed",
            sign=_check(good=board.journal_failure is None),
            note="before each order",
        ),
        _tile(
            "Loop lag, p99",
            f"{board.lag_p99_ms:.0f} ms" if board.lag_p99_ms < 1000 else f"{board.lag_p99_ms / 1000:.1f} s",
            sign='<span class="hy-warn">▲</span> ' if slow else "",
            note=f"limit {LAG_LIMIT_MS:.0f}",
        ),
        _tile("Messages", numbers.lots(board.messages), note=f"today, {board.messages_last_second} a second"),
        _tile(
            "P&L today",
            numbers.cash(board.pnl, currency=board.currency, whole=True),
            note=f"fees {escape(numbers.cash(board.fees, currency=board.currency, whole=True))}",
        ),
    )
    return f'<div class="hy-quote hy-tiles">{"".join(shown)}</div>'


def _tile(name: str, value: str, *, note: str, sign: str = "") -> str:
    """One tile; `sign` and `note` are HTML."""
    return f'<div><div class="hy-label">{escape(name)}</div>{sign}<b>{escape(value)}</b> <small>{note}</small></div>'


def _light(*, good: bool) -> str:
    return '<span class="hy-good">●</span> ' if good else '<span class="hy-bad">✕</span> '


def _check(*, good: bool) -> str:
    return '<span class="hy-good">✓</span> ' if good else '<span class="hy-bad">✕</span> '


# Parents


def parents_title(board: Board, *, shown: int, of: int) -> str:
    """The head of the parents' pane: how many are at work and done, and how many of them are not shown."""
    at_work = sum(not line.status.is_over for line in board.parents)
    rest = f" · {of - shown} more" if of > shown else ""
    note = f"{at_work} at work, {len(board.parents) - at_work} done{rest} · mark on a bar: lots due by now"
    return title("Parent orders", note=note)


def parents_table(lines: Sequence[ParentLine], *, now_ns: int, time_zone: str) -> str:
    """One row a parent order."""
    heads = (
        f"Time, {numbers.zone_name(now_ns, time_zone=time_zone)}",
        *("Side", "Lots", "Contract", "Strategy", "Progress", "Filled", "Work.", "Average", "Ticks", "Cash"),
        *("Status", "Next, or why", "Tag"),
    )
    body = (_parent_cells(line, time_zone=time_zone) for line in lines)
    empty = "No order was sent from this desk yet. A ticket, or a line of code, sends one."
    return _table("parents", "Parent orders", heads, body, empty=empty)


def _parent_cells(line: ParentLine, *, time_zone: str) -> list[str]:
    parent, contract = line.parent, line.parent.contract
    over = None if line.arrival_mid is None or line.average_price is None else line.average_price - line.arrival_mid
    ticks = None if over is None else over * parent.side.sign / contract.tick
    cash = None if ticks is None else ticks * contract.tick_value * line.filled_lots
    words, tone = _STATUS_WORDS[line.status]
    if line.status is ParentStatus.PARTIAL:
        words += f" {numbers.lots(line.shortfall_lots)}"
    return [
        time_cell(line.submitted_ns, time_zone=time_zone),
        _SIDES[parent.side],
        f"<b>{numbers.lots(parent.lots)}</b>",
        f"<b>{escape(contract.local_symbol)}</b> <span>{escape(contract.name)}</span>",
        escape(_strategy(line)),
        _bar(line),
        numbers.lots(line.filled_lots),
        numbers.lots(line.working_lots) if line.working_lots else "",
        numbers.average_price(line.average_price, decimals=contract.decimals),
        numbers.ticks(ticks, signed=True),
        escape(numbers.cash(cash, currency=contract.currency)),
        f'<b class="hy-{tone}">{words}</b>',
        escape(_next(line, time_zone=time_zone)),
        escape(parent.tag or ""),
    ]


def _strategy(line: ParentLine) -> str:
    if line.parent.strategy is not Strategy.TWAP:
        return "Patience"
    minutes, rest = divmod(round(line.duration_ns / NS_PER_S), 60)
    whole = (
        f"{minutes // 60}h" if minutes and not minutes % 60 and not rest else f"{minutes}m{f' {rest}s' if rest else ''}"
    )
    return f"TWAP {line.slices} × {whole}"


def _bar(line: ParentLine) -> str:
    """Filled, working and due as shares of the lots; the columns beside it say the same."""
    lots = line.parent.lots
    style = "o" if line.status.is_over else "b" if line.parent.side is Side.BUY else "s"
    filled, working = (min(100, round(part / lots * 100)) for part in (line.filled_lots, line.working_lots))
    due = "" if line.status.is_over else f"<u style=left:{min(100, round(line.due_lots / lots * 100))}%></u>"
    hatched = f"<s style=left:{filled}%;width:{min(working, 100 - filled)}%></s>" if working else ""
    return f'<i class="hy-p hy-p-{style}" aria-hidden=true><i style=width:{filled}%></i>{hatched}{due}</i>'


def _next(line: ParentLine, *, time_zone: str) -> str:
    def at(time_ns: int | None) -> str:
        return numbers.clock_time(time_ns, time_zone=time_zone)

    if line.status is ParentStatus.PAUSED:
        return f"By you, {at(line.standing_since_ns)}"
    if line.status is ParentStatus.FILLED:
        return at(line.finished_ns)
    if line.status in (ParentStatus.SCHEDULED, ParentStatus.WORKING):
        if line.next_slice is not None:
            return f"Slice {line.next_slice} at {at(line.next_start_ns)}"
        if line.stage in _NEXT_STAGE:
            return f"{_NEXT_STAGE[line.stage].capitalize()} at {at(line.stage_ends_ns)}"
        return "" if line.stage is None else f"Ends {at(line.stage_ends_ns)}"
    return masked(line.reason, parent=line.parent)


# Orders and positions


def orders_pane(orders: Sequence[OrderLine], *, most: int, now_ns: int, time_zone: str) -> str:
    """Orders in the market, newest first, each with its stage and its expiry at the broker."""
    rest = f"; {len(orders) - most} more" if len(orders) > most else ""
    zone = numbers.zone_name(now_ns, time_zone=time_zone)
    heads = ("Side", "Lots", "Contract", "Limit", "Stage", f"Expires, {zone}", "State")
    body = (_order_cells(order, now_ns=now_ns, time_zone=time_zone) for order in orders[:most])
    shown = _table("orders", "Orders in the market", heads, body, empty="Nothing is in the market.")
    return title("Orders in the market", note=f"each expires at the broker{rest}") + shown


def _order_cells(order: OrderLine, *, now_ns: int, time_zone: str) -> list[str]:
    contract = order.parent.contract
    then = f"{_NEXT_STAGE[order.stage]} in" if order.stage in _NEXT_STAGE else "ends in"
    left = countdown((order.stage_ends_ns - now_ns) / NS_PER_S)
    return [
        _SIDES[order.parent.side],
        f"<b>{numbers.lots(order.lots)}</b>",
        f"<b>{escape(contract.local_symbol)}</b>",
        numbers.price(order.limit_price, decimals=contract.decimals),
        f'<span class="hy-dots" aria-hidden=true>{_DOTS[order.stage]}</span> {order.stage}, {then} {left}',
        time_cell(order.expires_ns, time_zone=time_zone),
        f'<b class="hy-bad">? {escape(order.state)}</b>'
        if order.state is OrderState.UNKNOWN
        else escape(str(order.state).replace("_", " ")),
    ]


def positions_pane(positions: Sequence[PositionLine], *, most: int) -> str:
    """Positions now, and what they become at most and at least."""
    rest = f"; {len(positions) - most} more" if len(positions) > most else ""
    heads = ("Contract", "Lots", "Most", "Least", "Value at mid", "Limit")
    body = map(_position_cells, positions[:most])
    note = f"worst case: if every working and planned lot fills{rest}"
    return title("Positions", note=note) + _table("positions", "Positions", heads, body, empty="Flat.")


def _position_cells(line: PositionLine) -> list[str]:
    beyond = max(abs(line.most), abs(line.least)) > line.max_lots
    currency = "" if line.contract is None else line.contract.currency
    limit = '<b class="hy-bad">✕ locked</b>' if line.locked else numbers.plural(line.max_lots, "lot")
    return [
        f"<b>{escape(line.local_symbol)}</b>",
        f"<b>{numbers.lots(line.lots, signed=True)}</b>",
        _marked(numbers.lots(line.most, signed=True), warn=beyond and line.most > line.max_lots),
        _marked(numbers.lots(line.least, signed=True), warn=beyond and -line.least > line.max_lots),
        escape(numbers.cash(line.value, currency=currency, whole=True)),
        limit,
    ]


def _marked(text: str, *, warn: bool) -> str:
    return f'<b class="hy-warn">▲ {text}</b>' if warn else text


# Breakers and the log


def breakers_pane(breakers: Sequence[Breaker], *, time_zone: str) -> str:
    """The circuit breakers; see `breaker_parts`."""

    def table(body: Iterable[Sequence[str]]) -> str:
        return _table("breakers", "Breakers", ("Breaker", "Used", "Limit", "Use"), body, empty="")

    return breaker_parts.breakers_pane(breakers, time_zone=time_zone, table=table)


def log_pane(happenings: Iterable[Happening], *, time_zone: str) -> str:
    """What happened last, newest first, of all parents."""
    shown: list[str] = []
    for one in happenings:
        is_echo = isinstance(one.event, BrokerErrorReported) and one.event.code in _ECHOES
        if one.parent is None or is_echo or len(shown) == MOST_LOG_LINES:
            continue
        for line in lines([one.event], one.parent, checks=0):
            words = f"<b>{escape(one.parent.contract.local_symbol)}</b> {escape(line.words)}"
            shown.append(
                f'<span class="hy-log-time">{time_cell(line.time_ns, time_zone=time_zone)}</span>'
                f'<span class="hy-{line.tone}" aria-hidden=true>{escape(line.sign)}</span><span>{words}</span>'
            )
    body = f'<div class="hy-log">{"".join(shown)}</div>' if shown else '<p class="hy-muted">Nothing yet.</p>'
    return title("What happened", note="") + body


def _table(name: str, caption: str, heads: Sequence[str], body: Iterable[Sequence[str]], *, empty: str) -> str:
    """Rows as a table whose first column heads the row; cells are HTML. Without rows, a sentence."""
    shown = "".join(f"<tr><th scope=row>{first}</th>{_cells(others)}</tr>" for first, *others in body)
    if not shown:
        return f'<p class="hy-muted">{escape(empty)}</p>'
    head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
    return (
        f'<table class="hy-table hy-d-{name}" aria-label="{escape(caption)}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{shown}</tbody></table>"
    )


def _cells(cells: Sequence[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


Shown = Callable[[ParentLine], bool]
FILTERS: dict[str, Shown] = {
    "All": lambda _: True,
    "At work": lambda line: not line.status.is_over,
    "Done": lambda line: line.status.is_over,
}
"""What the buttons over the parents show."""
