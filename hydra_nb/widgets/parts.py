"""Pieces of HTML that the cards and the ticket share. Every text from outside is escaped here."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

import pandas as pd

from hydra_nb.domain.accounts import mask_accounts
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentOrder, Strategy
from hydra_nb.domain.ports import DeskPort
from hydra_nb.domain.units import Side
from hydra_nb.errors import HydraError
from hydra_nb.widgets import numbers

STRATEGY_NAMES = {Strategy.TWAP: "TWAP", Strategy.LIMIT_PATIENCE: "Limit with patience"}
_SIDE_SIGNS = {Side.BUY: "▲", Side.SELL: "▼"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: its head, and the classes of its cells (``hy-left``, ``hy-optional``)."""

    head: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state as shown: its sign and words, one sentence, and its tone (``good``, ``warn``, ``bad`` or none)."""

    words: str
    sentence: str
    tone: str = ""


def in_words(error: Exception) -> State:
    """An error as a state: our own sentence, or only the kind of a foreign one."""
    if isinstance(error, HydraError):
        text = str(error).strip().rstrip(".")
        return State(words="✕ Not possible", sentence=f"{text[:1].upper()}{text[1:]}.", tone="bad")
    sentence = f"That failed ({type(error).__name__}); orders go on. See the journal."
    return State(words="✕ Failed", sentence=sentence, tone="bad")


def escape(value: object) -> str:
    """Text that may stand anywhere in HTML, attributes included."""
    return html.escape(str(value), quote=True)


def masked(text: str, *, parent: ParentOrder) -> str:
    """Words about a parent order without account numbers: a reason may hold the broker's own words."""
    return mask_accounts(text, account=parent.account)


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def ladder_s(row: dict[str, Any]) -> float:
    """Seconds that the ladder of a scheduled slice lasts: all its waits."""
    return sum(numbers.number(row[name]) or 0.0 for name in ("wait_mid_s", "wait_step_s", "wait_cross_s"))


def table(columns: Sequence[Column], body: Iterable[tuple[str, Sequence[str]]], *, caption: str) -> str:
    """Rows as a table whose first column heads the row.

    `body` gives for each row its class and its cells, which are HTML already. `caption` names it for a screen reader.
    """
    head = "".join(f'<th scope="col" class="{column.style}">{escape(column.head)}</th>' for column in columns)
    lines = []
    for style, cells in body:
        first, *others = cells
        named = zip(columns[1:], others, strict=True)
        lines.append(
            f'<tr class="{style}"><th scope="row" class="{columns[0].style}">{first}</th>'
            + "".join(f'<td class="{column.style}">{cell}</td>' for column, cell in named)
            + "</tr>"
        )
    return (
        f'<div class="hy-scroll"><table class="hy-table" aria-label="{escape(caption)}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def time_cell(value: Any, *, time_zone: str) -> str:
    """Time of day at the exchange, UTC to the millisecond on hover."""
    if numbers.moment(value) is None:
        return numbers.UNKNOWN
    shown = numbers.clock_time(value, time_zone=time_zone)
    return f'<span title="{escape(numbers.utc_time(value))}">{escape(shown)}</span>'


def age(seconds: float) -> str:
    """Seconds since something, which go on counting in the page: ``12 s``."""
    return f'<span class="hy-age" style="--hy-up:{max(0, int(seconds))}"></span>'


def countdown(seconds: float, *, in_seconds: bool = False) -> str:
    """Time until something, which runs down to zero in the page: ``1:24``, or ``84 s``."""
    style = "hy-countdown hy-seconds" if in_seconds else "hy-countdown"
    return f'<span class="{style}" style="--hy-down:{max(0, int(seconds))}"></span>'


def clock(now_ns: int, *, time_zone: str) -> str:
    """The time of day at the exchange with its zone, which goes on in the page: ``10:17:41 CT``."""
    local = pd.Timestamp(now_ns, unit="ns", tz="UTC").tz_convert(ZoneInfo(time_zone))
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    zone = escape(numbers.zone_name(now_ns, time_zone=time_zone))
    return f'<span class="hy-clock" style="--hy-up:{seconds}"></span> {zone}'


def badge(name: str) -> str:
    """The account's badge: SIM dashed, PAPER outlined, LIVE filled."""
    style = {"LIVE": "hy-badge-live", "PAPER": "hy-badge-paper"}.get(name, "hy-badge-sim")
    return f'<span class="hy-badge {style}">{escape(name)}</span>'


def live_band(name: str) -> str:
    """The band over the whole width of anything that trades real money; empty otherwise."""
    return '<div class="hy-live-band"><b>LIVE</b> real money.</div>' if name == "LIVE" else ""


def side_words(side: Side, lots: int) -> str:
    """Sign, side and lots: ``▲ BUY 13``."""
    return f"{_SIDE_SIGNS[side]} {side} {numbers.lots(lots)}"


def side_style(side: Side | None) -> str:
    """The class that gives a card its side's colour and edge."""
    return "" if side is None else f"hy-{side.lower()}"


def contract_line(contract: FutureContract) -> str:
    """Name, code, exchange, quote unit, and the value of one tick."""
    tick_value = numbers.cash(contract.tick_value, currency=contract.currency)
    facts = (
        f"{contract.local_symbol} · {contract.exchange} · {numbers.quote_unit(contract)}"
        f" · tick {numbers.price(contract.tick, decimals=contract.decimals)} = {tick_value}"
    )
    named = f"{contract.name} {numbers.contract_month(contract.contract_month)}"
    return f'<span class="hy-name">{escape(named)}</span> <span class="hy-muted">{escape(facts)}</span>'


def header(desk: DeskPort, *, left: str, state: State, time_zone: str) -> str:
    """The header of a view: badge, `left` (HTML), and at its right end state, time and account."""
    return (
        f'<div class="hy-head">{badge(desk.badge)}{left}<span class="hy-right">{state_words(state)}'
        f'<span class="hy-muted">{clock(desk.now_ns(), time_zone=time_zone)}</span>'
        f'<span class="hy-muted">{escape(desk.masked_account)}</span></span></div>'
    )


def order_head(parent: ParentOrder, *, badge_name: str, right: str) -> str:
    """The header of a card: account, side and lots, strategy, contract; `right` is HTML."""
    tag = f'<span class="hy-muted">· tag {escape(parent.tag)}</span>' if parent.tag else ""
    return (
        f'{live_band(badge_name)}<div class="hy-head">{badge(badge_name)}'
        f'<span class="hy-side">{escape(side_words(parent.side, parent.lots))}</span>'
        f'<span class="hy-name">{escape(STRATEGY_NAMES[parent.strategy])}</span>'
        f"<span>{contract_line(parent.contract)} {tag}</span>"
        f'<span class="hy-right">{right}</span></div>'
    )


def said(state: State, *, role: str = "status") -> str:
    """A state and its sentence as a region that screen readers announce."""
    live = "assertive" if role == "alert" else "polite"
    return (
        f'<div class="hy-say" role="{role}" aria-live="{live}">{state_words(state)}'
        f"<span>{escape(state.sentence)}</span></div>"
    )


def state_words(state: State) -> str:
    """The state's sign and words in its tone."""
    return f'<span class="hy-state hy-{state.tone or "plain"}">{escape(state.words)}</span>'


def title(name: str, *, note: str, right: str = "") -> str:
    """The head of a pane: its name, a note, and something at the right end."""
    return (
        f'<div class="hy-title"><b>{escape(name)}</b><span class="hy-muted">{escape(note)}</span>'
        f'<span class="hy-right hy-muted">{escape(right)}</span></div>'
    )


def tile(name: str, value: str, *, note: str = "") -> str:
    """One labelled figure of a strip; `value` is text."""
    label = f'<div class="hy-label">{escape(name)}</div>'
    return f"<div>{label}<b>{escape(value)}</b> <small>{escape(note)}</small></div>"


def quote_strip(contract: FutureContract, quote: Quote | None) -> str:
    """Bid, ask, mid, spread and the time of the quote; an en dash for what is not known."""
    decimals, zone = contract.decimals, contract.time_zone
    if quote is None:
        return f'<div class="hy-quote">{tile("Quote", numbers.UNKNOWN, note="none yet")}</div>'
    spread = None if quote.bid is None or quote.ask is None or not quote.has_both_sides else (quote.ask - quote.bid)
    spread_cash = None if spread is None else contract.cash(spread, lots=1)
    feed = "halted" if quote.halted else str(quote.feed)
    tiles = (
        tile("Bid × size", numbers.price(quote.bid, decimals=decimals), note=f"× {numbers.lots(quote.bid_size)}"),
        tile("Ask × size", numbers.price(quote.ask, decimals=decimals), note=f"× {numbers.lots(quote.ask_size)}"),
        tile("Mid", numbers.mid_price(quote.mid, decimals=decimals)),
        tile(
            "Spread",
            numbers.UNKNOWN if spread is None else f"{numbers.plain(spread / contract.tick)} ticks",
            note="" if spread is None else f"= {numbers.cash(spread_cash, currency=contract.currency)} a lot",
        ),
        tile(
            f"Quoted at, {numbers.zone_name(quote.time_ns, time_zone=zone)}",
            numbers.clock_time(quote.time_ns, time_zone=zone),
            note=feed,
        ),
    )
    return f'<div class="hy-quote">{"".join(tiles)}</div>'


def order_value(contract: FutureContract, quote: Quote | None, *, lots: int) -> str:
    """What the order is worth at mid, how much of the thing that is, and what one tick moves it by."""
    mid = None if quote is None else quote.mid
    notional = None if mid is None else contract.notional(mid, lots=lots)
    value = numbers.cash(notional, currency=contract.currency)
    tick_value = numbers.cash(contract.tick_value * lots, currency=contract.currency)
    unit_price = None if mid is None else mid / contract.price_magnifier
    units = numbers.plain(contract.multiplier * lots)
    product = (
        f"{numbers.plural(lots, 'lot')} × {numbers.plain(contract.multiplier)} × "
        f"{contract.currency} {numbers.plain(unit_price)}"
    )
    return (
        f'<div class="hy-label">Value of the order at mid</div><div class="hy-big">{escape(value)}</div>'
        f"<div><small>{escape(units)} units: {escape(product)}</small></div>"
        f"<div><small>One tick moves it by {escape(tick_value)}.</small></div>"
    )
