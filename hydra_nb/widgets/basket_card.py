"""A previewed basket as escaped HTML: its rows, what the account may come to, what it is expected to cost."""

from typing import Any

import pandas as pd

from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import Column, State, badge, escape, live_band, rows, side_words, state_words, table, title
from hydra_nb.widgets.style import STYLE

UTC = "UTC"


def basket_card(
    *,
    basket_id: str,
    rows: pd.DataFrame,
    exposure: pd.DataFrame,
    cost: pd.DataFrame,
    messages: tuple[int, int],
    valid_until: pd.Timestamp,
    badge: str,
    masked_account: str,
) -> str:
    """The card of a basket.

    Parameters
    ----------
    basket_id
        Its id.
    rows, exposure, cost
        The frames of `BasketPlan`.
    messages
        Order messages at most, and those of the busiest minute.
    valid_until
        When it becomes too old.
    badge, masked_account
        The account, as it may be shown.

    Returns
    -------
    str
        HTML with its style sheet.
    """
    state = _state(rows)
    right = (
        f"{state_words(state)}<span class='hy-muted'>valid until "
        f"{escape(numbers.clock_time(valid_until, time_zone=UTC))} UTC</span>"
        f"<span class='hy-muted'>{escape(masked_account)}</span>"
    )
    return (
        f'{STYLE}<article class="hy hy-card" aria-label="Basket {escape(basket_id[:8])}">{_head(rows, badge, right)}'
        f'{_rows_pane(rows, basket_id=basket_id)}<div class="hy-split">{_exposure_pane(exposure)}'
        f'{_cost_pane(cost, messages=messages)}</div><div class="hy-foot"><span class="hy-{state.tone or "muted"}">'
        f"{escape(state.sentence)}</span></div></article>"
    )


def _state(frame: pd.DataFrame) -> State:
    sends, refused = int(frame["order"].notna().sum()), int((~frame["passes"]).sum())
    if refused:
        words = f"The risk gate refuses {numbers.plural(refused, 'row')} of {len(frame)}, beside those before them."
        return State(words="✕ Refused in part" if refused < sends else "✕ Refused", sentence=words, tone="bad")
    if not sends:
        return State(words="○ At target", sentence="Every position is at its target; nothing is to be sent.")
    return State(words="○ Planned", sentence="All rows pass together. The plans are frozen as shown.")


def _head(frame: pd.DataFrame, badge_name: str, right: str) -> str:
    sends = numbers.plural(int(frame["order"].notna().sum()), "order")
    return (
        f'{live_band(badge_name)}<div class="hy-head">{badge(badge_name)}<span class="hy-name">Basket</span>'
        f"<span>{escape(numbers.plural(len(frame), 'row'))}, {escape(sends)}</span>"
        f'<span class="hy-right">{right}</span></div>'
    )


def _rows_pane(frame: pd.DataFrame, *, basket_id: str) -> str:
    heads = ("Row", "Turn", "Order", "Contract", "Target", "From, UTC", "To, UTC", "Slices", "Would pass", "")
    columns = [Column(head=head, style="hy-left" if head in ("", "Order") else "") for head in heads]
    body = [("hy-bad" if not row["passes"] else "", _row_cells(row)) for row in rows(frame)]
    head = title("Rows", note="what reduces risk goes first", right=f"basket {basket_id[:4]}·{basket_id[4:8]}")
    return f'<section class="hy-pane" aria-label="Rows">{head}{table(columns, body, caption="Rows")}</section>'


def _row_cells(row: dict[str, Any]) -> list[str]:
    has_order = not pd.isna(row["side"])
    order = side_words(Side(row["side"]), int(row["lots"])) if has_order else numbers.UNKNOWN
    verdict = "" if not has_order else "✓ " if row["passes"] else "✕ "
    return [
        escape(row["row"]),
        numbers.lots(row["order"]),
        escape(order),
        escape(row["local_symbol"]),
        numbers.lots(row["target"], signed=True),
        escape(numbers.clock_time(row["start"], time_zone=UTC, seconds=False)),
        escape(numbers.clock_time(row["end"], time_zone=UTC, seconds=False)),
        numbers.lots(row["slices"]),
        numbers.lots(row["would_pass"]),
        escape(f"{verdict}{row['message']}"),
    ]


def _exposure_pane(frame: pd.DataFrame) -> str:
    heads = ("Contract", "Position", "Most", "Least", "Value", "Margin")
    body = [("", _exposure_cells(row)) for row in rows(frame)]
    head = title("Exposure", note="worst case: if every working and planned lot fills")
    shown = table([Column(head=one) for one in heads], body, caption="Exposure, one row a contract")
    return f'<section class="hy-pane" aria-label="Exposure">{head}{shown}</section>'


def _exposure_cells(row: dict[str, Any]) -> list[str]:
    currency = str(row["base_currency"])
    return [
        escape(row["local_symbol"]),
        numbers.lots(row["position"], signed=True),
        numbers.lots(row["worst_long"], signed=True),
        numbers.lots(row["worst_short"], signed=True),
        escape(numbers.cash(row["notional"], currency=currency, whole=True)),
        escape(numbers.cash(row["margin"], currency=currency, whole=True)),
    ]


def _cost_pane(frame: pd.DataFrame, *, messages: tuple[int, int]) -> str:
    total = rows(frame)[-1]
    currency = str(total["base_currency"])
    slippage = numbers.cash(total["slippage_base"], currency=currency, whole=True)
    fees = numbers.cash(total["commission_base"], currency=currency, whole=True)
    most, of_minute = messages
    return (
        f'<section class="hy-pane" aria-label="Expected cost">{title("Expected cost", note="all rows, against mid")}'
        # Each by itself: JupyterLab takes what stands between two dollar signs of one text for a formula.
        f"<p><span>Slippage {escape(slippage)}, </span><span>fees {escape(fees)}.</span></p>"
        f'<p class="hy-muted hy-fine">{numbers.plural(most, "order message")} at most, '
        f"{numbers.lots(of_minute)} in the busiest minute.</p></section>"
    )
