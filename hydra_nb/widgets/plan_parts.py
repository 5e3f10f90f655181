"""The panes of a plan's card: schedule, risk, expected cost, notices."""

from collections.abc import Sequence
from typing import Any

from hydra_nb.algos.routing import TWAP_FROM_PARTICIPATION
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.ports import PlanPort
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import STRATEGY_NAMES, Column, State, escape, ladder_s, rows, table, time_cell, title
from hydra_nb.widgets.picture import schedule_picture
from hydra_nb.widgets.ticket_risk import (
    PRICE_UNITS,
    all_pass,
    check_name,
    passing_tables,
    refusal_boxes,
    refusals,
    refusing,
    risk_head,
    sentence,
)

LEAST_EVIDENCE = 10  # below so many own fills no point estimate is shown


def plan_state(plan: PlanPort) -> State:
    """Whether the plan could be sent, with the reason where it could not."""
    if plan.passes:
        return State(words="○ Planned", sentence=f"{all_pass(len(rows(plan.risk)))} The plan is frozen as shown.")
    reason = refusal_reason(plan)
    reason = f"{reason[:1].upper()}{reason[1:]}"
    return State(words="✕ Refused", sentence=f"{sentence(reason)} Nothing has been sent.", tone="bad")


def refusal_reason(plan: PlanPort) -> str:
    """What refuses the plan first, as the rest of a sentence: ``the price collar refuses a limit of 376.00``."""
    refused = refusing(plan)
    if not refused:
        return "the risk gate refuses this order"
    row, limit = refused[0], plan.parent.limit
    name, fact = check_name(row["check"]), str(row["message"]).partition(":")[0]
    if numbers.number(row["would_pass"]) is None:
        return str(row["message"])
    if str(row["unit"]).lower() in PRICE_UNITS and limit is not None:
        return f"the {name[:1].lower()}{name[1:]} refuses a limit of {plan.parent.contract.format_price(limit)}"
    return f"{name[:1].lower()}{name[1:]}: {fact}"


def strategy_sentence(plan: PlanPort) -> str:
    """The strategy and what speaks for it: the share of the average daily volume."""
    share = numbers.number(plan.participation)
    twap = share is None or share >= TWAP_FROM_PARTICIPATION
    return strategy_reason(plan.strategy, plan.participation, asked=twap is not (plan.strategy is Strategy.TWAP))


def strategy_reason(strategy: Strategy, share: float, *, asked: bool) -> str:
    """A strategy and its reason: that it was asked for, or how the share of the daily volume compares."""
    name, known = STRATEGY_NAMES[strategy], numbers.number(share)
    if known is None:
        return f"{name}: the average daily volume is not known."
    shown, bound = f"{numbers.percent(known)} of ADV", numbers.percent(TWAP_FROM_PARTICIPATION, decimals=0)
    if asked:
        return f"{name}, as asked: {shown}."
    return f"{name}, as {shown} is {f'{bound} or more' if strategy is Strategy.TWAP else f'below {bound}'}."


def order_sentence(plan: PlanPort) -> str:
    """The order in words: what runs, from when to when, and the price that is never passed."""
    parent, schedule = plan.parent, rows(plan.schedule)
    contract = parent.contract
    never = ""
    if parent.limit is not None:
        word = "above" if parent.side is Side.BUY else "below"
        never = f", never {word} {numbers.price(parent.limit, decimals=contract.decimals)}"
    if not schedule:
        return f"{STRATEGY_NAMES[parent.strategy]}{never}."
    start, last = numbers.moment(schedule[0]["start"]), numbers.moment(schedule[-1]["start"])
    end_ns = None if last is None else last.value + round(ladder_s(schedule[-1]) * 1e9)
    zone = contract.time_zone
    over = "" if start is None or end_ns is None else f" over {numbers.duration((end_ns - start.value) / 1e9)}"
    return (
        f"{STRATEGY_NAMES[plan.strategy]}, {numbers.plural(len(schedule), 'slice')}{over}{never}. "
        f"{numbers.clock_time(start, time_zone=zone)} to {numbers.clock_time(end_ns, time_zone=zone)} "
        f"{numbers.zone_name(start, time_zone=zone)}."
    )


def schedule_pane(plan: PlanPort) -> str:
    """The schedule's picture and its table, one row a slice."""
    contract, schedule = plan.parent.contract, rows(plan.schedule)
    picture = schedule_picture(
        schedule,
        limit=numbers.number(plan.parent.limit),
        decimals=contract.decimals,
        time_zone=contract.time_zone,
    )
    note = "blue: stage prices, lots below · shaded: where jitter could have put the start"
    if plan.parent.limit is not None:
        note += " · dashed: your limit"
    lead = f'<p class="hy-lead">{escape(strategy_sentence(plan))}</p>'
    head = lead + title("Schedule", note=note, right=f"plan {short_id(plan)}")
    return f'<section class="hy-pane" aria-label="Schedule">{head}{picture}{schedule_table(plan)}</section>'


def short_id(plan: PlanPort) -> str:
    """The first of a plan's id, as a person compares it: ``7c1f·09ae``."""
    return f"{plan.plan_id[:4]}·{plan.plan_id[4:8]}"


def schedule_table(plan: PlanPort, *, most: int | None = None) -> str:
    """One row a slice; beyond `most` rows the later ones are folded."""
    contract, schedule = plan.parent.contract, rows(plan.schedule)
    if most is None or len(schedule) <= most:
        return _schedule_table(schedule, contract)
    shown, folded = schedule[: most - 1], schedule[most - 1 :]
    return (
        f"{_schedule_table(shown, contract)}<details><summary>Show the other {len(folded)} slices</summary>"
        f"{_schedule_table(folded, contract)}</details>"
    )


def _schedule_table(schedule: Sequence[dict[str, Any]], contract: FutureContract) -> str:
    zone = contract.time_zone
    zone_name = numbers.zone_name(schedule[0]["start"] if schedule else None, time_zone=zone)
    waits = {name: {numbers.number(row[f"wait_{name}_s"]) for row in schedule} for name in ("mid", "step", "cross")}
    common = {name: len(values) == 1 for name, values in waits.items()}
    stage_heads = [
        Column(
            head=f"{name.capitalize()} {numbers.duration(next(iter(waits[name])))}"
            if common[name]
            else f"{name.capitalize()}"
        )
        for name in ("mid", "step", "cross")
    ]
    columns = [
        Column(head="Slice"),
        Column(head=f"Start, {zone_name}"),
        Column(head="Could start", style="hy-optional"),
        Column(head="Lots"),
        Column(head="Total"),
        *stage_heads,
        Column(head="Gone by", style="hy-optional"),
        Column(head="Of ADV", style="hy-optional"),
    ]
    body = []
    for row in schedule:
        start = numbers.moment(row["start"])
        ends_ns = None if start is None else start.value + round(ladder_s(row) * 1e9)
        stages = [
            numbers.price(row[f"limit_{name}"], decimals=contract.decimals)
            + ("" if common[name] else f" <small>{numbers.duration(row[f'wait_{name}_s'])}</small>")
            for name in ("mid", "step", "cross")
        ]
        cells = [
            numbers.lots(row["slice"]),
            time_cell(start, time_zone=zone),
            f'<span class="hy-muted">{_window_words(row, zone)}</span>',
            f'<span class="hy-strong">{numbers.lots(row["lots"])}</span>',
            numbers.lots(row["cumulative_lots"]),
            *stages,
            time_cell(ends_ns, time_zone=zone),
            numbers.percent(row["participation"]),
        ]
        body.append(("", cells))
    return table(columns, body, caption="Schedule, one row a slice")


def _window_words(row: dict[str, Any], time_zone: str) -> str:
    earliest, latest = numbers.moment(row["earliest"]), numbers.moment(row["latest"])
    if earliest is None or latest is None:
        return numbers.UNKNOWN
    if earliest == latest:
        return "fixed"
    minutes = (latest - earliest).total_seconds() >= 120
    first = numbers.clock_time(earliest, time_zone=time_zone, seconds=not minutes)
    return f"{first} – {numbers.clock_time(latest, time_zone=time_zone, seconds=not minutes)}"


def risk_pane(plan: PlanPort) -> str:
    """Refusing checks first, then the passing ones nearest to their limits, the rest folded."""
    refused = [f'<div class="hy-refusal">{one.html}</div>' for one in refusal_boxes(refusals(plan, quote=None))]
    return (
        f'<section class="hy-pane" aria-label="Risk">{risk_head(plan)}{"".join(refused)}'
        f"{passing_tables(plan)}</section>"
    )


def cost_pane(plan: PlanPort) -> str:
    """What the order is expected to cost, with its evidence; no point estimate without enough of it."""
    lots = numbers.plural(plan.parent.lots, "lot")
    found = rows(plan.expected_cost)
    note = f"against mid, all {lots}" if plan.parent.lots > 1 else "against mid, 1 lot"
    head = title("Expected cost", note=note)
    content = _cost(found[0], plan) if found else f"<p>{numbers.UNKNOWN}</p>"
    return f'<section class="hy-pane" aria-label="Expected cost">{head}{content}</section>'


def _cost(row: dict[str, Any], plan: PlanPort) -> str:
    contract, lots = plan.parent.contract, plan.parent.lots
    currency = str(row["currency"] or contract.currency)
    evidence = int(numbers.number(row["n_evidence"]) or 0)
    half = numbers.number(row["cross_now_ticks"])
    half_cash = None if half is None else half * float(contract.tick_value) * lots
    fees = numbers.number(row["commission"])
    fee_words = "Fees are not known yet." if fees is None else f"Fees {numbers.cash(fees, currency=currency)} on top."
    thin = _thin_touch(plan)
    if evidence < LEAST_EVIDENCE:
        shown = numbers.cash(half_cash, currency=currency, whole=True)
        spread = (
            "the spread is not known" if half is None else f"half the spread is {numbers.ticks(half)} ticks, {shown}"
        )
        return (
            f"<p>Not enough own fills (n = {evidence}): {escape(spread)}.</p>"
            f'<p class="hy-muted hy-fine">{escape(fee_words)} {escape(thin)} No point estimate below '
            f"n = {LEAST_EVIDENCE}; what is predicted is stored with the order and held against its fills "
            f"({escape(row['predictor_version'])}).</p>"
        )
    return _estimate(row, currency=currency, half_cash=half_cash, cash_per_tick=float(contract.tick_value) * lots) + (
        f'<p class="hy-muted hy-fine" title="predictor {escape(row["predictor_version"])}">{escape(fee_words)} '
        f"{escape(thin)}<br>n = {evidence}, {escape(sentence(row['source']))}</p>"
    )


def _thin_touch(plan: PlanPort) -> str:
    """That the opposite touch shows fewer lots than the order has; empty where it does not, or is not known."""
    side, last = plan.parent.side, rows(plan.quotes.tail(1))
    name = "ask" if side is Side.BUY else "bid"
    size = numbers.number(last[0][f"{name}_size"]) if last else None
    if size is None or size <= 0 or size >= plan.parent.lots:
        return ""
    return f"The {name} shows only {numbers.plural(int(size), 'lot')}."


def _estimate(row: dict[str, Any], *, currency: str, half_cash: float | None, cash_per_tick: float) -> str:
    """Cash large, ticks and bps, and the interval as a bar with the estimate and a mark for crossing now."""
    low, high = numbers.number(row["low_ticks"]), numbers.number(row["high_ticks"])
    point, cross = numbers.number(row["slippage_ticks"]), numbers.number(row["cross_now_ticks"])
    figure = (
        f'<p class="hy-row"><span class="hy-big">{numbers.cash(row["slippage_cash"], currency=currency)}</span>'
        f"<span><b>{numbers.ticks(point)} ticks</b> · {numbers.bps(row['slippage_bps'])} bps</span></p>"
    )
    known = [value for value in (low, high, point, cross) if value is not None]
    if low is None or high is None or point is None:
        return figure
    first, last = min(0.0, *known), max(known) * 1.15 or 1.0

    def at(value: float) -> str:
        return f"{(value - first) / (last - first) * 100:.1f}%"

    mark = "" if cross is None else f'<s style="left:{at(cross)}"></s>'
    bar = (
        f'<div class="hy-interval" aria-hidden="true"><i style="left:{at(low)};right:calc(100% - {at(high)})"></i>'
        f'<b style="left:{at(point)}"></b>{mark}</div>'
    )
    cash_low = numbers.cash(low * cash_per_tick, currency=currency, whole=True)
    cash_high = numbers.cash(high * cash_per_tick, currency=currency, whole=True)
    interval = [
        f"{numbers.percent(row['level'], decimals=0)} interval",
        f"{numbers.ticks(low)} – {numbers.ticks(high)} ticks",
        f"{cash_low} – {cash_high}",
    ]
    crossing = [
        '<span class="hy-cross-sign"></span> Cross now',
        f"{numbers.ticks(cross)} ticks",
        numbers.cash(half_cash, currency=currency, whole=True),
    ]
    columns = [Column(head=""), Column(head="Ticks a lot"), Column(head="Cash")]
    rows_shown = table(columns, [("", interval), ("", crossing)], caption="Interval of the cost")
    return f'{figure}{bar}<div class="hy-bare">{rows_shown}</div>'


def notices(plan: PlanPort) -> str:
    """What a person should know beside the frames."""
    if not plan.notices:
        return ""
    lines = "".join(f'<p class="hy-note">{escape(sentence(notice))}</p>' for notice in plan.notices)
    return f'<section class="hy-pane" aria-label="Notices">{lines}</section>'
