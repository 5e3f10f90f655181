"""The quotes of a live figure: which are kept, how they are thinned, and the outline that is drawn of them."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain.market import Quote
from hydra_nb.widgets.execution_tape import MOST_KEPT, Change, QuoteTape, outline

NAN = float("nan")


def test_only_changes_of_bid_or_ask_are_kept() -> None:
    """A quote that repeats, or comes late, adds nothing; a side that goes away does."""
    tape = QuoteTape([Change(1, 370.0, 371.0), Change(2, 370.0, 371.0)])

    tape.note(Quote(con_id=1, time_ns=3, bid=Decimal("370.0"), bid_size=1, ask=Decimal("371.0"), ask_size=1))
    tape.note(Quote(con_id=1, time_ns=4, bid=Decimal("370.0"), bid_size=1))
    tape.note(Quote(con_id=1, time_ns=5, bid=Decimal("370.0"), bid_size=1))
    tape.note(None)

    assert [change.time_ns for change in tape.thinned(10)] == [1, 4]


@given(count=st.integers(1, 5_000), most=st.integers(2, 200))
def test_a_tape_is_thinned_to_what_can_be_shown_and_keeps_its_ends(count: int, most: int) -> None:
    """However many quotes came: at most so many, in order, the first and the last among them."""
    tape = QuoteTape(Change(at, float(at), float(at + 1)) for at in range(count))

    shown = [change.time_ns for change in tape.thinned(most)]

    assert len(shown) <= max(most, 1)
    assert shown == sorted(shown)
    assert shown[-1] == count - 1
    assert len(tape.thinned(10**9)) <= 2 * MOST_KEPT


def test_the_outline_goes_forward_above_and_back_below() -> None:
    """Two steps: the corners of a line of shape hv."""
    across, up = outline(np.array([0.0, 1.0]), low=np.array([5.0, 6.0]), high=np.array([8.0, 9.0]), until=3.0)

    assert across.tolist()[:-1] == [0, 1, 3, 3, 1, 0]
    assert up.tolist()[:-1] == [8, 9, 9, 6, 5, 5]
    assert np.isnan(across[-1])


def test_the_outline_breaks_where_a_side_is_missing() -> None:
    """Nothing is drawn between the second time and the third."""
    low, high = np.array([5.0, NAN, 6.0]), np.array([8.0, 8.0, 9.0])

    across, up = outline(np.array([0.0, 1.0, 2.0]), low=low, high=high, until=3.0)

    assert np.isnan(across).sum() == 2
    assert not any(1.0 < time < 2.0 for time in across)
    assert np.nanmax(up) == 9


def test_nothing_has_no_outline() -> None:
    """No times, no points."""
    across, up = outline(np.array([]), low=np.array([]), high=np.array([]), until=3.0)

    assert (len(across), len(up)) == (0, 0)
