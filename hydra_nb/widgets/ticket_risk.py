"""The risk decisions of a plan: what refuses, what would pass, and what is nearest to its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.ports import PlanPort
from hydra_nb.domain.units import ceil_to_tick, floor_to_tick
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import Column, escape, rows, table, title

NEAREST_SHOWN = 5  # rows of passing checks beside no refusal; the rest is folded
_ROWS_A_REFUSAL = 2  # a refusal takes the room of so many of them
MOST_REFUSALS_APART = 2  # more of them share a box a remedy, so that the ticket keeps its height
_LINES_OF_BOXES = (4, 1, 0)  # lines shown in each of one, two, three or more such boxes
PRICE_UNITS = (
    "price",
    "ticks",
    "% of mid",
    "% of last trade",
    "% of settlement",
    "% of arrival",
)  # a check in these units would pass at another price, not with fewer lots
_NAMES = {
    "kill_switch": "Kill switch",
    "contract_locked": "Contract lock",
    "journal_healthy": "Journal",
    "reconciled": "Reconciliation",
    "session_open": "Session",
    "quote_sane": "Quote",
    "reference_age": "Mid age",
    "last_trade_loss": "Loss of the last trade",
    "lots_whole": "Whole lots",
    "order_lots": "Lots, order",
    "parent_lots": "Lots, parent",
    "order_notional": "Notional, order",
    "volume_share": "Share of ADV",
    "position_lots": "Position, worst case",
    "position_share": "Position, of equity",
    "caller_limit": "Your limit",
    "collar_ticks": "Price collar",
    "collar_percent": "Price collar",
    "parent_messages": "Messages, parent",
    "order_efficiency": "Messages for a lot",
    "collar_last": "Near the last trade",
    "collar_settlement": "Near the settlement",
    "daily_limit": "Daily price limit",
    "chase": "Near the arrival",
    "self_match": "No own counterpart",
    "parent_volume_share": "Share of ADV, parent",
    "day_notional": "Notional, day",
    "displayed_share": "Share of what is shown",
    "symbol_position": "Position, all months",
    "gross_exposure": "All positions, of equity",
    "equity_at_risk": "Equity at risk",
    "margin": "Margin, of equity",
    "spread_width": "Spread",
    "session_left": "Session left",
    "close_out": "Close-out window",
    "active_orders": "Orders at work",
    "parents_at_work": "Parents at work",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A value that would pass, and the field that takes it: ``limit`` or ``lots``."""

    field: str
    value: str

    @property
    def label(self) -> str:
        """What the button says: ``Use 373.25``, ``Use 10 lots``."""
        return f"Use {self.value}" if self.field == "limit" else f"Use {numbers.plural(int(self.value), 'lot')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusing check: its name, what it found and what would pass, as HTML, and the value to use, if there is one.

    `border` is the price nearest to the one asked that would pass; None where the check is about something else.
    """

    name: str
    fact: str
    remedy: str = ""
    use: Use | None = None
    border: float | None = None


def check_name(check: object) -> str:
    """The check's name in words: ``volume_share`` is ``Share of ADV``."""
    words = str(check).replace("_", " ").strip()
    return _NAMES.get(str(check), words[:1].upper() + words[1:])


def sentence(message: object) -> str:
    """A message as a sentence."""
    text = str(message).strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def all_pass(count: int) -> str:
    """That every check passes, in words."""
    return "The one check passes." if count == 1 else f"All {count} checks pass."


def refusing(plan: PlanPort) -> list[dict[str, Any]]:
    """The rows of the refusing checks, in order."""
    return [row for row in rows(plan.risk) if not row["allowed"]]


def refusals(plan: PlanPort, *, quote: Quote | None) -> list[Refusal]:
    """The refusing checks, each with what would pass; `quote` tells how much room half a spread is."""
    return [_refusal(row, plan, quote) for row in refusing(plan)]


def _refusal(row: dict[str, Any], plan: PlanPort, quote: Quote | None) -> Refusal:
    contract, name = plan.parent.contract, check_name(row["check"])
    about_price = str(row["unit"] or "").lower() in PRICE_UNITS
    border = _border(row, plan, "price" if about_price else "lots")
    if border is None:
        return Refusal(name=name, fact=_fact(row["message"]), remedy=escape(_figures(row, contract)))
    fact = _fact(str(row["message"]).partition(":")[0])
    if not about_price:
        lots = int(border)
        remedy = f"Would pass: <b>{escape(numbers.plural(lots, 'lot'))}</b> or fewer."
        return Refusal(name=name, fact=fact, remedy=remedy, use=Use(field="lots", value=str(lots)))
    nearest = Decimal(repr(border))
    from_above = _comes_from_above(nearest, plan=plan, quote=quote)
    price = _with_room(nearest, from_above=from_above, quote=quote, contract=contract)
    remedy = f"Would pass: {escape(contract.format_price(nearest))} or {'lower' if from_above else 'higher'}."
    if price != nearest:
        remedy += f" <b>{escape(contract.format_price(price))}</b> leaves room."
    use = Use(field="limit", value=f"{price:.{contract.decimals}f}")
    return Refusal(name=name, fact=fact, remedy=remedy, use=use, border=border)


def _border(row: dict[str, Any], plan: PlanPort, kind: str) -> float | None:
    """The lots or the price that would pass: all checks together where one change suffices, else this check alone."""
    own = numbers.number(row["would_pass"])
    if own is None or (own < 1 and kind == "lots"):
        return None
    together = [numbers.number(found[kind]) for found in rows(plan.would_pass)]
    return next((value for value in together if value is not None), own)


def _comes_from_above(border: Decimal, *, plan: PlanPort, quote: Quote | None) -> bool:
    """Whether the refused price lies above what would pass: told by the caller's limit, else by the mid."""
    asked, mid = plan.parent.limit, None if quote is None else quote.mid
    if asked is not None and asked != border:
        return asked > border
    return mid is not None and border > mid


def _with_room(border: Decimal, *, from_above: bool, quote: Quote | None, contract: FutureContract) -> Decimal:
    """The price that would pass less half a spread, so that the next tick does not refuse again; never past the mid."""
    if quote is None or quote.bid is None or quote.ask is None or quote.mid is None:
        return border
    room = (quote.ask - quote.bid) / 2
    if from_above:
        return min(border, floor_to_tick(max(border - room, quote.mid), tick=contract.tick))
    return max(border, ceil_to_tick(min(border + room, quote.mid), tick=contract.tick))


def _fact(message: object) -> str:
    return escape(sentence(message))


def _figures(row: dict[str, Any], contract: FutureContract) -> str:
    """Observed and allowed of a check that nothing but time, or a person, cures."""
    unit = str(row["unit"] or "")
    observed = numbers.quantity(row["observed"], unit=unit, contract=contract)
    allowed = numbers.quantity(row["limit"], unit=unit, contract=contract)
    known = numbers.UNKNOWN not in (observed, allowed) and unit.lower() != "price"
    return f"{observed} observed, {allowed} allowed." if known else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalBox:
    """What stands in one box: refusals as HTML, and the value that cures them, which gets a button."""

    html: str
    use: Use | None


def refusal_boxes(refused: Sequence[Refusal]) -> list[RefusalBox]:
    """Give a box to each refusal; of many, to each remedy, with a line a refusal and the last ones folded."""
    if len(refused) <= MOST_REFUSALS_APART:
        return [RefusalBox(html=_one_refusal(one), use=one.use) for one in refused]
    alike: dict[Use | None, list[Refusal]] = {}
    for one in refused:
        alike.setdefault(one.use, []).append(one)
    lines = _LINES_OF_BOXES[min(len(alike), len(_LINES_OF_BOXES)) - 1]
    return [RefusalBox(html=_many_refusals(group, most=lines), use=use) for use, group in alike.items()]


def _one_refusal(refusal: Refusal) -> str:
    remedy = f"<br>{refusal.remedy}" if refusal.remedy else ""
    return f'<p><b class="hy-bad">✕ {escape(refusal.name)}</b> {refusal.fact}{remedy}</p>'


def _many_refusals(alike: Sequence[Refusal], *, most: int) -> str:
    first = alike[0]
    if len(alike) == 1:
        return _one_refusal(first)
    remedy = first.remedy if first.use is not None else "No other lots or price would pass."
    shown = "".join(_line(one) for one in alike[:most])
    rest = "".join(_line(one) for one in alike[most:])
    folded = f"<details><summary>{len(alike) - most} more refuse</summary>{rest}</details>" if rest else ""
    return f'<p><b class="hy-bad">✕ {len(alike)} checks</b> {remedy}</p>{shown}{folded}'


def _line(refusal: Refusal) -> str:
    name = f'<b class="hy-bad">{escape(refusal.name)}</b>'
    return f'<p class="hy-line" title="{refusal.fact}">{name} {refusal.fact}</p>'


def risk_head(plan: PlanPort) -> str:
    """The title of the pane: how many checks refuse, or that all pass."""
    checks, refused = rows(plan.risk), len(refusing(plan))
    if refused:
        note = f"{refused} of {numbers.plural(len(checks), 'check')} {'refuses' if refused == 1 else 'refuse'}"
    else:
        note = f"{all_pass(len(checks)).rstrip('.').lower()}; nearest to its limit first"
    return title("Risk", note=note)


def passing_tables(plan: PlanPort) -> str:
    """The passing checks nearest to their limits, and the others folded."""
    contract, checks = plan.parent.contract, rows(plan.risk)
    refused = sum(not row["allowed"] for row in checks)
    passing = sorted((row for row in checks if row["allowed"]), key=_use, reverse=True)
    shown = passing[: max(refused <= MOST_REFUSALS_APART, NEAREST_SHOWN - _ROWS_A_REFUSAL * refused)]
    folded = passing[len(shown) :]
    nearest = _table(shown, contract, caption="Passing checks nearest to their limits")
    if not folded:
        return nearest
    said = f"Show the other {len(folded)}, all pass" if shown else f"Show the {len(folded)} that pass"
    return (
        f"{nearest}<details><summary>{said}</summary>"
        f"{_table(folded, contract, caption='The other passing checks')}</details>"
    )


def _table(checks: Sequence[dict[str, Any]], contract: FutureContract, *, caption: str) -> str:
    if not checks:
        return ""
    columns = [
        Column(head="Check", style="hy-left"),
        Column(head="Observed"),
        Column(head="Allowed"),
        Column(head="Use", style="hy-bar-cell"),
    ]
    return table(columns, [("", _cells(row, contract)) for row in checks], caption=caption)


def _cells(row: dict[str, Any], contract: FutureContract) -> list[str]:
    unit, use = str(row["unit"] or ""), _use(row)
    observed = numbers.quantity(row["observed"], unit=unit, contract=contract)
    allowed = numbers.quantity(row["limit"], unit=unit, contract=contract)
    if numbers.number(row["limit"]) is not None and unit.lower() != "price":
        short = "%" if unit.startswith("%") else unit  # what it is a percentage of, the name and the message tell
        observed = numbers.quantity(row["observed"], unit=short, contract=contract).removesuffix(f" {unit}")
        allowed = f"of {numbers.quantity(row['limit'], unit=short, contract=contract)}"
    bar = f'<span class="hy-use" aria-hidden="true"><i style="width:{use * 100:.0f}%"></i></span>' if use >= 0 else ""
    name = escape(check_name(row["check"]))
    return [
        f'<span class="hy-good" aria-hidden="true">✓</span> <span title="{escape(row["message"])}">{name}</span>',
        escape(observed),
        f'<span class="hy-muted">{escape(allowed)}</span>',
        bar,
    ]


def _use(row: dict[str, Any]) -> float:
    """Share of the limit that is used, 0 to 1; −1 where observed and limit do not compare so."""
    observed, limit = numbers.number(row["observed"]), numbers.number(row["limit"])
    if observed is None or limit is None or limit == 0 or row["unit"] == "price":
        return -1.0
    share = abs(observed) / abs(limit)
    return share if share <= 1 else -1.0
