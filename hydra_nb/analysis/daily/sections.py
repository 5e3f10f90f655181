"""The sections of a day's page that tell what was done: the head, orders, fills, costs, positions, equity."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from hydra_nb.analysis.daily import words as day_words
from hydra_nb.analysis.daily.cells import clock, local_clock, price
from hydra_nb.analysis.daily.day import TIME_ZONE
from hydra_nb.analysis.daily.facts import DailyFacts
from hydra_nb.analysis.daily.picture import picture
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report import words
from hydra_nb.analysis.report.parts import (
    NUMBER,
    SENTENCE,
    Html,
    Row,
    Shown,
    amount,
    escape,
    pairs,
    paragraph,
    section,
    table,
    text,
)
from hydra_nb.analysis.report.sections import PAPER, SIMULATED
from hydra_nb.analysis.slippage.evidence import ALL
from hydra_nb.domain.orders import ParentStatus, SliceStatus


def head(facts: DailyFacts) -> Html:
    """Which day of which account, what to look at, and the figures that count."""
    found = day_words.looks(facts)
    standing = [one for one in found if one.stands]
    if standing:
        style, status = "stands", f"{words.plural(len(standing), 'matter')} open"
    elif found:
        style, status = "look", "nothing open"
    else:
        style, status = "quiet", "quiet"
    warning = {"SIM": SIMULATED, "PAPER": PAPER}.get(facts.badge, "")
    note = f'<p class="note">{warning}</p>' if warning else ""
    whose = (
        f'<span class="badge {facts.badge.lower()}">{facts.badge}</span> <span>{escape(facts.masked_account)}</span>'
    )
    return Html(
        f'<header class="day"><p class="whose">{whose} <span>Trading day</span></p>'
        f'<h1>{day_words.date_words(facts.day)} <span class="status {style}">{status}</span></h1>'
        f'<p class="rule">{escape(day_words.interval_words(facts.day))}. {escape(_told(facts))}</p>'
        f"{_looks(found)}{_key_figures(facts)}{note}</header>"
    )


def _told(facts: DailyFacts) -> str:
    """How far the journal tells of the day."""
    when = words.moment(facts.as_of_ns, time_zone=TIME_ZONE)
    if facts.as_of_ns < facts.day.since_ns:
        return f"The journal tells nothing of this day; its last word is of {when}."
    over = "" if facts.is_over else " No later day is known yet: more may come."
    return f"The journal tells of it until {when}.{over}"


def _looks(found: list[day_words.Look]) -> str:
    listed = "".join(
        f'<li class="{"stands" if one.stands else "over"}"><a href="#{one.section}">{escape(one.words)}</a></li>'
        for one in found
    )
    return f'<ul class="looks">{listed}</ul>' if found else ""


def _key_figures(facts: DailyFacts) -> Html:
    row, equity = facts.summary, records(facts.frame("account"))[0]
    spent = records(facts.frame("currencies"))
    orders = facts.frame("orders")
    ended, lots = int((~orders["goes_on"]).sum()), int(orders["lots"].sum())
    change = words.number(equity["pnl_percent"], decimals=2, signed=True)
    return pairs(
        (
            ("Orders", words.number(row["orders"]), _order_words(row, ended=ended)),
            (
                "Filled in the day",
                words.plural(row["filled_lots"], "lot"),
                f"{words.plural(row['fills'], 'fill')}; orders of {words.plural(lots, 'lot')}",
            ),
            (
                "Slippage against arrival",
                _cash(spent, "slippage_cash", signed=True),
                "of all fills; positive is a cost",
            ),
            ("Predicted", _cash(spent, "predicted_cash", signed=True), _compared(spent)),
            ("Commission and fees", _cash(spent, "commission"), "as reported so far"),
            (
                f"Equity {day_words.since_words(facts)}",
                words.cash(row["pnl"], currency=str(row["pnl_currency"]), signed=True),
                f"{change}\u2009%" if change != words.UNKNOWN else "not told",
            ),
        ),
        style="figures",
    )


def _order_words(row: dict[str, Any], *, ended: int) -> str:
    parts = [f"{words.number(row['filled'])} of {words.number(ended)} ended filled"]
    parts += [f"{words.number(row[name])} {name}" for name in ("short", "cancelled", "refused") if row[name]]
    parts += [f"{words.number(row['at_work'])} at work"] if row["at_work"] else []
    return ", ".join(parts)


def _cash(spent: list[dict[str, Any]], name: str, *, signed: bool = False) -> str:
    """An amount in each currency, which are not added up."""
    return "; ".join(words.cash(one[name], currency=one["currency"], signed=signed) for one in spent) or words.UNKNOWN


def _compared(spent: list[dict[str, Any]]) -> str:
    """What the predictions are to be held against: the slippage of the same fills."""
    return "; ".join(map(day_words.compared_words, spent)) or "no fill"


def orders(facts: DailyFacts) -> Html:
    """What was worked: one line an order, with the picture of the day."""
    shown = facts.frame("orders")
    before, after = (int(shown[name].sum()) for name in ("began_before", "goes_on"))
    columns = (
        text("parent_id", "order"),
        text("local_symbol", "contract"),
        text("side"),
        Shown(head="filled", write=lambda row: f"{row['filled_lots']} of {row['lots']}", style=NUMBER),
        amount("filled_in_day_lots", "in the day"),
        amount("shortfall_lots", "short"),
        Shown(head="status", write=lambda row: words.status_words(ParentStatus(row["status"]))),
        local_clock("submitted", "submitted", facts),
        local_clock("finished", "over", facts),
        price("average_price", "average price", facts),
        amount("slippage_bps", "slippage, bps", decimals=1, signed=True),
        Shown(head="messages", write=lambda row: f"{row['messages']} of {row['messages_budget']}", style=NUMBER),
        text("tag"),
        text("reason", style=SENTENCE),
    )
    return section(
        "orders",
        "Orders",
        picture(facts),
        table("Orders of the day", columns, records(shown)),
        paragraph(_across_words(before, after, is_over=facts.is_over)) if before or after else "",
        _refusals(facts),
    )


def _across_words(before: int, after: int, *, is_over: bool) -> str:
    """Which orders are not this day's alone, and what of them is."""
    parts = [f"{words.plural(before, 'order')} began before this day"] if before else []
    parts += [f"{words.plural(after, 'order')} {'went on after it' if is_over else 'not over yet'}"] if after else []
    return (
        f"{'; '.join(parts)}. The other day shows the same order: “in the day” are the lots that filled in this one, "
        f"all else is of the whole order up to this day's end."
    )


def _refusals(facts: DailyFacts) -> Html:
    columns = (
        text("parent_id", "order"),
        text("local_symbol", "contract"),
        text("action"),
        text("check"),
        amount("times"),
        *clock("last", "last", facts),
        text("message", "what it said last", style=SENTENCE),
    )
    return table("Refused by the gate", columns, records(facts.frame("refusals")))


def slices(facts: DailyFacts) -> Html:
    """Slices that did not fill as planned, and those that came late."""
    told = facts.frame("slices")
    months = dict(zip(facts.frame("orders")["parent_id"], facts.frame("orders")["local_symbol"], strict=True))
    odd = told[~told["status"].isin([SliceStatus.FILLED, SliceStatus.REFUSED])]
    columns = (
        Shown(head="slice", write=lambda row: f"{row['parent_id']} · {row['slice']}"),
        Shown(head="contract", write=lambda row: months[row["parent_id"]]),
        *clock("start", "start", facts),
        text("status"),
        amount("lots", "planned"),
        amount("filled_lots", "filled"),
        amount("carried_lots", "carried on"),
        text("stage", "last stage"),
        amount("messages"),
        text("reason", style=SENTENCE),
    )
    late = (
        Shown(head="slice", write=lambda row: f"{row['parent_id']} · {row['slice']}"),
        text("local_symbol", "contract"),
        *clock("time", "began", facts),
        amount("late_s", "late, s", decimals=1),
    )
    filled, refused = (int((told["status"] == one).sum()) for one in (SliceStatus.FILLED, SliceStatus.REFUSED))
    return section(
        "slices",
        "Slices",
        paragraph(
            f"{words.number(filled)} of {words.plural(len(told), 'slice')} filled.",
            f"{words.number(refused)} refused; why stands above." if refused else "",
        ),
        table("Slices that were sent and did not fill, or not all of it, and those to come", columns, records(odd)),
        table("Slices that a busy notebook delayed", late, records(facts.frame("late"))),
    )


def fills(facts: DailyFacts) -> Html:
    """Every fill of the day."""
    columns = (
        *clock("time", "at the broker", facts),
        Shown(head="slice", write=lambda row: f"{row['parent_id']} · {row['slice']}"),
        text("local_symbol", "contract"),
        text("side"),
        amount("lots"),
        price("price", "price", facts),
        text("stage"),
        price("bid", "bid", facts),
        price("ask", "ask", facts),
        amount("slippage_ticks", "slippage, ticks", decimals=2, signed=True),
        amount("slippage_bps", "bps", decimals=1, signed=True),
        amount("predicted_slippage_bps", "predicted, bps", decimals=1, signed=True),
        Shown(head="cash", write=lambda row: _signed(row, "slippage_cash"), style=NUMBER),
        Shown(head="fees", write=lambda row: words.cash(row["commission"], currency=row["currency"]), style=NUMBER),
        text("fill_id", "execution"),
    )
    return section(
        "fills",
        "Fills",
        table("Fills, latest corrections of the day applied", columns, records(facts.frame("fills"))),
        paragraph(
            "Slippage is against the arrival mid; positive is a cost. Fills count to the day they reached us in."
        ),
    )


def _signed(row: Row, name: str) -> str:
    return words.cash(row[name], currency=str(row["currency"]), signed=True)


def costs(facts: DailyFacts) -> Html:
    """What the day's fills cost against their prediction, and the shortfall of each order."""
    return section("costs", "Costs against prediction", *_costs(facts))


def _costs(facts: DailyFacts) -> Iterator[Html]:
    by_currency = (
        text("currency"),
        amount("fills"),
        amount("filled_lots", "lots"),
        amount("slippage_cash", "slippage", decimals=2, signed=True),
        amount("predicted_fills", "fills also predicted"),
        amount("predicted_cash", "predicted of these", decimals=2, signed=True),
        amount("compared_cash", "slippage of these", decimals=2, signed=True),
        amount("commission", "commission and fees", decimals=2),
        amount("without_fees", "fills without fees yet"),
    )
    yield table(
        "By currency; amounts of two currencies are not added up", by_currency, records(facts.frame("currencies"))
    )
    by_contract = (
        text("contract"),
        amount("fills"),
        amount("filled_lots", "lots"),
        amount("arrival_slippage_ticks", "slippage, ticks a lot", decimals=2, signed=True),
        amount("predicted_slippage_ticks", "predicted", decimals=2, signed=True),
        amount("arrival_slippage_bps", "bps", decimals=1, signed=True),
        amount("effective_spread_ticks", "effective spread, ticks", decimals=2, signed=True),
        amount("markout_5min_ticks", "markout after 5 min, ticks", decimals=2, signed=True),
        Shown(head="cash", write=lambda row: _signed(row, "arrival_slippage_cash"), style=NUMBER),
        text("lacks", "not known", style=SENTENCE),
    )
    yield table("The day's fills by contract", by_contract, records(facts.frame("by_contract")))
    predictions = (
        Shown(head="symbol", write=lambda row: "all" if row["symbol"] == ALL else str(row["symbol"])),
        amount("n", "fills"),
        amount("mean_predicted", "predicted, mean bps", decimals=1, signed=True),
        amount("mean_actual", "paid", decimals=1, signed=True),
        amount("bias", decimals=1, signed=True),
        Shown(head="its interval", write=_interval, style=NUMBER),
        amount("correlation", decimals=2, signed=True),
        text("reason", "what to mind", style=SENTENCE),
    )
    told = facts.frame("predictions")
    judged = told["bias"].notna()
    yield table("Predictions against what was paid, by symbol", predictions, records(told[judged]))
    few = ", ".join(one for one in told.loc[~judged, "symbol"] if one != ALL)
    yield paragraph(f"Too few fills to judge by: {few}." if few else "")
    parts = ("delay", "trading", "opportunity", "fees", "shortfall")
    by_order = (
        text("parent_id", "order"),
        text("local_symbol", "contract"),
        Shown(head="filled", write=lambda row: f"{row['filled_lots']} of {row['lots']}", style=NUMBER),
        *(amount(f"{part}_cash", part, decimals=2, signed=True) for part in parts),
        text("currency", ""),
        amount("shortfall_bps", "bps", decimals=1, signed=True),
        amount("arrival_slippage_ticks", "slippage, ticks", decimals=2, signed=True),
        amount("predicted_slippage_ticks", "predicted", decimals=2, signed=True),
        text("lacks", "not known", style=SENTENCE),
    )
    caption = "Implementation shortfall of each order, whole up to the day's end; positive is a cost"
    yield table(caption, by_order, records(facts.frame("costs")))


def _interval(row: Row) -> str:
    low, high = (words.number(row[f"bias_{end}"], decimals=1, signed=True) for end in ("low", "high"))
    return low if low == high == words.UNKNOWN else f"{low} to {high}"


def positions(facts: DailyFacts) -> Html:
    """What the account held at the day's end, and its equity."""
    equity = records(facts.frame("account"))
    held = (
        text("local_symbol", "contract"),
        amount("position", "lots", signed=True),
        amount("working_buy", "buys at work"),
        amount("working_sell", "sells at work"),
        price("mid", "last mid of the day", facts),
        Shown(head="value", write=_value, style=NUMBER),
        text("last_trade", "last trade"),
        amount("days_to_last_trade", "days to it"),
        text("first_notice", "first notice"),
        amount("days_to_notice", "days to it"),
    )
    balance = (
        text("currency"),
        amount("equity_begin", "equity at the begin", decimals=2),
        local_clock("begin", "told", facts),
        amount("equity_end", "at the end", decimals=2),
        local_clock("end", "told", facts),
        amount("pnl", "difference", decimals=2, signed=True),
        amount("pnl_percent", "%", decimals=2, signed=True),
        amount("lowest", decimals=2),
        amount("highest", decimals=2),
        amount("realised_pnl", "realised, as told", decimals=2, signed=True),
        amount("unrealised_pnl", "unrealised", decimals=2, signed=True),
    )
    return section(
        "positions",
        "Positions and equity",
        table("Positions at the day's end", held, records(facts.frame("positions"))),
        paragraph("Days count from the date of the day; a first notice day is known where you have told it."),
        table("Equity", balance, [row for row in equity if not pd.isna(row["equity_end"])]),
        paragraph("The difference holds results, fees, and whatever was paid in or out, since the begin was told."),
    )


def _value(row: Row) -> str:
    return words.UNKNOWN if words.is_unknown(row["value"]) else words.cash(row["value"], currency=str(row["currency"]))
