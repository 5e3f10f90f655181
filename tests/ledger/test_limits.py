"""The limits that a journal knows of."""

from hydra_nb.domain import events as ev

from .making import at, fold


def opened(*values: tuple[str, str, float], seconds: float = 0) -> ev.LimitsOpened:
    """A desk was opened with these limits."""
    told = tuple(ev.LimitValue(symbol=symbol, limit=limit, value=value) for symbol, limit, value in values)
    return ev.LimitsOpened(time_ns=at(seconds), values=told, who="somebody")


def changed(symbol: str, limit: str, *, to: float | None, seconds: float) -> ev.LimitsChanged:
    """One limit became another."""
    return ev.LimitsChanged(
        time_ns=at(seconds), symbol=symbol, limit=limit, old=None, new=to, reason="", who="somebody"
    )


FIRST = opened(("*", "collar_ticks", 120), ("ZO", "collar_ticks", 40))


def test_the_first_limits_hold_and_no_limit_was_changed() -> None:
    """What the first desk was opened with is what is in force."""
    limits = fold([FIRST]).limits

    assert limits.given == limits.in_force == {("*", "collar_ticks"): 120, ("ZO", "collar_ticks"): 40}
    assert limits.changed_ns == {}


def test_changes_put_other_limits_in_force_with_their_times() -> None:
    """A symbol's own may come and go; what the desk was opened with stays what it was."""
    events = [
        FIRST,
        changed("*", "collar_ticks", to=60, seconds=5),
        changed("ZO", "collar_ticks", to=None, seconds=6),
        changed("KE", "max_lots_per_order", to=2, seconds=7),
    ]

    limits = fold(events).limits

    assert limits.in_force == {("*", "collar_ticks"): 60, ("KE", "max_lots_per_order"): 2}
    assert limits.given == {("*", "collar_ticks"): 120, ("ZO", "collar_ticks"): 40}
    assert limits.changed_ns == {
        ("*", "collar_ticks"): at(5),
        ("ZO", "collar_ticks"): at(6),
        ("KE", "max_lots_per_order"): at(7),
    }


def test_a_later_opening_tells_what_was_given_and_changes_nothing_by_itself() -> None:
    """What the differences are is told change by change."""
    events = [FIRST, changed("*", "collar_ticks", to=60, seconds=5), opened(("*", "collar_ticks", 200), seconds=9)]

    limits = fold(events).limits

    assert limits.given == {("*", "collar_ticks"): 200}
    assert limits.in_force == {("*", "collar_ticks"): 60, ("ZO", "collar_ticks"): 40}
