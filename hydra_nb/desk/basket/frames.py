"""Frames of a basket that is not sent, and of one that is; their columns are listed in ``docs/columns.md``."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from hydra_nb.analysis import basket_columns
from hydra_nb.analysis.columns import Column, make_frame
from hydra_nb.desk.basket.lines import Line
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.events import BasketSubmitted
from hydra_nb.domain.market import AccountState
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager.exposure import ContractExposure

TOTAL = "total"


def rows_frame(lines: Sequence[Line], *, turns: Mapping[int, int]) -> pd.DataFrame:
    """One row a row of the basket; `turns` gives the turn of those that are sent, by their place in the frame."""
    return make_frame(basket_columns.ROWS, (_row(line, turn=turns.get(line.want.request.number)) for line in lines))


def _row(line: Line, *, turn: int | None) -> dict[str, Any]:
    want, terms = line.want, None if line.plan is None else line.plan.terms
    return {
        "row": line.label,
        "local_symbol": want.contract.local_symbol,
        "side": want.side,
        "lots": want.lots,
        "target": want.target,
        "position": None if want.held is None else want.held.position,
        "outstanding": None if want.held is None else want.held.outstanding,
        "strategy": None if terms is None else terms.parent.strategy,
        "slices": None if terms is None else len(terms.slices),
        "start": None if line.plan is None else line.plan.schedule["start"].iloc[0].value,
        "end": None if line.plan is None else _end_ns(line.plan),
        "limit": None if terms is None else terms.parent.limit,
        "tag": None if terms is None else terms.parent.tag,
        "order": turn,
        "reduces": line.reduces,
        "passes": line.passes,
        "alone": line.alone,
        "would_pass": None if line.plan is None else line.plan.would_pass_now.lots,
        "largest_target": line.largest_target,
        "plan_id": None if terms is None else terms.plan_id,
        "message": line.message,
    }


def _end_ns(plan: Plan) -> int:
    last = plan.schedule.iloc[-1]
    return int(last["start"].value) + plan.terms.slices[-1].ladder.total_ns


def schedule_frame(lines: Iterable[Line]) -> pd.DataFrame:
    """The schedules of all plans, one under the other."""
    parts = [
        (line, {"side": line.plan.parent.side}, line.plan.schedule)
        for line in lines
        if line.plan is not None  # what is at its target has none
    ]
    return _placed(basket_columns.PLACED_SCHEDULE, parts)


def risk_frame(lines: Iterable[Line]) -> pd.DataFrame:
    """What the gate decided of all plans, each beside those before it."""
    return _placed(basket_columns.RISK, [(line, {}, line.plan.risk) for line in lines if line.plan is not None])


def _placed(columns: Sequence[Column], parts: Sequence[tuple[Line, Mapping[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """Frames of plans under each other, with row and month before them."""
    if not parts:
        return make_frame(columns, ())
    named = [
        frame.assign(row=line.label, local_symbol=line.want.contract.local_symbol, **more)
        for line, more, frame in parts
    ]
    joined = pd.concat(named, ignore_index=True)[[one.name for one in columns]]
    return joined.astype({"row": "str", "local_symbol": "str"} | ({"side": "str"} if "side" in joined else {}))


def cost_frame(lines: Iterable[Line], *, account: AccountState) -> pd.DataFrame:
    """What each plan is expected to cost, and the sums in the account's currency."""
    rows = [_cost_row(line, account=account) for line in lines if line.plan is not None]
    total: dict[str, Any] = dict.fromkeys(one.name for one in basket_columns.COST)
    total |= {"row": TOTAL, "local_symbol": TOTAL, "base_currency": account.currency}
    # One that is not known makes the sum unknown.
    total |= {name: sum(row[name] for row in rows) for name in ("slippage_base", "commission_base")}
    return make_frame(basket_columns.COST, [*rows, total])


def _cost_row(line: Line, *, account: AccountState) -> dict[str, Any]:
    plan, contract = line.plan, line.want.contract
    assert plan is not None  # noqa: S101  for mypy: the caller has looked
    row = {str(name): value for name, value in plan.expected_cost.iloc[0].items()}
    rate = account.rate(contract.currency)
    worth = math.nan if rate is None else float(rate)
    return {
        "row": line.label,
        "local_symbol": contract.local_symbol,
        **row,
        "slippage_base": float(row["slippage_cash"]) * worth,
        "commission_base": float(row["commission"]) * worth,
        "base_currency": account.currency,
    }


def exposure_frame(
    exposures: Sequence[ContractExposure], *, margins: Mapping[int, float | None], account: AccountState
) -> pd.DataFrame:
    """One row a contract that is held, worked or planned, and the total over all.

    `margins` are the changes of initial margin that the rows of the basket would make, by contract id.
    """
    rows = [_exposure_row(one, margin=margins.get(one.con_id, 0.0), account=account) for one in exposures]
    total: dict[str, Any] = dict.fromkeys(one.name for one in basket_columns.EXPOSURE)
    total |= {"local_symbol": TOTAL, "base_currency": account.currency}
    total["notional"] = _sum(row["notional"] for row in rows)
    needed = _sum(None if change is None else max(0.0, change) for change in margins.values())
    initial = account.initial_margin
    total["margin"] = None if needed is None or initial is None else float(initial) + needed
    return make_frame(basket_columns.EXPOSURE, [*rows, total])


def _exposure_row(one: ContractExposure, *, margin: float | None, account: AccountState) -> dict[str, Any]:
    return {
        "local_symbol": str(one.con_id) if one.contract is None else one.contract.local_symbol,
        "position": one.most if one.least == one.most else None,
        "working_buy": one.working_buy,
        "working_sell": one.working_sell,
        "planned_buy": one.planned_buy,
        "planned_sell": one.planned_sell,
        "worst_long": one.worst_long,
        "worst_short": one.worst_short,
        "notional": one.notional,
        "margin": margin,
        "currency": None if one.contract is None else one.contract.currency,
        "base_currency": account.currency,
    }


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None where one of them is not known."""
    known = list(values)
    return None if any(value is None for value in known) else sum(value for value in known if value is not None)


def most_messages_a_minute(plans: Iterable[ExecutionPlan], *, start_ns: Mapping[str, int]) -> int:
    """Order messages that could at most fall into one minute: each slice places, modifies twice and cancels.

    `start_ns` gives the time from which a plan's offsets count, by plan id.
    """
    times = sorted(time for plan in plans for time in _message_times(plan, from_ns=start_ns[plan.plan_id]))
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - 60 * NS_PER_S:
            first += 1
        most = max(most, last - first + 1)
    return most


def _message_times(plan: ExecutionPlan, *, from_ns: int) -> Iterator[int]:
    for planned in plan.slices:
        start_ns, ladder = from_ns + planned.offset_ns, planned.ladder
        yield from (start_ns, start_ns + ladder.mid_ns, start_ns + ladder.mid_ns + ladder.step_ns)
        yield start_ns + ladder.total_ns


def baskets_frame(baskets: Iterable[BasketSubmitted]) -> pd.DataFrame:
    """One row a basket that was handed over."""
    return make_frame(
        basket_columns.BASKETS,
        (
            {
                "basket_id": one.basket_id,
                "submitted": one.time_ns,
                "on_refusal": one.on_refusal,
                "rows": len(one.rows),
                "sent": sum(row.parent_id is not None for row in one.rows),
                "parent_ids": ", ".join(row.parent_id for row in one.rows if row.parent_id is not None),
            }
            for one in baskets
        ),
    )
