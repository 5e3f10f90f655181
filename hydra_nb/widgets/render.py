"""From a plan or an execution to escaped HTML: pure functions of what the ports tell.

A card stands alone: it brings its style sheet, needs no script and no JupyterLab.
"""

from hydra_nb.domain.ports import ExecutionPort, PlanPort
from hydra_nb.widgets import numbers
from hydra_nb.widgets.execution_parts import execution_state, figures_pane, progress_pane, slices_pane
from hydra_nb.widgets.parts import escape, order_head, side_style, state_words, time_cell
from hydra_nb.widgets.plan_parts import (
    cost_pane,
    notices,
    order_sentence,
    plan_state,
    risk_pane,
    schedule_pane,
)
from hydra_nb.widgets.style import STYLE


def plan_card(plan: PlanPort, *, badge: str, masked_account: str) -> str:
    """A previewed plan: the order, its schedule, risk, expected cost and notices.

    Parameters
    ----------
    plan
        What was previewed.
    badge
        ``SIM``, ``PAPER`` or ``LIVE``.
    masked_account
        The account as it may be shown.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    parent, zone = plan.parent, plan.parent.contract.time_zone
    state = plan_state(plan)
    zone_name = numbers.zone_name(plan.valid_until, time_zone=zone)
    right = (
        f"{state_words(state)}<span class='hy-muted'>valid until {time_cell(plan.valid_until, time_zone=zone)} "
        f"{escape(zone_name)}</span><span class='hy-muted'>{escape(masked_account)}</span>"
    )
    return (
        f'{STYLE}<article class="hy hy-card {side_style(parent.side)}" aria-label="Plan {escape(plan.plan_id[:8])}">'
        f"{order_head(parent, badge_name=badge, right=right)}{plan_body(plan)}"
        f'<div class="hy-foot"><b>{escape(order_sentence(plan))}</b>'
        f'<span class="hy-{state.tone or "muted"}">{escape(state.sentence)}</span></div></article>'
    )


def plan_body(plan: PlanPort) -> str:
    """The panes of a plan without header, foot and style sheet, for a place that has them already."""
    return f'{schedule_pane(plan)}<div class="hy-split">{risk_pane(plan)}{cost_pane(plan)}</div>{notices(plan)}'


def execution_card(execution: ExecutionPort, *, badge: str, masked_account: str, now_ns: int) -> str:
    """A parent order as it runs: state, progress, four figures, slices.

    Parameters
    ----------
    execution
        What was submitted.
    badge
        ``SIM``, ``PAPER`` or ``LIVE``.
    masked_account
        The account as it may be shown.
    now_ns
        Market time, UTC nanoseconds.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    return STYLE + execution_body(execution, badge=badge, masked_account=masked_account, now_ns=now_ns)


def execution_body(execution: ExecutionPort, *, badge: str, masked_account: str, now_ns: int) -> str:
    """The card of an execution without the style sheet, for a place that has it already."""
    parent, zone = execution.parent, execution.parent.contract.time_zone
    state = execution_state(execution)
    zone_name = escape(numbers.zone_name(now_ns, time_zone=zone))
    clock = f"<span class='hy-muted'>{time_cell(now_ns, time_zone=zone)} {zone_name}</span>"
    right = (
        f"{state_words(state)}<span class='hy-muted'>{escape(execution.parent_id)}</span>"
        f"{'' if execution.status.is_over else clock}"
        f"<span class='hy-muted'>{escape(masked_account)}</span>"
    )
    sentence = f'<div class="hy-foot" role="status">{escape(state.sentence)}</div>' if state.sentence else ""
    return (
        f'<article class="hy hy-card {side_style(parent.side)}" aria-label="Execution {escape(execution.parent_id)}">'
        f"{order_head(parent, badge_name=badge, right=right)}"
        f'<div class="hy-split hy-halves">{progress_pane(execution, now_ns=now_ns)}'
        f"{figures_pane(execution)}</div>"
        f"{slices_pane(execution)}{sentence}</article>"
    )
