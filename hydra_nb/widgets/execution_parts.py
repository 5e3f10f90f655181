"""The panes of an execution's card: progress, the four figures, the table of slices."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hydra_nb.domain.orders import ParentStatus, SliceStatus, Stage
from hydra_nb.domain.ports import ExecutionPort
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.widgets import numbers
from hydra_nb.widgets.execution_state import fees_words, planned_end_ns
from hydra_nb.widgets.parts import Column, State, escape, masked, rows, table, time_cell

_HOUR_S = 3600
_HELD = '<span class="hy-warn">❚❚ held</span>'
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
    reason = masked(execution.reason, parent=execution.parent).strip()
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


def progress_pane(
    execution: ExecutionPort, *, now_ns: int, slices: Sequence[dict[str, Any]] | None = None, running: bool = False
) -> str:
    """Lots filled, working and due on one bar; the time gone on another, while it runs.

    `slices` are the rows of its frame, where they were read already; `running` lets its times go on in the page.
    """
    known = rows(execution.slices) if slices is None else slices
    lots, filled, working = execution.parent.lots, execution.filled_lots, execution.working_lots
    open_lots = max(0, lots - filled - working)
    rest = f"{numbers.lots(open_lots)} short" if execution.status.is_over else f"{numbers.lots(open_lots)} to come"
    head = (
        f'<p class="hy-row" style="margin:0"><span><span class="hy-big">{numbers.lots(filled)}</span> '
        f'<span class="hy-muted">of {numbers.plural(lots, "lot")} filled</span></span>'
        f"<span>{numbers.lots(working)} working, {rest}</span>{_pace(execution)}</p>"
    )
    value = f'aria-valuemin="0" aria-valuemax="{lots}" aria-valuenow="{filled}"'
    bar = (
        f'<div class="hy-bar {"hy-over" if execution.status.is_over else ""}" role="progressbar" '
        f'aria-label="Lots filled" {value}>'
        f'<i class="hy-filled" style="left:0;width:{_share(filled, lots)}"></i>'
        f'<i class="hy-working" style="left:{_share(filled, lots)};'
        f'width:{_share(min(working, lots - filled), lots)}"></i>'
        f"{_due_mark(execution)}</div>"
    )
    pane = '<section class="hy-pane" aria-label="Progress">'
    return f"{pane}{head}{bar}{_time_bar(execution, now_ns=now_ns, slices=known, running=running)}</section>"


def _due_mark(execution: ExecutionPort) -> str:
    """A mark at what is due; none once it is over, when nothing is due any more."""
    if execution.status.is_over:
        return ""
    due = min(1.0, execution.due_lots / execution.parent.lots)
    edge = "hy-due-first" if due < 0.08 else "hy-due-last" if due > 0.92 else ""
    words = f"{numbers.lots(execution.due_lots)} due"
    return f'<span class="hy-due {edge}" style="left:{due * 100:.1f}%"><span>{words}</span></span>'


def _share(part: int, whole: int) -> str:
    return f"{max(0, part) / whole * 100:.1f}%"


def _pace(execution: ExecutionPort) -> str:
    if execution.status.is_over:
        return ""
    behind = execution.due_lots - execution.filled_lots
    if behind > 0:
        return f'<span class="hy-right hy-state hy-warn">▲ Behind by {numbers.plural(behind, "lot")}</span>'
    return '<span class="hy-right hy-state hy-good">✓ On schedule</span>'


def _time_bar(execution: ExecutionPort, *, now_ns: int, slices: Sequence[dict[str, Any]], running: bool) -> str:
    starts = [start for row in slices if (start := numbers.moment(row["start"])) is not None]
    last = planned_end_ns(slices)
    if not starts or last is None or execution.status.is_over:
        return ""
    first = min(int(start.as_unit("ns").value) for start in starts)
    standing_ns = execution.standing_since_ns
    if standing_ns is not None:  # the schedule stands still: its end moves with the time
        first, last, running = first + now_ns - standing_ns, last + now_ns - standing_ns, False
    gone = min(1.0, max(0.0, (now_ns - first) / max(1, last - first)))
    end = numbers.clock_time(last, time_zone=execution.parent.contract.time_zone)
    gone_s, left_s = max(0.0, (min(now_ns, last) - first) / NS_PER_S), (last - now_ns) / NS_PER_S
    if standing_ns is not None:
        right = f"{numbers.duration(left_s)} left"
    elif left_s <= 0:
        right = f"planned end {end}"
    else:
        right = f"ends {end}, in {time_left(left_s) if running else numbers.duration(left_s)}"
    ticking = running and now_ns >= first and left_s > 0
    left = f"Time {time_gone(gone_s) if ticking else numbers.duration(gone_s)}"
    return (
        f'<div class="hy-time hy-muted"><span>{left}</span><span aria-hidden="true"><i style="width:{gone * 100:.1f}%">'
        f"</i></span><span>{right}</span></div>"
    )


def time_gone(seconds: float) -> str:
    """A duration that goes on in the page: ``17:41``, ``1:17:41``."""
    long = " hy-long" if seconds >= _HOUR_S else ""
    return f'<span class="hy-gone{long}" style="--hy-up:{int(seconds)}"></span>'


def time_left(seconds: float) -> str:
    """A duration that runs down in the page: ``42:19``, ``1:42:19``."""
    long = " hy-long" if seconds >= _HOUR_S else ""
    return f'<span class="hy-countdown{long}" style="--hy-down:{int(seconds)}"></span>'


def figures_pane(execution: ExecutionPort) -> str:
    """Slippage in cash and ticks a lot, the average price, the messages of the plan's budget."""
    contract = execution.parent.contract
    arrival = numbers.mid_price(execution.arrival_mid, decimals=contract.decimals)
    tiles = (
        (
            "Slippage to arrival",
            numbers.cash(execution.slippage_cash, currency=contract.currency),
            "",
            f"Fees {fees_words(execution)}",
        ),
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


SLICES_SHOWN = 5
"""Rows of the table in a view; where there are more, one fewer and a fold for the others."""


def slice_table(
    execution: ExecutionPort,
    slices: Sequence[dict[str, Any]],
    *,
    worked: Mapping[int, int],
    now_ns: int,
) -> str:
    """One row a slice as it fills in, with the stage it is in and when the next comes.

    Where there are many, those around the one at work show and the others fold.

    Parameters
    ----------
    execution
        Whose slices they are.
    slices
        The rows of its frame.
    worked
        Lots that each slice has to do, carried ones among them, by its number.
    now_ns
        Market time, UTC nanoseconds.
    """
    zone = execution.parent.contract.time_zone
    columns = [
        Column(head="Slice"),
        Column(head=f"Start, {numbers.zone_name(slices[0]['start'] if slices else None, time_zone=zone)}"),
        Column(head="Planned", style="hy-optional"),
        Column(head="Carried", style="hy-optional"),
        Column(head="Lots"),
        Column(head="Filled"),
        Column(head="Average"),
        Column(head="Ticks"),
        Column(head="Stage", style="hy-left hy-stage"),
        Column(head="Msgs", style="hy-optional"),
        Column(head="Status", style="hy-left"),
    ]
    body = [
        (
            "hy-now" if row["status"] == SliceStatus.WORKING else "",
            _live_cells(row, execution, worked=worked.get(int(row["slice"])), now_ns=now_ns),
        )
        for row in slices
    ]
    at_work = next((at for at, row in enumerate(slices) if pd.isna(row["done"])), 0)
    room = SLICES_SHOWN if len(slices) <= SLICES_SHOWN else SLICES_SHOWN - 1
    first = max(0, min(at_work - room + 2, len(slices) - room))
    shown, folded = body[first : first + room], body[:first] + body[first + room :]
    fold = ""
    if folded:
        others = table(columns, folded, caption="The other slices")
        fold = f"<details><summary>Show the other {len(folded)} slices</summary>{others}</details>"
    pane = '<section class="hy-pane hy-slices" aria-label="Slices">'
    return f"{pane}{table(columns, shown, caption='Slices')}{fold}</section>"


def _live_cells(row: dict[str, Any], execution: ExecutionPort, *, worked: int | None, now_ns: int) -> list[str]:
    contract = execution.parent.contract
    planned_lots, filled = int(row["lots"]), int(row["filled_lots"])
    lots = max(planned_lots, filled + int(row["carried_lots"])) if worked is None else worked
    begun = row["status"] != SliceStatus.PLANNED
    still = execution.status is ParentStatus.PAUSED and not execution.working_lots
    average = numbers.number(row["average_price"])
    more = lots - planned_lots
    return [
        numbers.lots(row["slice"]),
        time_cell(row["start"], time_zone=contract.time_zone),
        numbers.lots(planned_lots),
        numbers.lots(more, signed=True) if more else "",
        numbers.lots(lots),
        f'<span class="hy-strong">{numbers.lots(filled)}</span>' if begun else numbers.UNKNOWN,
        numbers.average_price(average, decimals=contract.decimals),
        numbers.ticks(_slice_cost(average, execution), signed=True),
        _stage_cell(row, execution, now_ns=now_ns),
        numbers.lots(row["messages"]) if begun else numbers.UNKNOWN,
        _HELD if still and row["status"] == SliceStatus.WORKING else _slice_words(row, worked=lots),
    ]


def _slice_cost(average: float | None, execution: ExecutionPort) -> float | None:
    """Ticks a lot of a slice against arrival; positive is a cost."""
    arrival = numbers.number(execution.arrival_mid)
    if average is None or arrival is None:
        return None
    return execution.parent.side.sign * (average - arrival) / float(execution.parent.contract.tick)


def _stage_cell(row: dict[str, Any], execution: ExecutionPort, *, now_ns: int) -> str:
    """The stage that a slice is in, or was in last, and when the next begins."""
    start = numbers.moment(row["start"])
    still = execution.status in (ParentStatus.PAUSED, ParentStatus.INTERRUPTED)
    if row["status"] == SliceStatus.PLANNED and start is not None:
        wait_s = (int(start.as_unit("ns").value) - now_ns) / NS_PER_S
        return "" if still or wait_s <= 0 else f'<span class="hy-muted">in {time_left(wait_s)}</span>'
    words = _stage_words(row["stage"])
    if row["status"] != SliceStatus.WORKING or start is None or still:
        return words
    end_ns = int(start.as_unit("ns").value)
    for stage, after in ((Stage.MID, "step"), (Stage.STEP, "cross"), (Stage.CROSS, "end")):
        end_ns += round((numbers.number(row[f"wait_{stage}_s"]) or 0.0) * NS_PER_S)
        if row["stage"] == stage and end_ns > now_ns:
            return f"{words}, {after} in {time_left((end_ns - now_ns) / NS_PER_S)}"
    return words


def fills_pane(execution: ExecutionPort, fills: Sequence[dict[str, Any]]) -> str:
    """The newest fills, and how to get all of them as a DataFrame."""
    contract = execution.parent.contract
    zone = contract.time_zone
    columns = [
        Column(head=f"Time, {numbers.zone_name(fills[-1]['time'] if fills else None, time_zone=zone)}"),
        Column(head="Slice"),
        Column(head="Stage", style="hy-left"),
        Column(head="Lots"),
        Column(head="Price"),
        Column(head="Fee"),
    ]
    body = [
        (
            "",
            [
                time_cell(row["time"], time_zone=zone),
                numbers.lots(row["slice"]),
                escape(row["stage"]),
                numbers.lots(row["lots"]),
                numbers.price(row["price"], decimals=contract.decimals),
                numbers.cash(row["commission"], currency=contract.currency),
            ],
        )
        for row in reversed(fills[-SLICES_SHOWN:])
    ]
    note = f"{len(fills)} in all: execution.fills"
    head = f'<div class="hy-title"><b>Fills</b><span class="hy-muted">{escape(note)}</span></div>'
    return f'<section class="hy-pane" aria-label="Fills">{head}{table(columns, body, caption="Fills")}</section>'


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
    average = numbers.number(row["average_price"])
    planned = row["status"] == SliceStatus.PLANNED
    carried = numbers.number(row["carried_lots"])
    reason = row["reason"] if isinstance(row["reason"], str) and row["reason"] != row["status"] else ""
    return [
        numbers.lots(row["slice"]),
        time_cell(row["start"], time_zone=time_zone),
        numbers.lots(row["lots"]),
        numbers.UNKNOWN if planned else f'<span class="hy-strong">{numbers.lots(row["filled_lots"])}</span>',
        numbers.lots(carried) if carried else "",
        numbers.average_price(average, decimals=contract.decimals),
        numbers.ticks(_slice_cost(average, execution), signed=True),
        _stage_words(row["stage"]),
        numbers.UNKNOWN if planned else numbers.lots(row["messages"]),
        _slice_words(row),
        escape(masked(reason, parent=execution.parent)),
    ]


def _stage_words(stage: object) -> str:
    if not isinstance(stage, str) or stage not in tuple(Stage):
        return numbers.UNKNOWN
    return f'<span class="hy-dots" aria-hidden="true">{_DOTS[Stage(stage)]}</span> {escape(stage)}'


def _slice_words(row: dict[str, Any], *, worked: int | None = None) -> str:
    status = str(row["status"])
    words, tone = _SLICE_WORDS[SliceStatus(status)] if status in tuple(SliceStatus) else (status, "muted")
    lots = numbers.number(row["lots"]) or 0 if worked is None else worked
    missing = lots - (numbers.number(row["filled_lots"]) or 0)
    if status == SliceStatus.PARTIAL and missing > 0:
        words = f"{words} {numbers.lots(missing)}"
    return f'<span class="hy-{tone or "plain"}">{escape(words)}</span>'
