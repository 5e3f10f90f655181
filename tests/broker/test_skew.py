"""Time replies of whole seconds, held together, say between which bounds the two clocks differ."""

from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.broker.skew import BLOCK, SkewMeter, TimeReply
from hydra_nb.domain.units import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
Asked = tuple[int, int, int]
ASKED = st.tuples(
    st.integers(0, HOUR_NS), st.integers(0, 2 * NS_PER_S), st.integers(0, 2 * NS_PER_S)
)  # when we asked, until the broker read its clock, until we heard


def reply(asked: Asked, *, ahead_ns: int) -> TimeReply:
    """What a broker whose clock is ahead by so much answers, cut to the second."""
    asked_ns, to_broker_ns, back_ns = asked
    read_ns = asked_ns + to_broker_ns
    return TimeReply(
        server_s=(read_ns + ahead_ns) // NS_PER_S,
        asked_ns=asked_ns,
        heard_ns=read_ns + back_ns,
        asked_host_ns=0,
        heard_host_ns=0,
    )


@given(st.lists(ASKED, min_size=1, max_size=4 * BLOCK), st.integers(-5 * NS_PER_S, 5 * NS_PER_S))
def test_the_true_difference_lies_within_the_bounds(asked: list[Asked], ahead_ns: int) -> None:
    """Whatever the delays, of a clock that nobody sets; and each reply narrows what those before left open."""
    meter, widths = SkewMeter(), []

    for one in asked:
        meter.take(reply(one, ahead_ns=ahead_ns))
        bounds = meter.bounds_s()
        assert bounds is not None
        assert bounds[0] - 1e-6 <= ahead_ns / NS_PER_S <= bounds[1] + 1e-6
        widths.append(bounds[1] - bounds[0])

    kept = widths[: 2 * BLOCK]  # then the first are dropped
    assert kept == sorted(kept, reverse=True)


def test_replies_in_all_parts_of_the_second_leave_little_open() -> None:
    """Twenty replies, a twentieth of a second apart, tell the difference to a twentieth."""
    meter = SkewMeter()

    for number in range(20):
        meter.take(reply((10 * NS_PER_S + number * NS_PER_S // 20, 0, 0), ahead_ns=NS_PER_S // 3))

    low_s, high_s = meter.bounds_s() or (0.0, 0.0)
    assert low_s <= 1 / 3 <= high_s
    assert high_s - low_s <= 0.051


def test_a_clock_that_was_set_begins_anew() -> None:
    """Replies that contradict those before are believed."""
    meter = SkewMeter()
    meter.take(reply((0, 0, 0), ahead_ns=0))

    meter.take(reply((10 * NS_PER_S, 0, 0), ahead_ns=30 * NS_PER_S))

    assert meter.bounds_s() == (30.0, 31.0)


def test_a_clock_that_drifts_is_followed() -> None:
    """By a millisecond every ten seconds: what was said an hour ago does not bind."""
    meter = SkewMeter()

    for number in range(400):
        asked_ns = number * (10 * NS_PER_S + NS_PER_S // 7)
        meter.take(reply((asked_ns, 0, 0), ahead_ns=number * NS_PER_S // 1000))

    low_s, high_s = meter.bounds_s() or (0.0, 0.0)
    assert low_s - 0.06 <= 0.4 <= high_s + 0.06
    assert high_s - low_s <= 0.2


def test_nothing_is_known_before_the_first_reply() -> None:
    """No bounds are made up."""
    assert SkewMeter().bounds_s() is None
