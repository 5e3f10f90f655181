"""The view of a desk: what it says of a board, what can be done, and what it costs."""

import asyncio
import html
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain.board import Board, Breaker, OrderLine, ParentLine, PositionLine
from hydra_nb.domain.breakers import BreakerState
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import OrderState, ParentStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.widgets import desk_parts, follow
from hydra_nb.widgets.desk_view import DeskView

from .hand_made import NOW, OATS, HandDesk, order, utc

NOW_NS = int(NOW.value)
SECOND_NS = 10**9

BREAKERS = (
    Breaker(check="daily_loss", observed=1183.0, limit=2500.0, unit="USD", allowed=True),
    Breaker(check="drawdown", observed=0.6, limit=3.0, unit="% of peak", allowed=True),
    Breaker(check="position_share", observed=26.0, limit=35.0, unit="% of equity", allowed=True),
    Breaker(check="last_trade_loss", observed=-313.0, limit=1000.0, unit="USD", allowed=True),
)

TRIPPED = replace(
    BREAKERS[0],
    observed=1100.0,
    allowed=False,
    state=BreakerState.TRIPPED,
    since_ns=int(utc("14:40:00").value),
    reason="Lost 2,600.00 USD today, 2,500.00 allowed",
)
"""It tripped at a loss that has become smaller since."""

REARMED = replace(
    BREAKERS[1],
    state=BreakerState.REARMED,
    since_ns=int(utc("14:50:00").value),
    reason="the <feed> was wrong",
    rearmed_ns=int(utc("14:50:00").value),
)
LONG = Breaker(
    check="position_lots",
    observed=60.0,
    limit=50.0,
    unit="lots",
    allowed=False,
    state=BreakerState.TRIPPED,
    since_ns=NOW_NS,
    reason="ZOH7 long. A position of 60 lots, 50 allowed",
    local_symbol="ZOH7",
)
CONDUCT = (
    Breaker(check="position_lots", observed=17.0, limit=50.0, unit="lots", allowed=True),
    Breaker(check="consecutive_refusals", observed=3.0, limit=10.0, unit="refusals", allowed=True),
    Breaker(check="reject_rate", observed=None, limit=20.0, unit="% of messages", allowed=True),
    Breaker(check="slippage_breach", observed=6.5, limit=22.5, unit="ticks", allowed=True),
)


def parent_line(number: int = 1, **changes: Any) -> ParentLine:
    """A parent that bought ten of thirteen lots, changed as asked."""
    line = ParentLine(
        parent_id=f"P-{number:04d}",
        parent=order(),
        status=ParentStatus.WORKING,
        reason="",
        submitted_ns=int(utc("15:00:00").value) + number * SECOND_NS,
        finished_ns=None,
        standing_since_ns=None,
        slices=5,
        duration_ns=7200 * SECOND_NS,
        filled_lots=10,
        working_lots=1,
        due_lots=9,
        shortfall_lots=0,
        average_price=Decimal("370.625"),
        arrival_mid=Decimal("370"),
        next_slice=5,
        next_start_ns=int(utc("16:33:48").value),
        stage=Stage.MID,
        stage_ends_ns=NOW_NS + 84 * SECOND_NS,
    )
    return replace(line, **changes)


def board(**changes: Any) -> Board:
    """One parent at work on a desk in order, changed as asked."""
    resting = OrderLine(
        parent=order(),
        lots=1,
        limit_price=Decimal("369.75"),
        stage=Stage.MID,
        stage_ends_ns=NOW_NS + 84 * SECOND_NS,
        expires_ns=NOW_NS + 94 * SECOND_NS,
        state=OrderState.WORKING,
    )
    held = PositionLine(
        local_symbol="ZOH7", contract=OATS, lots=14, most=17, least=14, value=Decimal(258_825), max_lots=20, locked=None
    )
    made = Board(
        now_ns=NOW_NS,
        opened_ns=int(utc("14:31:04").value),
        connection=ConnectionState.UP,
        connection_since_ns=int(utc("14:31:04").value),
        feed=FeedType.LIVE,
        quote_age_s=0.9,
        quote_age_allowed_s=5.0,
        reconciled=True,
        reconciled_ns=int(utc("14:31:05").value),
        breaks=0,
        journal_failure=None,
        lag_p99_ms=4.0,
        messages=38,
        messages_last_second=1,
        currency="USD",
        pnl=Decimal(-1183),
        fees=Decimal(61),
        parents=(parent_line(),),
        orders=(resting,),
        positions=(held,),
        breakers=BREAKERS,
        happenings=(),
    )
    return replace(made, **changes)


@dataclass
class Acting:
    """An execution that takes down what it is asked for."""

    parent_id: str
    asked: list[str] = field(default_factory=list)

    async def pause(self) -> None:
        """Take it down."""
        self.asked.append("pause")

    async def resume(self) -> None:
        """Take it down."""
        self.asked.append("resume")

    async def cancel(self) -> None:
        """Take it down."""
        self.asked.append("cancel")


@dataclass
class BoardDesk(HandDesk):
    """A desk whose board a test sets."""

    told: Board = field(default_factory=board)
    acting: dict[str, Acting] = field(default_factory=dict)

    def board(self) -> Board:
        """What the test set."""
        return self.told

    def __post_init__(self) -> None:
        """Give executions by their ids; the desk that is hand-made for tickets has one, in a field."""
        self.execution = lambda parent_id: self.acting.setdefault(parent_id, Acting(parent_id))

    async def show(self, told: Board) -> None:
        """Let something change, and wait until it is drawn."""
        self.told = told
        self.tell()
        await self.settle()


def play(story: Callable[[DeskView, BoardDesk], Coroutine[Any, Any, None]], told: Board | None = None) -> None:
    """Play a story on a fresh view."""

    async def played() -> None:
        desk = BoardDesk(told=told or board())
        view = DeskView(desk)
        await desk.settle()
        await story(view, desk)
        view.close()
        await desk.settle()

    asyncio.run(played())


def words(shown: str) -> str:
    """What a person reads of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).strip()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "REFRESH_S", 0.0)


def test_the_tiles_tell_whether_it_is_safe() -> None:
    """Connection, data, reconciliation, journal, lag, messages and the day's result, each with its unit."""
    shown = words(desk_parts.tiles(board(), time_zone="America/Chicago"))

    for expected in (
        "Connection ● Up since 08:31",
        "Market data ● Live oldest",
        "Reconciled ✓ 08:31:05 0 breaks",
        "Journal ✓ Written",
        "Loop lag, p99 4 ms limit 20",
        "Messages 38 today, 1 a second",
        "P&amp;L today −$1,183 fees $61",
    ):
        assert expected in shown


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"connection": ConnectionState.DOWN}, "✕ Lost"),
        ({"quote_age_s": 12.0}, "✕ Stale"),
        ({"feed": FeedType.DELAYED}, "✕ Delayed"),
        ({"reconciled": False}, "✕ No 0 breaks"),
        ({"journal_failure": "the disk is full"}, "✕ Failed"),
        ({"lag_p99_ms": 13_698.0}, "▲ 13.7 s"),
        ({"pnl": None}, "P&amp;L today –"),
    ],
)
def test_a_tile_says_what_is_wrong(changes: dict[str, Any], expected: str) -> None:
    """Each fault has a sign and a word of its own, not only a colour."""
    shown = words(desk_parts.tiles(board(**changes), time_zone="UTC"))

    assert expected in shown


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({}, ["▲ BUY", "13", "TWAP 5 × 2h", "370.625", "+2.5", "$312.50", "► Working", "Slice 5 at 10:33:48"]),
        ({"status": ParentStatus.PAUSED, "standing_since_ns": NOW_NS}, ["❚❚ Paused", "By you, 08:56:31"]),
        (
            {"status": ParentStatus.PARTIAL, "shortfall_lots": 2, "reason": "Window ended"},
            ["▲ Short 2", "Window ended"],
        ),
        ({"next_slice": None}, ["Step at 08:57:55"]),
        ({"next_slice": None, "stage": Stage.CROSS}, ["Ends 08:57:55"]),
        ({"parent": order(side=Side.SELL)}, ["▼ SELL", "−2.5", "−$312.50"]),
        ({"average_price": None}, ["–"]),
        ({"parent": order(tag="<b>x</b>")}, ["&lt;b&gt;x&lt;/b&gt;"]),
    ],
)
def test_a_parents_row(changes: dict[str, Any], cells: list[str]) -> None:
    """What is done, how far it is, what it costs, and what comes next; nothing from outside is HTML."""
    shown = words(desk_parts.parents_table([parent_line(**changes)], now_ns=NOW_NS, time_zone="America/Chicago"))

    for cell in cells:
        assert cell in shown


def test_orders_say_when_they_expire_and_positions_what_they_may_become() -> None:
    """Stage with its countdown and expiry; most and least, a warning beyond the limit."""
    told = board()
    orders = words(desk_parts.orders_pane(told.orders, most=3, now_ns=NOW_NS, time_zone="America/Chicago"))
    held = replace(told.positions[0], max_lots=15)
    positions = words(desk_parts.positions_pane([held], most=3))

    assert "▲ BUY 1 ZOH7 369.75 ●○○ mid, step in 08:58:05 working" in orders
    assert "ZOH7 +14 ▲ +17 +14 $258,825 15 lots" in positions


def test_breakers_show_their_use_and_a_gain_uses_nothing() -> None:
    """Cash and percent against their limits; a breaker that has tripped, or is not known, is counted apart."""
    shown = words(desk_parts.breakers_pane(BREAKERS, time_zone="UTC"))
    tripped = desk_parts.breakers_pane(
        (replace(TRIPPED, observed=2600.0), replace(BREAKERS[1], observed=None, allowed=False)), time_zone="UTC"
    )

    assert "4 closed" in shown
    assert "✓ Daily loss $1,183 of $2,500" in shown
    assert "✓ Largest position 26.0 % of 35 % equity" in shown
    assert "✓ Loss of last trade $0.00 of $1,000" in shown
    assert "0 closed, 1 tripped, 1 not known" in words(tripped)
    assert "width:100%" in tripped


def test_no_account_number_is_in_why_an_order_ended() -> None:
    """A board is saved with its notebook, and the broker's words are among the reasons."""
    line = parent_line(status=ParentStatus.PARTIAL, reason="the broker ended it (201: account SIM0007QF of U1234567)")

    table = desk_parts.parents_table([line], now_ns=NOW_NS, time_zone=OATS.time_zone)

    assert "(201: account SIM•••QF of U•••67)" in table


def test_a_tripped_breaker_comes_first_with_since_and_reason() -> None:
    """Whatever it reads by now; its remedy names it, and nothing of a reason is HTML."""
    shown = desk_parts.breakers_pane((*BREAKERS[1:], TRIPPED), time_zone="America/Chicago")
    rearmed = desk_parts.breakers_pane((BREAKERS[0], REARMED), time_zone="America/Chicago")

    assert words(shown).startswith("Breakers 3 closed, 1 tripped Breaker Used Limit Use ✕ Daily loss $1,100 of $2,500")
    assert (
        "✕ Daily loss Since 08:40:00. Lost 2,600.00 USD today, 2,500.00 allowed. "
        'Say await desk.rearm("why", breaker="daily_loss").'
    ) in html.unescape(words(shown))
    assert "✓ Drawdown from peak Re-armed 08:50:00: “the &lt;feed&gt; was wrong”." in words(rearmed)
    assert words(rearmed).startswith("Breakers 2 closed")


def test_what_has_no_room_in_the_pane_folds() -> None:
    """Four rows stand, those that need a person first; the others say in one line that they are closed, or not."""
    calm = desk_parts.breakers_pane((*BREAKERS, *CONDUCT), time_zone="UTC")
    seen, folded = calm.split("<details>")
    busy = desk_parts.breakers_pane((*BREAKERS, *CONDUCT[1:], LONG), time_zone="UTC")
    unknown = tuple(replace(one, observed=None, allowed=False) for one in BREAKERS)

    assert seen.count("<th scope=row>") == 4
    assert "Show the other 4, all closed" in words(folded)
    for row in (
        "✓ Lots of a position 17 of 50 lots",
        "✓ Refusals in a row 3 of 10 refusals",
        "✓ Rejected messages – of 20 % messages",
        "✓ Slippage of fills 6.5 of 22.5 ticks",
    ):
        assert row in words(folded).replace("\u2009", " ")
    assert "✕ Lots of a position 60 of 50 lots" in words(busy.split("<details>")[0])
    assert busy.split("<details>")[0].count("<th scope=row>") == 3  # its note takes the room of a row
    assert "all closed" not in desk_parts.breakers_pane((*CONDUCT, *unknown, TRIPPED), time_zone="UTC")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "● Trading on"),
        ({"connection": ConnectionState.DOWN}, "✕ No link to broker"),
        ({"reconciled": False}, "✕ Not reconciled"),
        ({"journal_failure": "full"}, "✕ No journal"),
        ({"breakers": (TRIPPED,)}, "✕ Breaker tripped"),
        ({"breakers": (LONG,)}, "▲ Breaker tripped"),
        ({"breakers": (LONG, TRIPPED)}, "✕ Breaker tripped"),
        ({"positions": (replace(board().positions[0], locked="a break"),)}, "▲ ZOH7 locked"),
    ],
)
def test_the_header_says_what_holds_up_trading(changes: dict[str, Any], expected: str) -> None:
    """One state, the gravest."""

    async def story(view: DeskView, _desk: BoardDesk) -> None:
        assert expected in words(view.header.value)

    play(story, board(**changes))


def test_a_lost_link_is_an_alert_that_names_what_may_still_fill() -> None:
    """Until when the broker expires what works, in the region that screen readers announce at once."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        await desk.show(board(connection=ConnectionState.DOWN, connection_since_ns=NOW_NS))

        assert words(view.alert.value) == (
            "✕ No link to broker Since 08:56:31. Nothing new is sent. 1 lot may still fill; "
            "the broker expires them, the last at 08:58:05."
        )

    play(story)


def test_a_gesture_hits_the_chosen_parent_and_no_other() -> None:
    """The chosen parent stays chosen while others come and go; when it is over nothing is chosen."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        view.chooser.value = "P-0001"
        await desk.settle()
        await desk.show(board(parents=(parent_line(2), parent_line(1))))
        still = view.chooser.value
        view.pause_button.click()
        await desk.settle()

        await desk.show(board(parents=(parent_line(2), parent_line(1, status=ParentStatus.FILLED))))
        view.cancel_button.click()
        await desk.settle()

        assert still == "P-0001"
        assert desk.acting["P-0001"].asked == ["pause"]
        assert "P-0002" not in desk.acting
        assert view.chooser.value == ""
        assert view.cancel_button.disabled

    play(story, board(parents=(parent_line(1), parent_line(2))))


def place_of(view: DeskView, parent_id: str) -> int:
    """Where a page shows an order in the list, which is all that it sends of a pick."""
    return [told for _, told in view.chooser.options].index(parent_id)


def test_a_pick_that_arrives_late_means_the_order_that_the_page_showed() -> None:
    """The page shows three; one ends, two come, and only then the place that was picked arrives, and the press."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        picked = place_of(view, "P-0002")

        ended = parent_line(3, status=ParentStatus.FILLED)
        await desk.show(board(parents=(parent_line(5), parent_line(4), parent_line(2), parent_line(1), ended)))
        view.chooser.set_state({"index": picked})
        view.cancel_button.click()
        await desk.settle()

        assert {each: acting.asked for each, acting in desk.acting.items()} == {"P-0002": ["cancel"]}

    play(story, board(parents=(parent_line(3), parent_line(2), parent_line(1))))


def test_a_late_pick_of_an_order_that_is_over_chooses_nothing() -> None:
    """Its place is its own still, also when the board has forgotten it; no other order moves up into it."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        picked = place_of(view, "P-0002")

        await desk.show(board(parents=(parent_line(4), parent_line(3), parent_line(1))))
        view.chooser.set_state({"index": picked})
        for button in (view.pause_button, view.resume_button, view.cancel_button, view.open_button):
            button.click()
        await desk.settle()

        assert desk.acting == {}
        assert view.chooser.label.startswith("Over: ")
        assert view.cancel_button.disabled

    play(story, board(parents=(parent_line(3), parent_line(2), parent_line(1))))


def test_only_a_person_moves_the_choice() -> None:
    """What the page is told of the list never moves its pick: it would undo one that is on its way."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        view.chooser.value = "P-0002"
        picked = view.chooser.index

        await desk.show(board(parents=(parent_line(4), parent_line(3), parent_line(2))))
        await desk.show(board(parents=(parent_line(5), parent_line(3, status=ParentStatus.FILLED))))

        assert view.chooser.index == picked
        assert view.chooser.value == ""

    play(story, board(parents=(parent_line(3), parent_line(2), parent_line(1))))


def test_a_press_means_the_order_whose_button_it_was() -> None:
    """It may overtake the pick before it, or come after another: then nothing is done, and the view says so."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        view.chooser.value = "P-0001"
        await desk.settle()
        pressed = view.cancel_button

        view.chooser.set_state({"index": place_of(view, "P-0002")})
        pressed.click()
        await desk.settle()
        told = words(view.state_line.value)
        view.cancel_button.click()
        await desk.settle()

        assert told.startswith("✕ Not done That was the button of P-0001")
        assert {each: acting.asked for each, acting in desk.acting.items()} == {"P-0002": ["cancel"]}

    play(story, board(parents=(parent_line(2), parent_line(1))))


def test_without_a_link_what_came_of_a_gesture_stands_under_the_alert() -> None:
    """The state line is hidden then, and a pause without an answer would be pressed again."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        view.chooser.value = "P-0001"
        view.pause_button.click()
        await desk.settle()

        assert words(view.alert.value).startswith("✕ No link to broker Since 08:56:31. Nothing new is sent.")
        assert words(view.alert.value).endswith("✓ Paused 08:56:31 P-0001, by you.")

    play(story, board(connection=ConnectionState.DOWN, connection_since_ns=NOW_NS))


def test_what_can_be_done_follows_the_state() -> None:
    """A running parent can be paused, a paused one resumed; both can be cancelled."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        view.chooser.value = "P-0001"
        await desk.settle()
        running = [b.disabled for b in (view.pause_button, view.resume_button, view.cancel_button)]
        await desk.show(board(parents=(parent_line(status=ParentStatus.PAUSED, standing_since_ns=NOW_NS),)))
        paused = [b.disabled for b in (view.pause_button, view.resume_button, view.cancel_button)]

        assert running == [False, True, False]
        assert paused == [True, False, False]

    play(story)


def test_twenty_parents_show_as_many_rows_as_fit_and_all_on_request() -> None:
    """Six rows fit; one press shows the rest, at most twenty, and the head says how many there are."""
    many = board(parents=tuple(parent_line(number) for number in range(1, 26)))

    async def story(view: DeskView, desk: BoardDesk) -> None:
        few = view.parents.value.count("<tr>") - 1
        head = words(view.parents_head.value)
        view.all_rows.value = True
        await desk.settle()

        assert few == 6
        assert "25 at work, 0 done · 19 more" in head
        assert view.parents.value.count("<tr>") - 1 == 20

    play(story, many)


def test_equal_news_send_nothing_and_time_that_passes_sends_little() -> None:
    """A second picture of the same board costs no message at all."""

    async def story(view: DeskView, desk: BoardDesk) -> None:
        sent: list[object] = []
        for part in (view.header, view.tiles, view.parents, view.orders, view.positions, view.breakers, view.happened):
            part.observe(sent.append, names="value")

        await desk.show(board())
        await desk.show(board(quote_age_s=1.3))

        assert sent == []

    play(story)
