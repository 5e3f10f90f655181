"""The book: price-time priority, conservation of lots, and levels that agree with their orders."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.records import SimSide

BUY, SELL = SimSide.BUY, SimSide.SELL
CLIENT, FLOW = Owner.CLIENT, Owner.FLOW


def enter(
    book: Book,
    key: int,
    *,
    side: SimSide,
    price: int,
    lots: int,
    owner: Owner = FLOW,
    rests: bool = True,
) -> Entry:
    """Enter an order with short names."""
    return book.enter(key, owner=owner, side=side, price_ticks=price, lots=lots, rests=rests)


def trades(entry: Entry) -> list[tuple[int, int, int]]:
    """Give (resting key, price, lots) of each match."""
    return [(match.resting_key, match.price_ticks, match.lots) for match in entry.matches]


MATCHING = [
    # resting asks (key, price, lots), incoming buy (price, lots), matches, rested lots
    ("no ask at the limit", [(1, 101, 2)], (100, 2), [], 2),
    ("at the resting price, not the limit", [(1, 99, 2)], (105, 2), [(1, 99, 2)], 0),
    ("partly, the rest stands", [(1, 100, 1)], (100, 3), [(1, 100, 1)], 2),
    ("the better price before the earlier order", [(1, 101, 1), (2, 100, 1)], (101, 1), [(2, 100, 1)], 0),
    ("the earlier order before the larger", [(1, 100, 1), (2, 100, 5)], (100, 2), [(1, 100, 1), (2, 100, 1)], 0),
    ("through levels up to the limit", [(1, 100, 1), (2, 102, 1)], (101, 2), [(1, 100, 1)], 1),
    ("below zero as above", [(1, -3, 1), (2, -5, 1)], (-4, 2), [(2, -5, 1)], 1),
]


@pytest.mark.parametrize(
    ("asks", "buy", "expected", "rested"), [row[1:] for row in MATCHING], ids=[r[0] for r in MATCHING]
)
def test_a_buy_matches_asks_by_price_then_time(
    asks: list[tuple[int, int, int]], buy: tuple[int, int], expected: list[tuple[int, int, int]], rested: int
) -> None:
    """Each row of the table trades what it says, and leaves the rest standing."""
    book = Book()
    for key, price, lots in asks:
        enter(book, key, side=SELL, price=price, lots=lots)

    entry = enter(book, 9, side=BUY, price=buy[0], lots=buy[1])

    assert trades(entry) == expected
    assert entry.rested_lots == rested
    assert (9 in book) == (rested > 0)


def test_an_order_that_does_not_rest_leaves_nothing_behind() -> None:
    """What a taker cannot trade at once is dropped."""
    book = Book()
    enter(book, 1, side=BUY, price=100, lots=2)

    entry = enter(book, 2, side=SELL, price=100, lots=5, rests=False)

    assert trades(entry) == [(1, 100, 2)]
    assert book.depth(BUY) == book.depth(SELL) == ()


AMENDS = [
    # (new price, new lots) of the first of two bids at 100 with 3 lots each, who trades first
    ("a smaller size keeps the place", (100, 1), 1),
    ("the same terms keep the place", (100, 3), 1),
    ("a larger size goes to the back", (100, 4), 2),
    ("a worse price goes behind", (99, 3), 2),
    ("a better price goes ahead", (101, 3), 1),
]


@pytest.mark.parametrize(("change", "first"), [row[1:] for row in AMENDS], ids=[row[0] for row in AMENDS])
def test_an_amend_keeps_its_place_only_when_its_size_falls(change: tuple[int, int], first: int) -> None:
    """Who trades with the next seller tells who stands first."""
    book = Book()
    enter(book, 1, side=BUY, price=100, lots=3)
    enter(book, 2, side=BUY, price=100, lots=3)

    book.amend(1, price_ticks=change[0], lots=change[1])

    assert trades(enter(book, 3, side=SELL, price=90, lots=1, rests=False))[0][0] == first


def test_a_price_given_up_and_taken_back_loses_its_place() -> None:
    """Going away and coming back is a new arrival."""
    book = Book()
    enter(book, 1, side=BUY, price=100, lots=1)
    enter(book, 2, side=BUY, price=100, lots=1)

    book.amend(1, price_ticks=99, lots=1)
    book.amend(1, price_ticks=100, lots=1)

    assert [order.key for order in book.queue(BUY)] == [2, 1]


def test_an_amend_that_crosses_trades_at_once() -> None:
    """The new price meets the ask at the ask's price."""
    book = Book()
    enter(book, 1, side=SELL, price=102, lots=1)
    enter(book, 2, side=BUY, price=100, lots=2)

    entry = book.amend(2, price_ticks=103, lots=2)

    assert trades(entry) == [(1, 102, 1)]
    assert book.best(BUY) == (103, 1)


def test_orders_of_clients_never_trade_with_each_other() -> None:
    """The resting client order is cancelled, and the incoming one trades on behind it."""
    book = Book()
    enter(book, 1, side=SELL, price=100, lots=2, owner=CLIENT)
    enter(book, 2, side=SELL, price=100, lots=1, owner=FLOW)

    entry = enter(book, 3, side=BUY, price=100, lots=2, owner=CLIENT)

    assert entry.displaced == (1,)
    assert trades(entry) == [(2, 100, 1)]
    assert book.depth(SELL) == ()
    assert book.best(BUY) == (100, 1)


def test_one_price_tells_its_lots_and_its_orders_in_turn() -> None:
    """On its own side only, and nothing where nobody stands."""
    book = Book()
    enter(book, 1, side=BUY, price=100, lots=3)
    enter(book, 2, side=BUY, price=99, lots=1)
    enter(book, 3, side=BUY, price=100, lots=2)

    orders = book.orders_at(BUY, 100)

    assert [order.key for order in orders] == [1, 3]
    assert (book.lots_at(BUY, 100), book.lots_at(BUY, 98), book.lots_at(SELL, 100)) == (5, 0, 0)
    assert book.orders_at(SELL, 100) == ()


def test_impossible_orders_are_errors_of_the_caller() -> None:
    """No lots, a key twice, and an unknown key each raise."""
    book = Book()
    enter(book, 1, side=BUY, price=100, lots=1)

    with pytest.raises(ValueError, match="0 lots"):
        enter(book, 2, side=BUY, price=100, lots=0)
    with pytest.raises(ValueError, match="order 1"):
        enter(book, 1, side=BUY, price=100, lots=1)
    with pytest.raises(ValueError, match="at least 1"):
        book.amend(1, price_ticks=100, lots=0)
    with pytest.raises(KeyError):
        book.amend(7, price_ticks=100, lots=1)
    assert book.cancel(7) == 0


@dataclass
class _Plain:
    """One order of the model."""

    key: int
    owner: Owner
    side: SimSide
    price: int
    lots: int


class _Model:
    """The book once more, as slow and plain as can be: one list, searched for the best each time."""

    def __init__(self) -> None:
        self.orders: list[_Plain] = []  # in order of arrival

    def enter(self, new: _Plain) -> list[tuple[int, int, int]]:
        """Give (resting key, price, lots) of each match; what is left joins the list."""
        found = []
        sign = 1 if new.side is BUY else -1
        while new.lots:
            against = [o for o in self.orders if o.side is not new.side and sign * (new.price - o.price) >= 0]
            if not against:
                self.orders.append(new)
                break
            best = min(against, key=lambda order: sign * order.price)
            if new.owner is CLIENT and best.owner is CLIENT:
                self.orders.remove(best)
                continue
            traded = min(new.lots, best.lots)
            found.append((best.key, best.price, traded))
            new.lots -= traded
            best.lots -= traded
            if best.lots == 0:
                self.orders.remove(best)
        return found

    def depth(self, side: SimSide) -> dict[int, int]:
        """Give lots by price."""
        total: Counter[int] = Counter()
        for order in self.orders:
            if order.side is side:
                total[order.price] += order.lots
        return dict(total)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "enter", "amend", "cancel"]),
        st.sampled_from([CLIENT, FLOW]),
        st.sampled_from([BUY, SELL]),
        st.integers(-4, 4),
        st.integers(1, 5),
        st.integers(0, 30),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_any_sequence_agrees_with_a_plain_model_and_never_leaves_a_cross(
    steps: list[tuple[str, Owner, SimSide, int, int, int]],
) -> None:
    """Matches, levels, conservation of lots and an uncrossed book hold after every step."""
    book, model = Book(), _Model()

    for number, (verb, owner, side, price, lots, pick) in enumerate(steps):
        resting = sum(order.lots for each in SimSide for order in book.queue(each))
        if verb == "enter":
            entry = enter(book, number, side=side, price=price, lots=lots, owner=owner)
            traded = sum(match.lots for match in entry.matches)

            assert trades(entry) == model.enter(_Plain(number, owner, side, price, lots))
            assert traded + entry.rested_lots == lots
            left = sum(order.lots for each in SimSide for order in book.queue(each))
            assert left <= resting - traded + entry.rested_lots
            assert (left < resting - traded + entry.rested_lots) == bool(entry.displaced)
        elif pick in book:
            held = next(order for order in model.orders if order.key == pick)
            if verb == "cancel":
                assert book.cancel(pick) == held.lots
                model.orders.remove(held)
            elif price == held.price and lots <= held.lots:
                assert not book.amend(pick, price_ticks=price, lots=lots).matches
                held.lots = lots
            else:
                model.orders.remove(held)
                expected = model.enter(_Plain(pick, held.owner, held.side, price, lots))
                assert trades(book.amend(pick, price_ticks=price, lots=lots)) == expected

        for each in SimSide:
            assert dict(book.depth(each)) == model.depth(each)
            assert book.best(each) == next(iter(book.depth(each)), None)
            levels: Counter[int] = Counter()
            for order in book.queue(each):
                levels[order.price_ticks] += order.lots
            assert dict(levels) == dict(book.depth(each))
        bid, ask = book.best(BUY), book.best(SELL)
        assert bid is None or ask is None or bid[0] < ask[0]
