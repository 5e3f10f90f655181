"""A tape: rows that can be replayed and those that cannot, what it shows, and bounds of what it fills."""

import math
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.models.tape import FillRule, Tape, TapeParameters
from hydra_nb.sim.models.tape_rows import Crossed, TapeRow, TapeUnusable, read_tape
from hydra_nb.sim.records import SimSide
from tests.sim.models.watching import NS_PER_S

BUY, SELL = SimSide.BUY, SimSide.SELL
TICK = Decimal("0.25")
S = NS_PER_S
GOOD = (0, 100.0, 3, 100.5, 2, 100.0, 1, 10)
START_NS = 1_000 * S
"""When the market opens; a tape's first row is shown then, whatever its own time."""


def row(second: float, bid: int, ask: int, **more: int) -> TapeRow:
    """A row with five lots on each side, in ticks."""
    given = {"bid_lots": 5, "ask_lots": 5, "last_ticks": bid, "printed_lots": 0, **more}
    return TapeRow(time_ns=round(second * S), bid_ticks=bid, ask_ticks=ask, **given)


def played(
    rows: Sequence[TapeRow], order: tuple[SimSide, int, int] | None, *, fills: FillRule | str = FillRule.TOUCH
) -> tuple[int, list[Entry], Book]:
    """Play a tape to its end with one order of a client (side, price, lots) in it from the first row on.

    Gives the lots of the client that were filled, all entries of the flow, and the book.
    """
    tape, book, entries = Tape(rows, parameters=TapeParameters(fills=fills)), Book(), []
    now_ns = START_NS
    tape.open(book, now_ns=now_ns)
    if order is not None:
        side, price, lots = order
        entries.append(book.enter(1, owner=Owner.CLIENT, side=side, price_ticks=price, lots=lots))
    while (wait_ns := tape.wait_ns(busy=True)) < 1e15:
        now_ns += wait_ns
        if tape._next == len(rows):
            break
        entries += tape.act(book, now_ns=now_ns, busy=True)
    filled = 0
    for entry in entries:
        for match in entry.matches:
            filled += match.lots if 1 in (match.resting_key, entry.key) else 0
    return filled, entries, book


UNUSABLE = [
    ("row 1, at 0 ns, lies before", [(5, *GOOD[1:]), GOOD]),
    ("row 1 is crossed: bid 100.5, ask 100.5", [GOOD, (1, 100.5, 1, 100.5, 1, None, None, None)]),
    ("bid of row 0 is 100.1, off the tick", [(0, 100.1, *GOOD[2:])]),
    ("ask_size of row 0 is -2", [(0, 100.0, 3, 100.5, -2, None, None, None)]),
    ("bid_size of row 0 is 1.5", [(0, 100.0, 1.5, 100.5, 2, None, None, None)]),
    ("row 0 has the time nan", [(math.nan, *GOOD[1:])]),
    ("last of row 0 is 'x'", [(*GOOD[:5], "x", 1, 10)]),
    ("volume of row 0 is infinite", [(*GOOD[:7], math.inf)]),
    ("row 0 has 3 values", [(0, 100.0, 3)]),
    ("at least one row", []),
]


@pytest.mark.parametrize(("message", "rows"), UNUSABLE)
def test_rows_that_cannot_be_replayed_are_named(message: str, rows: list[tuple[object, ...]]) -> None:
    """By number, with what is wrong."""
    with pytest.raises(TapeUnusable, match=message):
        read_tape(rows, tick=TICK)


def test_crossed_rows_are_left_out_where_that_is_asked_for() -> None:
    """And what traded in them is printed with the next row."""
    crossed = (1, 101.0, 1, 100.5, 1, 100.5, 2, 12)
    after = (2, 100.0, 3, 100.5, 2, 100.5, 1, 13)

    tape = read_tape([GOOD, crossed, after], tick=TICK, crossed=Crossed.DROP)

    assert [one.time_ns for one in tape] == [0, 2]
    assert tape[1].printed_lots == 3
    assert tape == read_tape([GOOD, crossed, after], tick=TICK, crossed="drop")


PRINTED = [
    # (last, last_size, volume) of two rows, lots printed with the second
    ("the volume grows", (100.0, 1, 10), (100.0, 1, 14), 4),
    ("nothing happens", (100.0, 1, 10), (100.0, 1, 10), 0),
    ("a new day begins", (100.0, 1, 10), (100.25, 2, 2), 2),
    ("no volume, another price", (100.0, 1, None), (100.25, 3, None), 3),
    ("no volume, nothing new", (100.0, 1, None), (100.0, 1, math.nan), 0),
    ("no price", (None, None, 10), (None, None, 12), 0),
    ("the first that is told", (None, None, None), (100.0, 2, 10), 0),
    ("the first that is told, and the volume before it", (None, None, 10), (100.0, 2, 12), 2),
]


@pytest.mark.parametrize(("before", "after", "lots"), [one[1:] for one in PRINTED], ids=[one[0] for one in PRINTED])
def test_what_traded_between_two_rows_is_read_from_the_volume(
    before: tuple[float | None, ...], after: tuple[float | None, ...], lots: int
) -> None:
    """Or, where there is none, from the last trade."""
    touch = (100.0, 3, 100.5, 2)

    tape = read_tape([(0, *touch, *before), (1, *touch, *after)], tick=TICK)

    assert tape[0].printed_lots == 0
    assert tape[1].printed_lots == lots


@pytest.mark.parametrize(("volume", "lots"), [(812, 0), (815, 3), (None, 0)])
def test_a_feed_that_begins_anew_makes_no_trade_of_an_old_one(volume: int | None, lots: int) -> None:
    """It tells the touch before it tells trades; what is told then is held against what was told last."""
    old, touch = (101.0, 2, 812 if volume else None), (100.0, 3, 100.5, 2)
    rows = [(0, *touch, *old), (1, *touch, None, None, None), (2, *touch, 101.0, 2, volume)]

    assert [one.printed_lots for one in read_tape(rows, tick=TICK)] == [0, 0, lots]


def test_the_touch_is_shown_as_recorded_and_trades_are_printed() -> None:
    """Prices, sizes and empty sides; the print goes to whoever looks, though it is no order's of this book."""
    rows = [
        row(0, 100, 104),
        row(1, 100, 104, bid_lots=2, last_ticks=104, printed_lots=3),
        TapeRow(time_ns=2 * S, bid_ticks=99, bid_lots=1, ask_ticks=None, ask_lots=0, last_ticks=None, printed_lots=0),
    ]

    _, entries, book = played(rows, None)

    prints = [(entry.side, match.price_ticks, match.lots) for entry in entries for match in entry.matches]
    assert prints == [(BUY, 104, 3)]
    assert (book.depth(BUY), book.depth(SELL)) == (((99, 1),), ())


BOUNDS = [
    # an order that buys 4 lots at 101, one later row, lots filled by touch and by through
    ("a print above", row(1, 100, 104, last_ticks=102, printed_lots=3), 0, 0),
    ("a print at the price", row(1, 100, 104, last_ticks=101, printed_lots=3), 3, 0),
    ("a print through the price", row(1, 100, 104, last_ticks=100, printed_lots=3), 3, 3),
    ("a print of more lots", row(1, 100, 104, last_ticks=100, printed_lots=9), 4, 4),
    ("an ask at the price", row(1, 99, 101, ask_lots=2), 2, 2),
    ("an ask through the price", row(1, 98, 100, ask_lots=9), 4, 4),
]


@pytest.mark.parametrize(("later", "touch", "through"), [one[1:] for one in BOUNDS], ids=[one[0] for one in BOUNDS])
def test_fills_by_touch_and_by_through(later: TapeRow, touch: int, through: int) -> None:
    """Each later row fills what the table says of the resting order, at the order's own price, and the mirror too."""
    mirror = TapeRow(
        time_ns=later.time_ns,
        bid_ticks=-(later.ask_ticks or 0),
        bid_lots=later.ask_lots,
        ask_ticks=-(later.bid_ticks or 0),
        ask_lots=later.bid_lots,
        last_ticks=-(later.last_ticks or 0),
        printed_lots=later.printed_lots,
    )

    for rule, lots in ((FillRule.TOUCH, touch), (FillRule.THROUGH, through)):
        bought, entries, _ = played([row(0, 100, 104), later], (BUY, 101, 4), fills=rule)
        sold, _, _ = played([row(0, -104, -100), mirror], (SELL, -101, 4), fills=rule)
        prices = {one.price_ticks for entry in entries for one in entry.matches if one.resting_key == 1}

        assert (bought, sold) == (lots, lots)
        assert prices <= {101}


@pytest.mark.parametrize("rule", list(FillRule))
def test_a_rule_that_is_written_as_a_word_is_that_rule(rule: FillRule) -> None:
    """A print at the price tells them apart: it fills by touch alone."""
    rows = [row(0, 100, 104), row(1, 100, 104, last_ticks=101, printed_lots=3)]

    by_rule, _, _ = played(rows, (BUY, 101, 4), fills=rule)
    by_word, _, _ = played(rows, (BUY, 101, 4), fills=rule.value)

    assert by_word == by_rule
    assert TapeParameters(fills=rule.value) == TapeParameters(fills=rule)
    assert TapeParameters(fills=rule.value).fills is rule


@pytest.mark.parametrize("word", ["trough", "", None, 1])
def test_a_word_that_is_no_rule_is_refused(word: str) -> None:
    """With those that are; of crossed rows too."""
    with pytest.raises(ValueError, match=r"fills is .*: 'touch' or 'through' is needed"):
        TapeParameters(fills=word)
    with pytest.raises(ValueError, match=r"crossed is .*: 'refuse' or 'drop' is needed"):
        read_tape([GOOD], tick=TICK, crossed=word)


def test_what_a_client_took_stays_gone_until_the_price_moves_or_lots_come() -> None:
    """Five asked for, five taken: the same row again shows none; two more on record show two; a new price shows all."""
    rows = [row(0, 100, 104), row(1, 100, 104), row(2, 100, 104, ask_lots=7), row(3, 100, 105, ask_lots=7)]
    tape, book = Tape(rows, parameters=TapeParameters(fills=FillRule.TOUCH)), Book()
    tape.open(book, now_ns=0)
    book.enter(1, owner=Owner.CLIENT, side=BUY, price_ticks=104, lots=5, rests=False)
    shown = []

    for second in (1, 2, 3):
        tape.act(book, now_ns=second * S, busy=True)
        shown.append(book.best(SELL))

    assert shown == [None, (104, 2), (105, 7)]


def test_after_a_gap_the_touch_is_gone_until_the_next_row() -> None:
    """Ten minutes by default, in the middle and at the end of the tape."""
    rows = [row(0, 100, 104), row(3_000, 101, 105)]
    tape, book = Tape(rows, parameters=TapeParameters(fills=FillRule.TOUCH)), Book()
    tape.open(book, now_ns=0)
    now_ns, seen = 0, []

    for _ in range(3):
        now_ns += tape.wait_ns(busy=True)
        tape.act(book, now_ns=now_ns, busy=True)
        seen.append((now_ns // S, book.best(BUY)))

    assert seen == [(600, None), (3_000, (101, 5)), (3_600, None)]
    assert tape.wait_ns(busy=True) > 10**9 * S


def test_after_a_break_the_row_of_that_time_is_shown() -> None:
    """A market that stopped for a minute goes on where the tape is by then."""
    rows = [row(second, 100 + second, 104 + second) for second in range(100)]
    tape, book = Tape(rows, parameters=TapeParameters(fills=FillRule.TOUCH)), Book()
    tape.open(book, now_ns=START_NS)
    tape.act(book, now_ns=START_NS + 5 * S, busy=True)
    tape.close(book)

    tape.open(book, now_ns=START_NS + 65 * S)

    assert book.best(BUY) == (165, 5)
    assert tape.wait_ns(busy=True) == S


def test_a_tape_that_is_moved_shows_and_prints_elsewhere() -> None:
    """By whole ticks, from the next row on."""
    tape, book = (
        Tape([row(0, 100, 104), row(1, 100, 104, printed_lots=1)], parameters=TapeParameters(fills=FillRule.TOUCH)),
        Book(),
    )
    tape.open(book, now_ns=0)

    tape.fair_ticks += 2.6
    entries = tape.act(book, now_ns=S, busy=True)

    assert [match.price_ticks for entry in entries for match in entry.matches] == [103]
    assert (book.best(BUY), book.best(SELL)) == ((103, 5), (107, 5))


TAPES = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.integers(1, 4),
        st.integers(0, 4),
        st.integers(0, 4),
        st.integers(-4, 7),
        st.integers(0, 3),
    ),
    min_size=2,
    max_size=25,
)


@settings(deadline=None, max_examples=150)
@given(TAPES, st.sampled_from([BUY, SELL]), st.integers(-6, 6), st.integers(1, 9))
def test_touch_never_fills_less_than_through(
    moves: list[tuple[int, ...]], side: SimSide, price: int, lots: int
) -> None:
    """On any tape, for one order at any price, resting or taking; neither fills more than was there to trade with."""
    rows = [
        TapeRow(
            time_ns=number * S,
            bid_ticks=bid if bid_lots else None,
            bid_lots=bid_lots,
            ask_ticks=bid + spread if ask_lots else None,
            ask_lots=ask_lots,
            last_ticks=bid + last,
            printed_lots=printed,
        )
        for number, (bid, spread, bid_lots, ask_lots, last, printed) in enumerate(moves)
    ]

    touch, entries, _ = played(rows, (side, price, lots), fills=FillRule.TOUCH)
    through, _, _ = played(rows, (side, price, lots), fills=FillRule.THROUGH)

    quoted = sum(one.ask_lots if side is BUY else one.bid_lots for one in rows)
    assert 0 <= through <= touch <= min(lots, quoted + sum(one.printed_lots for one in rows[1:]))
    assert sum(match.lots for entry in entries for match in entry.matches) >= sum(one.printed_lots for one in rows[1:])
