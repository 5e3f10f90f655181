"""The panes of a plan's card: schedule, risk, expected cost, notices."""

from collections.abc import Sequence
from typing import Any

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.ports import PlanPort
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import STRATEGY_NAMES, Column, State, escape, ladder_s, rows, table, time_cell, title
from hydra_nb.widgets.picture import schedule_picture

LEAST_EVIDENCE = 10  # below so many own slices no point estimate is shown
NEAREST_SHOWN = 4  # passing checks shown beside the refusing ones; the rest is folded
_PRICE_UNITS = ("price", "ticks", "% of mid")  # a check in these units would pass at another price, not with fewer lots
_ACRONYMS = {"adv": "ADV", "pnl": "P&L"}
_ROUTING_SHARE = 0.01  # lots over ADV from which routing takes TWAP; here only to word the reason


def plan_state(plan: PlanPort) -> State:
    """Whether the plan could be sent, with the reason where it could not."""
    checks = rows(plan.risk)
    if plan.passes:
        return State(words="○ Planned", sentence=f"{_all_pass(len(checks))} The plan is frozen as shown.")
    refusing = [row for row in checks if not row["allowed"]]
    reason = _sentence(refusing[0]["message"]) if refusing else "The risk gate refuses this order."
    return State(words="✕ Refused", sentence=f"Send is off: {reason} Nothing has been sent.", tone="bad")


def strategy_sentence(plan: PlanPort) -> str:
    """The strategy and what speaks for it: the share of the average daily volume."""
    share = numbers.number(plan.participation)
    name = STRATEGY_NAMES[plan.strategy]
    if share is None:
        return f"{name}: the average daily volume is not known."
    shown = f"{numbers.percent(share)} of ADV"
    if plan.strategy is Strategy.TWAP and share >= _ROUTING_SHARE:
        return f"{name}, as {shown} is {numbers.percent(_ROUTING_SHARE, decimals=0)} or more."
    if plan.strategy is Strategy.LIMIT_PATIENCE and share < _ROUTING_SHARE:
        return f"{name}, as {shown} is below {numbers.percent(_ROUTING_SHARE, decimals=0)}."
    return f"{name}, as asked: {shown}."


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
    return (
        f"{STRATEGY_NAMES[plan.strategy]}, {numbers.plural(len(schedule), 'slice')}{never}. "
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
    head = lead + title("Schedule", note=note, right=f"plan {plan.plan_id[:4]}·{plan.plan_id[4:8]}")
    return (
        f'<section class="hy-pane" aria-label="Schedule">{head}{picture}{_schedule_table(schedule, contract)}</section>'
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
    contract, checks = plan.parent.contract, rows(plan.risk)
    refusing = [row for row in checks if not row["allowed"]]
    passing = sorted((row for row in checks if row["allowed"]), key=_use, reverse=True)
    if refusing:
        verb = "refuses" if len(refusing) == 1 else "refuse"
        note = f"{len(refusing)} of {numbers.plural(len(checks), 'check')} {verb}"
    else:
        note = f"{_all_pass(len(checks)).rstrip('.').lower()}; nearest to its limit first"
    shown = passing[: max(1, NEAREST_SHOWN - len(refusing))]
    folded = passing[len(shown) :]
    parts = [title("Risk", note=note)]
    parts += [_refusal(row, contract) for row in refusing]
    if refusing:
        parts.append(_would_pass_line(plan))
    parts.append(_checks_table(shown, contract, caption="Passing checks nearest to their limits"))
    if folded:
        word = "other" if shown else "checks"
        parts.append(
            f"<details><summary>Show the {word} {len(folded)}, all pass</summary>"
            f"{_checks_table(folded, contract, caption='The other passing checks')}</details>"
        )
    return f'<section class="hy-pane" aria-label="Risk">{"".join(parts)}</section>'


def _refusal(row: dict[str, Any], contract: FutureContract) -> str:
    unit = str(row["unit"] or "")
    observed = numbers.quantity(row["observed"], unit=unit, contract=contract)
    allowed = numbers.quantity(row["limit"], unit=unit, contract=contract)
    figures = [escape(f"{observed} observed, {allowed} allowed.")] if numbers.UNKNOWN not in (observed, allowed) else []
    passing = numbers.number(row["would_pass"])
    if passing is not None:
        figures.append(f"Would pass: <b>{escape(_would_pass_words(passing, row, contract))}</b>.")
    return (
        f'<div class="hy-refusal"><p><b class="hy-bad">✕ {escape(_check_name(row["check"]))}</b> '
        f"{escape(_sentence(row['message']))}</p><p class='hy-muted'>{' '.join(figures)}</p></div>"
    )


def _would_pass_words(value: float, row: dict[str, Any], contract: FutureContract) -> str:
    """What one check would allow: a price where the check is about prices, else lots."""
    about_price = str(row["unit"]).lower() in _PRICE_UNITS
    return numbers.price(value, decimals=contract.decimals) if about_price else f"{numbers.plain(value)} lots"


def _would_pass_line(plan: PlanPort) -> str:
    """What all checks together would allow."""
    contract, found = plan.parent.contract, rows(plan.would_pass)
    if not found:
        return ""
    row, words = found[0], []
    if (lots := numbers.number(row["lots"])) is not None:
        words.append(numbers.plural(int(lots), "lot"))
    if (price := numbers.number(row["price"])) is not None:
        words.append(f"a limit of {numbers.price(price, decimals=contract.decimals)}")
    previewed = [time for check in rows(plan.risk) if (time := numbers.moment(check["time"])) is not None]
    time = numbers.moment(row["time"])
    if time is not None and (not previewed or time > max(previewed)):
        zone = contract.time_zone
        words.append(f"from {numbers.clock_time(time, time_zone=zone)} {numbers.zone_name(time, time_zone=zone)}")
    if not words:
        return ""
    return f'<p class="hy-title">All checks together would allow: <b>{escape(", ".join(words))}</b></p>'


def _checks_table(checks: Sequence[dict[str, Any]], contract: FutureContract, *, caption: str) -> str:
    if not checks:
        return ""
    columns = [
        Column(head="Check", style="hy-left"),
        Column(head="Observed"),
        Column(head="Allowed"),
        Column(head="Use", style="hy-optional"),
    ]
    body = []
    for row in checks:
        unit, use = str(row["unit"] or ""), _use(row)
        bar = (
            f'<span class="hy-use" aria-hidden="true"><i style="width:{use * 100:.0f}%"></i></span>' if use >= 0 else ""
        )
        name = f'<span class="hy-good" aria-hidden="true">✓</span> <span title="{escape(row["message"])}">'
        cells = [
            f"{name}{escape(_check_name(row['check']))}</span>{_without_figures(row)}",
            escape(numbers.quantity(row["observed"], unit=unit, contract=contract)),
            f'<span class="hy-muted">{escape(numbers.quantity(row["limit"], unit=unit, contract=contract))}</span>',
            bar,
        ]
        body.append(("", cells))
    return table(columns, body, caption=caption)


def _without_figures(row: dict[str, Any]) -> str:
    """The message of a check that has no figures to show."""
    if numbers.number(row["observed"]) is not None or numbers.number(row["limit"]) is not None:
        return ""
    return f" <small>{escape(row['message'])}</small>"


def _use(row: dict[str, Any]) -> float:
    """Share of the limit that is used, 0 to 1; −1 where observed and limit do not compare so."""
    observed, limit = numbers.number(row["observed"]), numbers.number(row["limit"])
    if observed is None or limit is None or limit == 0 or row["unit"] == "price":
        return -1.0
    share = abs(observed) / abs(limit)
    return share if share <= 1 else -1.0


def _check_name(check: object) -> str:
    """The check's name in words: ``adv_share`` is ``ADV share``."""
    words = str(check).replace("_", " ").strip()
    named = " ".join(_ACRONYMS.get(word, word) for word in words.split(" "))
    return named[:1].upper() + named[1:]


def _sentence(message: object) -> str:
    text = str(message).strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _all_pass(count: int) -> str:
    return "The one check passes." if count == 1 else f"All {count} checks pass."


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
    if evidence < LEAST_EVIDENCE:
        shown = numbers.cash(half_cash, currency=currency, whole=True)
        spread = (
            "the spread is not known" if half is None else f"half the spread is {numbers.ticks(half)} ticks, {shown}"
        )
        return (
            f"<p>Not enough own fills (n = {evidence}): {escape(spread)}.</p>"
            f'<p class="hy-muted"><small>{escape(fee_words)} No point estimate below n = {LEAST_EVIDENCE}; '
            f"what is predicted is stored with the order and held against its fills "
            f"({escape(row['predictor_version'])}).</small></p>"
        )
    return _estimate(row, currency=currency, half_cash=half_cash, cash_per_tick=float(contract.tick_value) * lots) + (
        f'<p class="hy-muted"><small>{escape(fee_words)} n = {evidence} own slices, {escape(row["source"])}; '
        f"{escape(row['predictor_version'])}.</small></p>"
    )


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
    return figure + bar + table(columns, [("", interval), ("", crossing)], caption="Interval of the cost")


def notices(plan: PlanPort) -> str:
    """What a person should know beside the frames."""
    if not plan.notices:
        return ""
    lines = "".join(f'<p class="hy-note">{escape(_sentence(notice))}</p>' for notice in plan.notices)
    return f'<section class="hy-pane" aria-label="Notices">{lines}</section>'
