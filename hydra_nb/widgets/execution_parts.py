"""The panes of an execution's card: progress, the four figures, the table of slices."""

from typing import Any

from hydra_nb.domain.orders import ParentStatus, SliceStatus, Stage
from hydra_nb.domain.ports import ExecutionPort
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import Column, State, escape, ladder_s, rows, table, time_cell

_DOTS = {Stage.MID: "●○○", Stage.STEP: "●●○", Stage.CROSS: "●●●"}
_SLICE_WORDS = {
    SliceStatus.PLANNED: ("○ planned", "muted"),
    SliceStatus.WORKING: ("► working", ""),
    SliceStatus.FILLED: ("✓ filled", "good"),
    SliceStatus.PARTIAL: ("▲ short", "warn"),
    SliceStatus.MISSED: ("▲ missed", "warn"),
    SliceStatus.REFUSED: ("✕ refused", "bad"),
    SliceStatus.CANCELLED: ("■ cancelled", "muted"),
    SliceStatus.UNKNOWN: ("? unknown", "bad"),
}


def execution_state(execution: ExecutionPort) -> State:
    """The state's sign and words, and its reason as a sentence."""
    lots = execution.parent.lots
    words, tone = {
        ParentStatus.SCHEDULED: ("○ Scheduled", ""),
        ParentStatus.WORKING: ("► Working", ""),
        ParentStatus.PAUSED: ("❚❚ Paused", "warn"),
        ParentStatus.FILLED: (f"✓ Filled {numbers.lots(execution.filled_lots)} of {numbers.lots(lots)}", "good"),
        ParentStatus.PARTIAL: (f"▲ Short {numbers.lots(execution.shortfall_lots)} of {numbers.lots(lots)}", "warn"),
        ParentStatus.REFUSED: ("✕ Refused", "bad"),
        ParentStatus.CANCELLED: ("■ Cancelled", "warn"),
        ParentStatus.INTERRUPTED: ("? Interrupted", "bad"),
        ParentStatus.NEEDS_HUMAN: ("? State unknown", "bad"),
    }[execution.status]
    return State(words=words, sentence=_reason(execution), tone=tone)


def _reason(execution: ExecutionPort) -> str:
    reason = execution.reason.strip()
    if reason:
        return reason if reason.endswith((".", "!", "?")) else f"{reason}."
    contract = execution.parent.contract
    if execution.status is ParentStatus.FILLED:
        against = "over" if (numbers.number(execution.slippage_ticks) or 0) >= 0 else "better than"
        ticks = numbers.number(execution.slippage_ticks)
        return (
            f"Average {numbers.average_price(execution.average_price, decimals=contract.decimals)}, "
            f"{numbers.ticks(None if ticks is None else abs(ticks))} ticks a lot {against} arrival: "
            f"{numbers.cash(execution.slippage_cash, currency=contract.currency)}."
        )
    if execution.status is ParentStatus.NEEDS_HUMAN:
        return f"{numbers.plural(execution.working_lots, 'lot')} may still be in the market. Check the broker's screen."
    if execution.status is ParentStatus.SCHEDULED:
        return "Accepted; nothing is in the market yet."
    return ""


def progress_pane(execution: ExecutionPort, *, now_ns: int) -> str:
    """Lots filled, working and due on one bar; the time gone on another, while it runs."""
    lots, filled, working = execution.parent.lots, execution.filled_lots, execution.working_lots
    open_lots = max(0, lots - filled - working)
    rest = f"{numbers.lots(open_lots)} short" if execution.status.is_over else f"{numbers.lots(open_lots)} to come"
    head = (
        f'<p class="hy-row" style="margin:0"><span><span class="hy-big">{numbers.lots(filled)}</span> '
        f'<span class="hy-muted">of {numbers.plural(lots, "lot")} filled</span></span>'
        f"<span>{numbers.lots(working)} working, {rest}</span>{_pace(execution)}</p>"
    )
    due = min(1.0, execution.due_lots / lots)
    edge = "hy-due-first" if due < 0.08 else "hy-due-last" if due > 0.92 else ""
    value = f'aria-valuemin="0" aria-valuemax="{lots}" aria-valuenow="{filled}"'
    bar = (
        f'<div class="hy-bar {"hy-over" if execution.status.is_over else ""}" role="progressbar" '
        f'aria-label="Lots filled" {value}>'
        f'<i class="hy-filled" style="left:0;width:{_share(filled, lots)}"></i>'
        f'<i class="hy-working" style="left:{_share(filled, lots)};'
        f'width:{_share(min(working, lots - filled), lots)}"></i>'
        f'<span class="hy-due {edge}" style="left:{due * 100:.1f}%"><span>{numbers.lots(execution.due_lots)} due</span>'
        f"</span></div>"
    )
    pane = '<section class="hy-pane" aria-label="Progress">'
    return f"{pane}{head}{bar}{_time_bar(execution, now_ns=now_ns)}</section>"


def _share(part: int, whole: int) -> str:
    return f"{max(0, part) / whole * 100:.1f}%"


def _pace(execution: ExecutionPort) -> str:
    if execution.status.is_over:
        return ""
    behind = execution.due_lots - execution.filled_lots
    if behind > 0:
        return f'<span class="hy-right hy-state hy-warn">▲ Behind by {numbers.plural(behind, "lot")}</span>'
    return '<span class="hy-right hy-state hy-good">✓ On schedule</span>'


def _time_bar(execution: ExecutionPort, *, now_ns: int) -> str:
    spans = [
        (start.value, start.value + round(ladder_s(row) * 1e9))
        for row in rows(execution.slices)
        if (start := numbers.moment(row["start"])) is not None
    ]
    if not spans or execution.status.is_over:
        return ""
    zone = execution.parent.contract.time_zone
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    gone = min(1.0, max(0.0, (now_ns - first) / max(1, last - first)))
    end = numbers.clock_time(last, time_zone=zone)
    right = f"planned end {end}" if now_ns >= last else f"ends {end}, in {numbers.duration((last - now_ns) / 1e9)}"
    left = f"Time {numbers.duration((min(now_ns, last) - first) / 1e9)}"
    return (
        f'<div class="hy-time hy-muted"><span>{left}</span><span aria-hidden="true"><i style="width:{gone * 100:.1f}%">'
        f"</i></span><span>{right}</span></div>"
    )


def figures_pane(execution: ExecutionPort) -> str:
    """Slippage in cash and ticks a lot, the average price, the messages of the plan's budget."""
    contract = execution.parent.contract
    fees = [numbers.number(row["commission"]) for row in rows(execution.fills)]
    known = [fee for fee in fees if fee is not None]
    waiting = len(fees) - len(known)
    fee_words = f"Fees {numbers.cash(sum(known) if known else None, currency=contract.currency)}"
    if fees and waiting:
        fee_words += f", {waiting} to come"
    arrival = numbers.mid_price(execution.arrival_mid, decimals=contract.decimals)
    tiles = (
        ("Slippage to arrival", numbers.cash(execution.slippage_cash, currency=contract.currency), "", fee_words),
        ("A lot", numbers.ticks(execution.slippage_ticks, signed=True), "ticks", "+ is a cost"),
        (
            "Average price",
            numbers.average_price(execution.average_price, decimals=contract.decimals),
            "",
            f"Arrival mid {arrival}",
        ),
        (
            "Messages",
            numbers.lots(execution.messages_used),
            f"of {numbers.lots(execution.messages_budget)}",
            "the plan's budget",
        ),
    )
    content = "".join(
        f'<div><div class="hy-label">{escape(name)}</div><span class="hy-big">{escape(value)}</span> '
        f"<small>{escape(unit)}</small><div><small>{escape(note)}</small></div></div>"
        for name, value, unit, note in tiles
    )
    return f'<section class="hy-pane" aria-label="Figures"><div class="hy-figures">{content}</div></section>'


def slices_pane(execution: ExecutionPort) -> str:
    """One row a slice: plan, what filled at what price, stage, state."""
    contract, slices = execution.parent.contract, rows(execution.slices)
    zone = contract.time_zone
    zone_name = numbers.zone_name(slices[0]["start"] if slices else None, time_zone=zone)
    columns = [
        Column(head="Slice"),
        Column(head=f"Start, {zone_name}"),
        Column(head="Planned"),
        Column(head="Filled"),
        Column(head="Carried on", style="hy-optional"),
        Column(head="Average"),
        Column(head="Ticks", style="hy-optional"),
        Column(head="Stage", style="hy-left"),
        Column(head="Msgs", style="hy-optional"),
        Column(head="Status", style="hy-left"),
        Column(head="Why", style="hy-left hy-wrap hy-optional"),
    ]
    body = [
        ("hy-now" if row["status"] == SliceStatus.WORKING else "", _slice_cells(row, execution, zone)) for row in slices
    ]
    return f'<section class="hy-pane" aria-label="Slices">{table(columns, body, caption="Slices")}</section>'


def _slice_cells(row: dict[str, Any], execution: ExecutionPort, time_zone: str) -> list[str]:
    contract = execution.parent.contract
    average, arrival = numbers.number(row["average_price"]), numbers.number(execution.arrival_mid)
    sign = 1 if execution.parent.side is Side.BUY else -1
    cost = None if average is None or arrival is None else sign * (average - arrival) / float(contract.tick)
    planned = row["status"] == SliceStatus.PLANNED
    carried = numbers.number(row["carried_lots"])
    return [
        numbers.lots(row["slice"]),
        time_cell(row["start"], time_zone=time_zone),
        numbers.lots(row["lots"]),
        numbers.UNKNOWN if planned else f'<span class="hy-strong">{numbers.lots(row["filled_lots"])}</span>',
        numbers.lots(carried) if carried else "",
        numbers.average_price(average, decimals=contract.decimals),
        numbers.ticks(cost, signed=True),
        _stage_words(row["stage"]),
        numbers.UNKNOWN if planned else numbers.lots(row["messages"]),
        _slice_words(row),
        escape(row["reason"]) if isinstance(row["reason"], str) and row["reason"] != row["status"] else "",
    ]


def _stage_words(stage: object) -> str:
    if not isinstance(stage, str) or stage not in tuple(Stage):
        return numbers.UNKNOWN
    return f'<span class="hy-dots" aria-hidden="true">{_DOTS[Stage(stage)]}</span> {escape(stage)}'


def _slice_words(row: dict[str, Any]) -> str:
    status = str(row["status"])
    words, tone = _SLICE_WORDS[SliceStatus(status)] if status in tuple(SliceStatus) else (status, "muted")
    missing = (numbers.number(row["lots"]) or 0) - (numbers.number(row["filled_lots"]) or 0)
    if status == SliceStatus.PARTIAL and missing > 0:
        words = f"{words} {numbers.lots(missing)}"
    return f'<span class="hy-{tone or "plain"}">{escape(words)}</span>'
