"""What a person should know of a plan beside its figures, in words."""

from collections.abc import Iterator

from hydra_nb.algos.prices import IndicativeLimits
from hydra_nb.desk import dividing
from hydra_nb.desk.arguments import How
from hydra_nb.desk.starting import start_words
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.widgets import numbers


def notices_of(terms: ExecutionPlan, *, how: How, prices: IndicativeLimits, room_ns: int) -> tuple[str, ...]:
    """Give them in the order in which they are shown.

    Parameters
    ----------
    terms
        The plan.
    how
        What was asked for.
    prices
        The limits that its stages would have now.
    room_ns
        How long before its end a session takes no orders of ours any more.
    """
    return (
        *_of_start(terms),
        *_of_closed_hours(terms, room_ns=room_ns),
        *_of_prices(terms, prices=prices),
        *_of_what_is_left_aside(terms, how=how),
        *dividing.notices_of(terms, how=how),
    )


def _of_start(terms: ExecutionPlan) -> Iterator[str]:
    if terms.start_ns is not None:
        yield f"It begins {start_words(terms.start_ns, terms.parent.contract)}; until then nothing is sent."


def _of_closed_hours(terms: ExecutionPlan, *, room_ns: int) -> Iterator[str]:
    """Slices that come while the contract is closed: later ones take their lots, if there are any."""
    contract, begins_ns = terms.parent.contract, terms.begins_ns(terms.previewed_ns)
    closes_ns = contract.closes_ns(begins_ns)
    if closes_ns is None:  # it does not begin either, and a check says so
        return

    def is_taken(at_ns: int) -> bool:
        ends_ns = contract.closes_ns(at_ns)
        return ends_ns is not None and at_ns < ends_ns - room_ns

    starts_ns = [begins_ns + one.offset_ns for one in terms.slices]
    closed = [at for at, start_ns in enumerate(starts_ns) if not is_taken(start_ns)]
    if not closed:
        return
    last_open = max((at for at in range(len(starts_ns)) if at not in closed), default=-1)
    lost = sum(one.lots for one in terms.slices[last_open + 1 :])
    what = f"{len(closed)} of {numbers.plural(len(starts_ns), 'slice')} come while {contract.local_symbol} is closed"
    said = f"{what}, the first {start_words(starts_ns[closed[0]], contract)}: nothing is sent then, and "
    said += f"for the last {numbers.plural(lost, 'lot')} no slice is left." if lost else "later slices take their lots."
    room_s = (closes_ns - room_ns - begins_ns) // NS_PER_S
    if room_s > 0:
        said += f" A duration of at most {room_s} s stays within the session, as overrun='shorten' does."
    yield said


def _of_prices(terms: ExecutionPlan, *, prices: IndicativeLimits) -> Iterator[str]:
    if prices.cap_short_of_touch and prices.cross is not None:
        yield (
            f"The cross stops at {terms.parent.contract.format_price(prices.cross)}, short of the opposite touch: "
            f"it never goes further than 10 steps from mid, nor past the limit."
        )
    if terms.adv_source == "caller":
        yield "The average daily volume is the caller's figure."


def _of_what_is_left_aside(terms: ExecutionPlan, *, how: How) -> Iterator[str]:
    """Settings of slices, of an order that has one."""
    if terms.parent.strategy is not Strategy.LIMIT_PATIENCE:
        return
    aside = [] if how.slices in (1, How().slices) else [f"slices={how.slices}"]
    if how.duration_ns is not None and how.duration_ns > terms.duration_ns:
        aside.append(f"a duration of {how.duration_ns // NS_PER_S} s")
    if aside:
        words = f"{' and '.join(aside)} {'are' if len(aside) > 1 else 'is'} left aside"
        yield f"The order is worked as one, with patience: {words}. Say strategy='twap' to have slices."
