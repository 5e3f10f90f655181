"""The parts of the ticket one by one: fields, quote strip, refusals, schedule, picture."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from typing import Any

import pandas as pd
import pytest

from hydra_nb.domain.instrument import Session
from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.domain.units import Side
from hydra_nb.widgets.fields import make_fields
from hydra_nb.widgets.plan_parts import schedule_table
from hydra_nb.widgets.ticket_picture import SchedulePicture
from hydra_nb.widgets.ticket_risk import check_name, passing_tables, refusal_boxes, refusals
from hydra_nb.widgets.ticket_strip import Market, order_value, quote_strip, usual_spread

from .hand_made import COLLAR, NOW, OATS, PASSING, HandPlan, check, order, quotes_before, schedule_rows
from .stories import words

QUOTE = Quote(con_id=101, time_ns=NOW.value, bid=Decimal("368.25"), bid_size=3, ask=Decimal("371.75"), ask_size=4)
HOUR_NS = 3_600_000_000_000


def market(**changes: Any) -> Market:
    """Oats, quoted now."""
    made = Market(contract=OATS, quote=QUOTE, usual_ticks=14.0, adv_lots=420.0, position_lots=4, now_ns=int(NOW.value))
    return replace(made, **changes)


def strip(told: Market, *, side: Side | None = Side.BUY) -> str:
    """The quote strip in words."""
    return unescape(words(quote_strip(told, side=side, lots=13)))


@pytest.mark.parametrize(
    ("typed", "code"),
    [("ZO", "ZO"), (" zoh7 ", "ZOH7"), ("ZOH7  Oats Mar 2027, CBOT", "ZOH7"), ("", ""), ("   ", "")],
)
def test_the_code_is_the_first_word_of_what_was_typed_or_chosen(typed: str, code: str) -> None:
    """The list shows names behind the codes, so that typing a name finds them."""
    fields = make_fields("ZO", options=("ZO  Oats, CBOT",))

    fields.instrument.value = typed

    assert fields.code == code
    fields.side.value = "BUY"
    assert fields.complete is bool(code)


@pytest.mark.parametrize(
    ("limit", "up", "moved"),
    [
        ("370.00", True, "370.25"),
        ("370.00", False, "369.75"),
        ("370.10", True, "370.25"),
        ("370.10", False, "370.00"),
        ("", True, "370.25"),
        ("", False, "370.00"),
        ("-0.25", True, "0.00"),
        ("37x", True, "37x"),
    ],
)
def test_an_arrow_moves_the_limit_to_the_next_price_on_tick(limit: str, up: bool, moved: str) -> None:
    """An empty limit begins at the mid, 370.125 here; what is no price stays as it is."""
    fields = make_fields("ZO", options=())
    fields.limit.value = limit

    fields.step_limit(OATS, up=up, mid=Decimal("370.125"))

    assert fields.limit.value == moved


def test_without_a_mid_an_empty_limit_stays_empty() -> None:
    """Nothing is made up."""
    fields = make_fields("ZO", options=())

    fields.step_limit(OATS, up=True, mid=None)

    assert fields.limit.value == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Spread 14 ticks = $175, usual 14"),
        ({"usual_ticks": None}, "Spread 14 ticks = $175 Quote age"),
        ({"position_lots": None}, "Position now → after –"),
        ({"position_lots": -20}, "Position now → after −20 → −7 lots"),
        ({"adv_lots": None}, "ADV, 20 days – lots"),
        ({"quote": None}, "Bid × size – Ask × size – Mid – Spread – Quote age –"),
        ({"quote": replace(QUOTE, halted=True)}, "Quote age ! halted"),
        ({"quote": replace(QUOTE, feed=FeedType.DELAYED_FROZEN)}, "Quote age ! delayed frozen"),
        ({"quote": replace(QUOTE, ask=None, ask_size=0)}, "Ask × size – × 0 Mid – Spread –"),
        ({"quote": replace(QUOTE, ask=Decimal("368.50"))}, "Mid 368.375 Spread 1 tick = $12.50"),
    ],
)
def test_the_strip_tells_the_market_and_a_dash_for_what_is_not_known(changes: dict[str, Any], expected: str) -> None:
    """Bid, ask, mid, spread with its usual, age with the feed, ADV, position now and after."""
    told = strip(market(**changes))

    assert expected in told


def test_the_strip_tells_when_the_session_closes_or_opens() -> None:
    """Time of the exchange, and how long until then."""
    now_ns = int(NOW.value)
    session = Session(open_ns=now_ns - HOUR_NS, close_ns=now_ns + 2 * HOUR_NS)
    open_now, later = (
        replace(OATS, sessions=(session,)),
        replace(OATS, sessions=(Session(open_ns=now_ns + HOUR_NS // 2, close_ns=now_ns + HOUR_NS),)),
    )

    told = [strip(market(contract=contract)) for contract in (open_now, later, OATS)]

    assert "Session closes 10:56 in 2 h 0 min" in told[0]
    assert "Session opens 09:26 in 30 min" in told[1]
    assert told[2].endswith("Session –")


def test_no_mid_is_taken_from_quotes_that_are_not_live() -> None:
    """What could not be traded on values nothing and disarms."""
    mids = [
        market(quote=quote).mid
        for quote in (QUOTE, replace(QUOTE, halted=True), replace(QUOTE, feed=FeedType.DELAYED), None)
    ]

    assert mids == [Decimal("370.00"), None, None, None]


def test_the_usual_spread_is_the_median_over_time_not_over_quotes() -> None:
    """Twenty wide quotes of a second each weigh less than one narrow minute; too few quotes tell nothing."""
    times = pd.date_range(end=NOW, periods=21, freq="s")
    flicker = pd.DataFrame({"time": times, "bid": 368.0, "ask": 373.0})
    calm = pd.DataFrame({"time": [NOW, NOW + pd.Timedelta("60s")], "bid": 369.0, "ask": 371.0})

    usual = usual_spread(pd.concat([flicker, calm], ignore_index=True), tick=Decimal("0.25"))

    assert usual == 8.0
    assert usual_spread(calm, tick=Decimal("0.25")) is None
    assert usual_spread(quotes_before(), tick=Decimal("0.25")) == 14.0


def test_the_value_of_a_sale_is_bounded_from_below() -> None:
    """What it brings at least at the limit; unknown without a mid, but for the tick."""
    told = words(order_value(market(), side=Side.SELL, lots=2, limit=Decimal("360.00")))
    unknown = words(order_value(market(quote=None), side=None, lots=2, limit=None))

    assert "At least $36,000, at the limit." in told
    assert "10,000 bu: 2 lots × 5,000 bu × $3.70" in told
    assert unknown.startswith("Value of the order at mid –")
    assert "One tick moves it $25.00." in unknown


@pytest.mark.parametrize(
    ("limit", "border", "use", "told"),
    [
        ("376.00", 375.0, "373.25", "Would pass: 375.00 or lower. 373.25 leaves room."),
        ("360.00", 365.0, "366.75", "Would pass: 365.00 or higher. 366.75 leaves room."),
        ("371.00", 370.5, "370.00", "Would pass: 370.50 or lower. 370.00 leaves room."),
    ],
)
def test_a_price_to_use_leaves_half_a_spread_of_room_but_never_passes_the_mid(
    limit: str, border: float, use: str, told: str
) -> None:
    """From above and from below; half a spread is 1.75, the mid 370.00."""

    class Plan(HandPlan):
        would_pass = pd.DataFrame({"lots": [13], "price": [border], "time": [NOW]})  # type: ignore[assignment]

    plan = Plan(parent=order(limit=Decimal(limit)), checks=[COLLAR | {"would_pass": border}])

    (refusal,) = refusals(plan, quote=QUOTE)

    assert refusal.use is not None
    assert refusal.use.label == f"Use {use}"
    assert words(refusal.remedy) == told
    assert refusal.border == border


def test_without_a_quote_the_border_itself_is_used() -> None:
    """No spread is known that could be left as room."""
    plan = HandPlan(parent=order(limit=Decimal("376.00")), checks=[COLLAR])

    (refusal,) = refusals(plan, quote=None)

    assert refusal.use is not None
    assert refusal.use.value == "375.00"
    assert "leaves room" not in refusal.remedy


def test_what_only_time_or_a_person_cures_has_no_button() -> None:
    """The kill switch, a closed session, a contract that allows no lot."""
    closed = check("session_open", allowed=False, message="The session is closed: it opens 19:00")
    none_left = check(
        "volume_share", allowed=False, observed=6, limit=5, unit="% of ADV", message="6 % of ADV, 5 % allowed"
    )

    found = refusals(HandPlan(parent=order(), checks=[closed, none_left]), quote=QUOTE)

    assert [refusal.use for refusal in found] == [None, None]
    assert found[0].fact == "The session is closed: it opens 19:00."
    assert found[1].fact == "6 % of ADV, 5 % allowed."
    assert found[1].remedy == "6.00\u2009% of ADV observed, 5.00\u2009% of ADV allowed."


@pytest.mark.parametrize(("refused", "shown"), [(0, 5), (1, 3), (2, 1), (4, 0)])
def test_passing_checks_make_room_for_those_that_refuse(refused: int, shown: int) -> None:
    """The pane keeps its height; the rest is folded, never left out."""
    plan = HandPlan(parent=order(), checks=[*PASSING, *[COLLAR] * refused])

    html = passing_tables(plan)

    nearest, _, folded = html.partition("<details>")
    assert nearest.count("<tr class") == shown
    assert folded.count("<tr class") == len(PASSING) - shown


TOO_MANY = {"allowed": False, "unit": "lots", "message": "60 lots, 20 allowed: fewer lots", "would_pass": 20}
CLOSED = {"allowed": False, "message": "The session is closed: it opens 19:00"}


@pytest.mark.parametrize(
    ("lots", "prices", "others", "boxes"),
    [
        (2, 0, 0, [("Use 13 lots", 1), ("Use 13 lots", 1)]),
        (6, 0, 0, [("Use 13 lots", 6)]),
        (3, 1, 0, [("Use 13 lots", 3), ("Use 373.25", 1)]),
        (2, 2, 2, [("Use 13 lots", 2), ("Use 373.25", 2), (None, 2)]),
    ],
)
def test_many_refusals_share_a_box_and_a_button_a_remedy(
    lots: int, prices: int, others: int, boxes: list[tuple[str | None, int]]
) -> None:
    """Each check is named once, with what it found; what is not shown at once is folded and counted."""
    checks = [check(f"size_{number}", **TOO_MANY) for number in range(lots)]
    checks += [COLLAR | {"check": f"price_{number}"} for number in range(prices)]
    checks += [check(f"time_{number}", **CLOSED) for number in range(others)]
    plan = HandPlan(parent=order(limit=Decimal("376.00")), checks=checks)

    found = refusal_boxes(refusals(plan, quote=QUOTE))

    assert [None if box.use is None else box.use.label for box in found] == [label for label, _ in boxes]
    names = [re.findall(r"(?:Size|Price|Time) \d", box.html) for box in found]
    assert [len(of_box) for of_box in names] == [count for _, count in boxes]
    assert {name for of_box in names for name in of_box} == {check_name(one["check"]) for one in checks}
    for box, (_, count) in zip(found, boxes, strict=True):
        folded = re.search(r"(\d+) more refuse", box.html)
        shown = box.html.partition("<details>")[0].count('class="hy-line"')
        assert count == 1 or shown + int(folded[1] if folded else 0) == count


def test_a_long_schedule_is_folded_after_its_first_slices() -> None:
    """Every slice is there; those that are not shown at once are counted."""
    rows = [row | {"slice": number} for number, row in enumerate(schedule_rows() * 3, start=1)]

    class Long(HandPlan):
        schedule = pd.DataFrame(rows)  # type: ignore[assignment]

    html = schedule_table(Long(parent=order()), most=6)

    first, _, folded = html.partition("<details>")
    assert first.count("<tr class") == 5
    assert folded.count("<tr class") == 10
    assert "Show the other 10 slices" in folded


def test_the_picture_shows_stages_windows_quotes_and_limit_and_is_filled_anew() -> None:
    """The same traces for each plan; with a refusing collar the limit is red and the collar drawn."""
    picture = SchedulePicture()
    plan = HandPlan(parent=order(limit=Decimal("376.00")))

    picture.show(plan, borders=())
    passing = {trace.name: len(trace.x) for trace in picture.figure.data}
    picture.show(plan, borders=(375.0,))
    traces = {trace.name: trace for trace in picture.figure.data}

    assert passing["stages"] == 5 * 7
    assert passing["window"] == 4 * 6
    assert passing["limit"] == 2
    assert passing["refused limit"] == passing["collar"] == 0
    assert sum(passing.values()) < 300
    assert [len(traces[name].x) for name in ("limit", "refused limit", "collar")] == [0, 2, 3]
    assert traces["collar"].text[1] == "collar 375.00"
    assert list(traces["stages"].x[:2]) == ["2027-01-12 09:00:00", "2027-01-12 09:05:00"]
    assert [text.replace("<br>", "") for text in traces["lots"].text] == [f"<b>{lots}</b>" for lots in (3, 3, 3, 2, 2)]
    assert picture.figure.layout.yaxis.range[1] > 376


def test_a_plan_without_quotes_or_prices_still_has_a_picture() -> None:
    """Nothing known, nothing drawn, no error."""
    blank = pd.DataFrame(schedule_rows()).assign(limit_mid=None, limit_step=None, limit_cross=None)

    class Blank(HandPlan):
        schedule = blank  # type: ignore[assignment]

    picture = SchedulePicture()
    picture.show(Blank(parent=order(), quotes=quotes_before().iloc[:0]), borders=())

    drawn = {trace.name for trace in picture.figure.data if pd.Series(trace.y).notna().any()}
    assert drawn == {"window"}
