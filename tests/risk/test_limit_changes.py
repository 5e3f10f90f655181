"""Which changes loosen, what holds in between, and what holds when a desk opens on a journal with limits of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.errors import LimitsError
from hydra_nb.risk.limit_changes import (
    asked_limits,
    limit_changes,
    limits_at_opening,
    limits_of,
    own_limits,
    with_changes,
)
from hydra_nb.risk.limits import BOUNDS, Limits

NAMES = ("collar_ticks", "max_position_lots")
SYMBOLS = ("ZO", "KE")
VALUES = st.integers(0, 4)


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    """Limits of few values, so that equal ones and all orders of size are met often."""
    chosen = {name: draw(VALUES) for name in NAMES}
    symbols = {}
    for symbol in SYMBOLS:
        own = {name: draw(VALUES) for name in NAMES if draw(st.booleans())}
        if own:
            symbols[symbol] = own
    return Limits(**chosen, reset_window_s=draw(VALUES), symbols=symbols)


def never_looser(limits: Limits, *, than: Limits) -> bool:
    """Whether no symbol, known by name or not, is allowed more."""
    return not any(
        bounds.is_tighter(getattr(than.for_symbol(symbol), name), than=getattr(limits.for_symbol(symbol), name))
        for symbol in (*SYMBOLS, "PA")
        for name, bounds in BOUNDS.items()
    )


@pytest.mark.parametrize(
    ("old", "new", "loosens"),
    [
        ({"collar_ticks": 120}, {"collar_ticks": 121}, True),
        ({"collar_ticks": 120}, {"collar_ticks": 119}, False),
        ({"reset_window_s": 300.0}, {"reset_window_s": 299.0}, True),
        ({"reset_window_s": 300.0}, {"reset_window_s": 301.0}, False),
        ({}, {"symbols": {"ZO": {"collar_ticks": 121}}}, True),
        ({}, {"symbols": {"ZO": {"collar_ticks": 120}}}, False),
        ({"symbols": {"ZO": {"collar_ticks": 119}}}, {}, True),
        ({"symbols": {"ZO": {"collar_ticks": 121}}}, {}, False),
        ({"collar_ticks": 40, "symbols": {"ZO": {"collar_ticks": 20}}}, {"collar_ticks": 10}, False),
    ],
)
def test_to_loosen_is_to_allow_a_symbol_more_than_before(old, new, loosens):
    """By what holds for it: its own limit, and that of all where it has none, before and after."""
    changes = limit_changes(Limits(**old), Limits(**new))

    assert changes
    assert any(change.loosens for change in changes) is loosens


def test_changes_say_whose_limit_becomes_what():
    """Each own value that changes is one; a symbol that follows the limit of all is none by itself."""
    old = Limits(symbols={"ZO": {"collar_ticks": 40}, "KE": {"collar_ticks": 50}})
    new = Limits(collar_ticks=60, symbols={"ZO": {"collar_ticks": 40}, "PA": {"max_lots_per_order": 1}})

    changes = limit_changes(old, new)

    assert [str(change) for change in changes] == [
        "collar_ticks from 120 to 60 ticks",
        "collar_ticks of KE from 50 to 60 ticks",
        "max_lots_per_order of PA from 20 to 1 lots",
    ]
    assert [(change.old, change.new) for change in changes] == [(120, 60), (50, None), (None, 1)]
    assert limit_changes(old, old) == ()


@given(old=some_limits(), new=some_limits())
def test_all_changes_together_give_the_new_limits(old: Limits, new: Limits) -> None:
    """Whatever changes, own limits that come and go among it."""
    assert with_changes(old, limit_changes(old, new)) == new
    assert limits_of(own_limits(new)) == new


@given(old=some_limits(), new=some_limits())
def test_what_is_tightened_alone_allows_nobody_more(old: Limits, new: Limits) -> None:
    """While the rest waits for the disk, or where it is never written, no symbol is allowed more than before."""
    tightened = [change for change in limit_changes(old, new) if not change.loosens]

    between = with_changes(old, tightened)

    assert never_looser(between, than=old)
    assert (between == new) is all(not change.loosens for change in limit_changes(old, new))


@given(old=some_limits(), new=some_limits())
def test_without_a_loosened_limit_nobody_is_allowed_more(old: Limits, new: Limits) -> None:
    """No change that allows a symbol more goes without being called so."""
    if not any(change.loosens for change in limit_changes(old, new)):
        assert never_looser(new, than=old)


def test_a_person_asks_by_name_or_by_symbol_and_name():
    """What is not named stays; None takes a symbol's own away, also where it has none."""
    limits = Limits(collar_ticks=60, symbols={"ZO": {"collar_ticks": 40}})

    changed = asked_limits(limits, {"max_daily_loss": 500, "KE.max_lots_per_order": 2, "ZO.collar_ticks": None})

    assert changed == Limits(collar_ticks=60, max_daily_loss=500, symbols={"KE": {"max_lots_per_order": 2}})
    assert asked_limits(limits, {}) == limits
    assert asked_limits(limits, {"PA.collar_ticks": None}) == limits


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"collar_pct": 1}, "collar_percent"),
        ({"ZO.collar_pct": None}, "collar_percent"),
        ({"collar_ticks": None}, "type NoneType"),
        ({"collar_ticks": "40"}, "type str"),
        ({"zo.collar_ticks": 4}, "write ZO"),
        ({".collar_ticks": 4}, "no symbol"),
        ({"*.collar_ticks": 4}, "no symbol"),
        ({"ZO.": 4}, "unknown limit ''"),
        ({"symbols": {"ZO": {"collar_ticks": 4}}}, "unknown limit 'symbols'"),
        ({"ZO.max_daily_loss": 4}, "set it for all"),
        ({5: 4}, "unknown limit '5'"),
    ],
)
def test_what_a_person_asks_for_wrongly_is_refused(asked, words):
    """By the same words as in a file."""
    with pytest.raises(LimitsError, match=words):
        asked_limits(Limits(), asked)


@given(given_now=some_limits(), in_force=some_limits())
def test_opening_again_as_before_loosens_nothing(given_now: Limits, in_force: Limits) -> None:
    """Neither what was given nor what was tightened since; what was loosened with a reason ends with its desk."""
    holds = limits_at_opening(given_now, last_given=own_limits(given_now), in_force=own_limits(in_force))

    assert never_looser(holds, than=given_now)
    assert never_looser(holds, than=in_force)


@given(last=some_limits(), given_now=some_limits(), in_force=some_limits())
def test_what_is_given_otherwise_holds_as_given(last: Limits, given_now: Limits, in_force: Limits) -> None:
    """The caller thought of it again."""
    holds = own_limits(limits_at_opening(given_now, last_given=own_limits(last), in_force=own_limits(in_force)))

    own, before = own_limits(given_now), own_limits(last)
    for key in {*own, *before}:
        if own.get(key) != before.get(key):
            assert holds.get(key) == own.get(key)


@given(given_now=some_limits())
def test_a_journal_without_limits_holds_to_those_given(given_now: Limits) -> None:
    """The first opening, or a journal of a version that kept none."""
    assert limits_at_opening(given_now, last_given={}, in_force={}) == given_now


def test_limits_of_another_version_are_no_obstacle():
    """A limit that is unknown here, or was allowed other values, is left out; one that it lacked is taken as given."""
    past = {
        ("*", "max_moonshine"): 3.0,
        ("*", "collar_ticks"): -5,
        ("ZO", "max_daily_loss"): 5,
        ("zo", "collar_ticks"): 1,
    }

    holds = limits_at_opening(Limits(), last_given={**own_limits(Limits()), **past}, in_force=past)

    assert limits_of(past) == Limits()
    assert holds == Limits()


def test_changes_are_listed_as_a_person_reads_them():
    """Of all first, then by symbol, each in the order of the table of limits and not of the alphabet."""
    new = Limits(
        max_daily_loss=1,
        collar_ticks=2,
        collar_percent=0.5,
        symbols={"ZO": {"collar_ticks": 3, "max_adv_percent": 4}, "KE": {"collar_percent": 1, "collar_ticks": 5}},
    )

    assert [change.name for change in limit_changes(Limits(), new)] == [
        "max_daily_loss",
        "collar_ticks",
        "collar_percent",
        "collar_ticks of KE",
        "collar_percent of KE",
        "max_adv_percent of ZO",
        "collar_ticks of ZO",
    ]


@pytest.mark.parametrize("symbol", ["zo", "", "*", "ZOH7"])
def test_what_is_no_symbol_has_no_limit_to_be_taken_away(symbol):
    """A typing error must not be taken for a thing done."""
    with pytest.raises(LimitsError, match=r"symbol|month"):
        asked_limits(Limits(symbols={"ZO": {"collar_ticks": 3}}), {f"{symbol}.collar_ticks": None})


def test_one_limit_given_otherwise_leaves_the_others_as_tightened():
    """Each limit is looked at by itself, also after one that was thought of again, or that is none any more."""
    last = Limits(symbols={"ZO": {"collar_ticks": 50}})
    given_now = Limits(max_daily_loss=9_000, symbols={"ZO": {"collar_ticks": 50}})
    in_force = {
        **own_limits(Limits(max_daily_loss=5_000, collar_ticks=30, max_adv_percent=1)),
        ("*", "max_drawdown_percent"): -1,
        ("KE", "max_daily_loss"): 1,
        ("ZO", "collar_ticks"): 20,
    }

    holds = limits_at_opening(given_now, last_given=own_limits(last), in_force=in_force)

    assert holds == Limits(
        max_daily_loss=9_000, collar_ticks=30, max_adv_percent=1, symbols={"ZO": {"collar_ticks": 20}}
    )


def test_a_limit_that_is_gone_already_can_be_taken_away():
    """As where two changes wait for the disk."""
    gone = limit_changes(Limits(symbols={"KE": {"collar_ticks": 5}}), Limits())

    assert with_changes(Limits(), gone) == Limits()


def test_limits_of_all_are_kept_under_a_star():
    """Journals have it, so it can never be another."""
    assert ("*", "collar_ticks") in own_limits(Limits())
    assert limits_of({("*", "collar_ticks"): 7}) == Limits(collar_ticks=7)
