"""A rehearsal in its ticket, as escaped HTML: how far it is, then what it came to, in figures and a few lines."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.rehearsal_ports import RehearsalPort, RehearsedPort
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import age, escape, rows
from hydra_nb.widgets.rehearsal_card import error_words
from hydra_nb.widgets.ticket_risk import check_name

Row = Mapping[str, Any]


class Shown(NamedTuple):
    """What a rehearsal came to as HTML, how many paths it had, and how many lines of warnings stand in it."""

    html: str
    paths: int
    warnings: int


def progress(done: int, total: int, *, elapsed_s: float) -> str:
    """A bar that tells screen readers too how many paths are done; the seconds go on in the page."""
    share = done / total if total else 0.0
    words = f"{numbers.lots(done)} of {numbers.plural(total, 'path')}"
    return (
        f'<div class="hy-run" role="progressbar" aria-label="Rehearsed" aria-valuemin="0" aria-valuemax="{total}" '
        f'aria-valuenow="{done}" aria-valuetext="{escape(words)}">'
        f'<p><b>{escape(words)}</b> <span class="hy-muted">{age(elapsed_s)}</span></p>'
        f'<div class="hy-run-bar"><i style="width:{share:.1%}"></i></div>'
        '<p class="hy-muted hy-fine">Nothing is sent. The ticket stays in use; Stop, or any edit, ends it.</p></div>'
    )


def result(rehearsal: RehearsalPort, *, contract: FutureContract) -> Shown:
    """What it came to: figures with their errors, what a person should know of them, the market, what that leaves out.

    Summing a thousand paths up takes a few hundredths of a second: do it on a thread.
    """
    told, paths = rehearsal.rehearsed, len(rehearsal.seeds)
    by_name = {row["quantity"]: row for row in rows(rehearsal.summary())}
    figures = "".join(
        (
            _cost_a_lot(by_name["slippage_ticks"], contract=contract),
            _cost_in_all(by_name["all_lots_cash"], currency=contract.currency),
            _completion(by_name["completed"], half_s=rehearsal.done_by_s()),
            _left(by_name["shortfall_lots"], lots=told.lots),
            _messages(by_name["messages"], budget=told.messages_budget),
        )
    )
    warnings = _warnings(rehearsal, by_name, paths=paths)
    lines = "".join(f'<p class="hy-note">{escape(one)}</p>' for one in warnings)
    html = (
        f'<section role="status" aria-live="polite" aria-label="Rehearsal"><div class="hy-run-figures">{figures}</div>'
        f"{lines}{_fine_print(told)}</section>"
    )
    return Shown(html, paths, len(warnings))


def _figure(label: str, value: str, *, note: str) -> str:
    return (
        f'<div><div class="hy-label">{escape(label)}</div><div><b>{escape(value)}</b></div>'
        f"<small>{escape(note)}</small></div>"
    )


def _cost_a_lot(row: Row, *, contract: FutureContract) -> str:
    """Of the filled lots, against the mid when the order began."""
    mean = numbers.number(row["mean"])
    cash = None if mean is None else mean * float(contract.tick_value)
    low, high = (numbers.ticks(row[end], signed=True) for end in ("p5", "p95"))
    value = f"{numbers.ticks(mean, signed=True)} {error_words(row['mean_error'])}".strip()
    return _figure(
        "Cost a filled lot, ticks",
        f"{value} = {numbers.cash(cash, currency=contract.currency)}",
        note=f"5 – 95 %: {low} to {high}",
    )


def _cost_in_all(row: Row, *, currency: str) -> str:
    """Of all lots, those without a fill at the mid at the end, with commission and fees."""
    mean, low, high = (numbers.cash(row[of], currency=currency, whole=True) for of in ("mean", "p5", "p95"))
    error = numbers.number(row["mean_error"])
    sure = "" if error is None else f" ± {numbers.cash(error, currency=currency, whole=True)}"
    return _figure("All lots, with fees", f"{mean}{sure}", note=f"5 – 95 %: {low} to {high}")


def _completion(row: Row, *, half_s: float) -> str:
    error = numbers.number(row["mean_error"])
    sure = "" if error is None else error_words(100 * error)
    half = numbers.number(half_s)
    return _figure(
        "Every lot filled",
        f"{numbers.percent(row['mean'], decimals=1)} {sure}".strip(),
        note="half of the paths: never" if half is None else f"half of the paths: in {numbers.duration(half)}",
    )


def _left(row: Row, *, lots: int) -> str:
    return _figure(
        "Lots without a fill",
        f"{numbers.ticks(row['mean'])} {error_words(row['mean_error'])}".strip(),
        note=f"95 %: {numbers.lots(row['p95'])} of {numbers.lots(lots)}",
    )


def _messages(row: Row, *, budget: int) -> str:
    return _figure(
        "Messages",
        f"{numbers.ticks(row['mean'])} {error_words(row['mean_error'])}".strip(),
        note=f"95 %: {numbers.lots(row['p95'])} of {numbers.lots(budget)}",
    )


def _warnings(rehearsal: RehearsalPort, by_name: Mapping[str, Row], *, paths: int) -> list[str]:
    """What a person should know beside the figures."""
    words = [
        f"{check_name(check)} refused, or ended, {numbers.lots(count)} of {numbers.plural(paths, 'path')}."
        for check, count in rehearsal.refused.items()
    ]
    without = int(by_name["slippage_ticks"]["unknown"])
    if without:
        words.append(
            f"{numbers.lots(without)} of {numbers.plural(paths, 'path')} filled nothing, or had no mid to measure by; "
            "the cost of a filled lot leaves them out."
        )
    most = numbers.number(by_name["messages"]["p95"])
    if most is not None and most > rehearsal.rehearsed.messages_budget:
        words.append(f"One path in twenty sends {numbers.lots(most)} messages or more, above its budget.")
    return words


def _fine_print(told: RehearsedPort) -> str:
    return (
        f'<p class="hy-fine"><span class="hy-muted">Market: {escape(told.model)}.</span> '
        f'<span class="hy-warn">{escape(told.leaves_out)}</span></p>'
    )
