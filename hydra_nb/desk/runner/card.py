"""A runner as it is shown in a cell."""

from typing import TYPE_CHECKING

import pandas as pd

from hydra_nb.widgets.parts import escape
from hydra_nb.widgets.style import STYLE

if TYPE_CHECKING:
    from hydra_nb.desk.runner.runner import Runner

_SHOWN = 5


def state_words(runner: "Runner") -> str:
    """What it waits for; of a runner of the same name that an earlier cell left at work, that it does."""
    earlier = f"the runner {runner.settings.name} of an earlier cell, with other settings or another function,"
    if not runner.is_running:
        is_at_work = runner.is_of_an_earlier_cell
        return f"{earlier} has a cycle at work" if is_at_work else "not running; start() has it wait for the next day"
    due = runner.next
    words = "asks for the hours" if pd.isna(due) else f"next at {due:%a %Y-%m-%d %H:%M} UTC"
    return f"{earlier} runs: {words}; await stop() ends it" if runner.is_of_an_earlier_cell else words


def runner_card(runner: "Runner", *, badge: str, masked_account: str) -> str:
    """Name, what it waits for, and its last cycles."""
    settings = runner.settings
    kind = "dry run" if settings.dry_run else "sends orders"
    head = f"{badge} {masked_account} · {settings.name} · at {settings.at} by {settings.calendar} · {kind}"
    last = runner.history().tail(_SHOWN).iloc[::-1]
    rows = "".join(
        f"<tr><td>{escape(row['day'])}</td><td>{escape(row['status'])}</td><td>{row['filled_lots']}</td>"
        f"<td style='text-align:left'>{escape(row['message'])}</td></tr>"
        for row in last.to_dict("records")
    )
    table = f"<table><tr><th>day</th><th>status</th><th>filled</th><th></th></tr>{rows}</table>" if rows else ""
    return (
        f'{STYLE}<article class="hy hy-card" aria-label="Runner {escape(settings.name)}">'
        f"<div class='hy-foot'><b>{escape(head)}</b> <span class='hy-muted'>{escape(state_words(runner))}</span></div>"
        f"{table}</article>"
    )
