"""A rehearsal, and plans compared, as escaped HTML: what they came to, how surely, and what the model leaves out."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from hydra_nb.domain.rehearsal_ports import RehearsedPort
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import Column, badge, escape, rows, side_style, side_words, table, tile, title
from hydra_nb.widgets.style import STYLE

SHOWN = {
    "slippage_ticks": "Filled lots, ticks a lot",
    "all_lots_ticks": "All lots, ticks a lot",
    "cost_cash": "Filled lots, with fees",
    "all_lots_cash": "All lots, with fees",
    "shortfall_lots": "Lots without a fill",
    "messages": "Messages",
}
"""Quantities of the summary that a card shows, and how it names them."""
COMPLETED = {
    "completed_quarter": "a quarter",
    "completed_half": "half",
    "completed_three_quarters": "three quarters",
    "completed": "the end",
}


def rehearsal_card(
    rehearsed: RehearsedPort, *, summary: pd.DataFrame, refused: Mapping[str, int], seed: int, paths: int
) -> str:
    """The card of a rehearsal.

    Parameters
    ----------
    rehearsed
        What was rehearsed.
    summary
        Columns of ``rehearsal.summary``.
    refused
        How many paths each check refused, or ended.
    seed, paths
        Of the markets.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    by_name = {row["quantity"]: row for row in rows(summary)}
    lots = f'<span class="hy-side">{escape(side_words(rehearsed.side, rehearsed.lots))}</span>'
    return (
        f'{STYLE}<article class="hy hy-card {side_style(rehearsed.side)}" aria-label="Rehearsal">'
        f"{_head(rehearsed, left=lots + _name(rehearsed.label), seed=seed, paths=paths)}"
        f"{_strip(rehearsed, by_name)}"
        f'<div class="hy-split">{_figures_pane(rehearsed, by_name)}{_completion_pane(rehearsed, by_name)}</div>'
        f"{_notices(rehearsed, by_name, refused=refused, paths=paths)}{_foot(rehearsed)}</article>"
    )


def comparison_card(
    rehearsed: RehearsedPort, *, frontier: pd.DataFrame, paired: pd.DataFrame, seed: int, paths: int
) -> str:
    """The card of plans in common markets.

    Parameters
    ----------
    rehearsed
        The first plan.
    frontier, paired
        Columns of ``comparison.frontier`` and ``comparison.compare``.
    seed, paths
        Of the markets.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    told = rows(frontier)
    cost = str(told[0]["cost"])
    differences = {row["plan"]: row for row in rows(paired) if row["quantity"] == cost}
    heads = (
        "Plan",
        "Cost, ticks",
        "Less the first",
        "95 % interval",
        "Cheaper in",
        "Deviation",
        "Unfilled",
        "Completed",
    )
    body = [("", _plan_cells(row, differences.get(row["plan"]))) for row in told]
    whose = "all lots, those without a fill at the mid at the end" if cost == "all_lots_ticks" else "the filled lots"
    head = title("Plans", note=f"ticks a lot of {whose}; differences path by path in the same markets")
    shown = table([Column(head=one) for one in heads], body, caption="Plans, one row each")
    return (
        f'{STYLE}<article class="hy hy-card {side_style(rehearsed.side)}" aria-label="Comparison of plans">'
        f"{_head(rehearsed, left=_name('Plans compared'), seed=seed, paths=paths)}"
        f'<section class="hy-pane" aria-label="Plans">{head}{shown}</section>{_foot(rehearsed)}</article>'
    )


def bounds_card(touch: RehearsedPort, through: RehearsedPort, *, frame: pd.DataFrame, seed: int, paths: int) -> str:
    """The card of one plan on a tape, by both rules of fills.

    Parameters
    ----------
    touch, through
        What was rehearsed, by each rule.
    frame
        Columns of ``rehearsal.bounds``.
    seed, paths
        Of the markets.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    by_name = {row["quantity"]: row for row in rows(frame)}
    heads = ("", "First in the queue (touch)", "Last (through)", "Difference", "95 % interval")
    shown = {**SHOWN, "completed": "Share of the paths completed"}
    body = [("", [escape(words), *_bound_cells(by_name[name], touch.currency)]) for name, words in shown.items()]
    head = title("Between what it lies", note="means; nobody knows the place of an order in the queue of a recording")
    figures = table([Column(head=one) for one in heads], body, caption="Means by both rules of fills")
    rules = f'<p class="hy-note">{escape(through.leaves_out)}</p>'
    return (
        f'{STYLE}<article class="hy hy-card {side_style(touch.side)}" aria-label="Bounds of fills">'
        f"{_head(touch, left=_name(touch.label), seed=seed, paths=paths)}"
        f'<section class="hy-pane" aria-label="Bounds">{head}{figures}{rules}</section>{_foot(touch)}</article>'
    )


def error_words(error: Any) -> str:
    """A Monte-Carlo error with two digits, ``± 0.12``; empty where there is none."""
    known = numbers.number(error)
    if known is None:
        return ""
    decimals = 0 if known == 0 else max(0, 1 - math.floor(math.log10(known)))
    return f"± {known:,.{min(decimals, 4)}f}"


# Parts of the cards


def _head(rehearsed: RehearsedPort, *, left: str, seed: int, paths: int) -> str:
    return (
        f'<div class="hy-head">{badge("SIM")}{left}<span>{escape(rehearsed.local_symbol)}</span>'
        f'<span class="hy-right"><span class="hy-state hy-plain">○ Rehearsed</span>'
        f'<span class="hy-muted">{escape(numbers.plural(paths, "path"))} · seed {seed}</span></span></div>'
    )


def _name(words: str) -> str:
    return f'<span class="hy-name">{escape(words)}</span>'


def _strip(rehearsed: RehearsedPort, by_name: Mapping[str, dict[str, Any]]) -> str:
    """Four figures: cost, its range, the worst, completion."""
    cost, done = by_name["slippage_ticks"], by_name["completed"]
    cash = by_name["cost_cash"]
    tiles = (
        tile(
            "Cost a lot, mean",
            f"{numbers.ticks(cost['mean'], signed=True)} ticks",
            note=error_words(cost["mean_error"]),
        ),
        tile("5 % to 95 %", f"{numbers.ticks(cost['p5'], signed=True)} to {numbers.ticks(cost['p95'], signed=True)}"),
        tile(
            "Worst 5 %, mean",
            f"{numbers.ticks(cost['worst'], signed=True)} ticks",
            note=error_words(cost["worst_error"]),
        ),
        tile(
            "With fees, mean",
            numbers.cash(cash["mean"], currency=rehearsed.currency, whole=True),
            note="all filled lots",
        ),
        tile("Completed", numbers.percent(done["mean"], decimals=0), note="of the paths, every lot"),
    )
    return f'<div class="hy-quote">{"".join(tiles)}</div>'


def _figures_pane(rehearsed: RehearsedPort, by_name: Mapping[str, dict[str, Any]]) -> str:
    heads = ("", "Mean", "5 %", "Half", "95 %", "Worst 5 %")
    body = []
    for name, words in SHOWN.items():
        row = by_name[name]
        cells = [_figure(row, figure, currency=rehearsed.currency) for figure in ("mean", "p5", "p50", "p95", "worst")]
        body.append(("", [escape(words), *cells]))
    head = title("What it came to", note="± the Monte-Carlo error; positive is a cost")
    shown = table([Column(head=one) for one in heads], body, caption="Figures over the paths")
    return f'<section class="hy-pane" aria-label="What it came to">{head}{shown}</section>'


def _figure(row: Mapping[str, Any], figure: str, *, currency: str) -> str:
    """A figure in the form of its unit, and its error."""
    value, error = row[figure], row[f"{figure}_error"]
    if row["unit"] == "cash":
        return escape(numbers.cash(value, currency=currency, whole=True))
    shown = numbers.ticks(value, signed=row["unit"] == "ticks")
    return f"{escape(shown)} <small>{escape(error_words(error))}</small>"


def _completion_pane(rehearsed: RehearsedPort, by_name: Mapping[str, dict[str, Any]]) -> str:
    body = []
    for name, words in COMPLETED.items():
        row = by_name[name]
        share = numbers.percent(row["mean"], decimals=1)
        error = numbers.number(row["mean_error"])
        body.append(
            (
                "",
                [
                    escape(words),
                    f"{escape(share)} <small>{escape('' if error is None else error_words(error * 100))}</small>",
                ],
            )
        )
    head = title("Every lot filled by", note=f"of {numbers.duration(rehearsed.duration_s)}")
    shown = table([Column(head="Part of the duration"), Column(head="Of the paths")], body, caption="Completion")
    return f'<section class="hy-pane" aria-label="Completion">{head}{shown}</section>'


def _notices(
    rehearsed: RehearsedPort, by_name: Mapping[str, dict[str, Any]], *, refused: Mapping[str, int], paths: int
) -> str:
    """What a person should know beside the figures."""
    words = []
    if paths == 1:
        words.append("One path tells no error; rehearse more.")
    without = int(by_name["slippage_ticks"]["unknown"])
    if without:
        words.append(
            f"{numbers.plural(without, 'path')} of {numbers.lots(paths)} filled nothing, or had no mid to measure by. "
            "The cost of the filled lots leaves them out; that of all lots only where their last mid is not known."
        )
    words += [
        f"The check {check} refused, or ended, {numbers.plural(count, 'path')}." for check, count in refused.items()
    ]
    most = numbers.number(by_name["messages"]["p95"])
    if most is not None and most > rehearsed.messages_budget:
        words.append(
            f"One path in twenty sends {numbers.lots(most)} messages or more; {rehearsed.messages_budget} are budgeted."
        )
    if not words:
        return ""
    lines = "".join(f'<p class="hy-note">{escape(one)}</p>' for one in words)
    return f'<section class="hy-pane" aria-label="Notices">{lines}</section>'


def _foot(rehearsed: RehearsedPort) -> str:
    predicted = (
        ""
        if rehearsed.predicted_ticks is None
        else f"The formula predicts {numbers.ticks(rehearsed.predicted_ticks, signed=True)} ticks a lot. "
    )
    return (
        f'<div class="hy-foot"><b>Simulated; nothing was sent.</b><span class="hy-muted">{escape(predicted)}'
        f'Market: {escape(rehearsed.model)}</span><span class="hy-warn">{escape(rehearsed.leaves_out)}</span></div>'
    )


def _bound_cells(row: Mapping[str, Any], currency: str) -> list[str]:
    low, high = (_bound(row, end, currency) for end in ("low", "high"))
    scale = 100 if row["unit"] == "1" else 1
    touch, through, difference = (
        f"{_bound(row, figure, currency)} <small>{escape(error_words(scale * row[error]))}</small>"
        for figure, error in (("touch", "touch_error"), ("through", "through_error"), ("difference", "error"))
    )
    return [touch, through, difference, f"{low} to {high}"]


def _bound(row: Mapping[str, Any], figure: str, currency: str) -> str:
    if row["unit"] == "cash":
        return escape(numbers.cash(row[figure], currency=currency, whole=True))
    if row["unit"] == "1":
        return escape(numbers.percent(row[figure], decimals=0))
    return escape(numbers.ticks(row[figure], signed=row["unit"] == "ticks" or figure not in ("touch", "through")))


def _plan_cells(row: dict[str, Any], difference: dict[str, Any] | None) -> list[str]:
    """Cells of one plan; of the first there is no difference."""
    paired = [numbers.UNKNOWN] * 3
    if difference is not None:
        low, high = (numbers.ticks(difference[end], signed=True) for end in ("low", "high"))
        paired = [
            numbers.ticks(difference["difference"], signed=True),
            f"{low} to {high}",
            numbers.percent(difference["less_share"], decimals=0),
        ]
    return [
        escape(row["plan"]),
        escape(numbers.ticks(row["cost_ticks"], signed=True)),
        *(escape(one) for one in paired),
        escape(numbers.ticks(row["deviation_ticks"])),
        escape(f"{row['shortfall_lots']:.1f}"),
        escape(numbers.percent(row["completed"], decimals=0)),
    ]
