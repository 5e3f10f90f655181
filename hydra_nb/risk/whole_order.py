"""The checks of a whole parent order, and the search for what they would allow."""

from collections.abc import Callable
from decimal import Decimal

from hydra_nb.domain.orders import ParentOrder
from hydra_nb.risk.case import Case
from hydra_nb.risk.checks import CHECKS, PARENT_CHECKS, Cure
from hydra_nb.risk.checks_contract import session_left
from hydra_nb.risk.checks_market import quote_age, quote_sane, reference_age, session_open
from hydra_nb.risk.checks_traffic import order_efficiency
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import RiskSnapshot
from hydra_nb.risk.verdict import Decision, WouldPass

_TIME_CURES = frozenset(check.name for check in CHECKS if check.cure is Cure.TIME)
_PRICE_CURES = frozenset(check.name for check in CHECKS if check.cure is Cure.PRICE)
_EFFICIENCY = order_efficiency.__name__
"""The one check that more lots cure: the same messages are fewer a lot."""
_PERSON_CURES = frozenset(check.name for check in CHECKS if check.cure is Cure.PERSON) - {_EFFICIENCY}
_SESSION = frozenset(check.__name__ for check in (session_open, session_left))
_SESSION_CURES = frozenset(
    check.__name__ for check in (session_open, session_left, quote_sane, quote_age, reference_age)
)


def check_whole(
    parent: ParentOrder,
    *,
    lots: int,
    slices: int,
    prices: tuple[Decimal | None, Decimal | None],
    messages: int,
    snapshot: RiskSnapshot,
    limits: Limits,
) -> tuple[Decision, ...]:
    """Make every check of a parent order, were it one of `lots` lots; `prices` are its worst and its first."""
    worst, first = (
        Case.of_parent(
            parent, lots=lots, slices=slices, price=price, messages=messages, snapshot=snapshot, limits=limits
        )
        for price in prices
    )
    decisions: list[Decision] = []
    for check in PARENT_CHECKS:
        decision = check.function(worst)
        if decision.allowed and check.cure is Cure.PRICE:
            of_first = check.function(first)
            decision = decision if of_first.allowed else of_first
        decisions.append(decision if snapshot.begins_ns is None else _of_later(decision))
    return tuple(decisions)


def _of_later(decision: Decision) -> Decision:
    """Let pass what may be otherwise when the order begins: each of its orders is asked about anew by then.

    The session is looked at as it will be then, and a start outside of it is refused now.
    """
    if decision.allowed or not decision.transient or decision.check in _SESSION:
        return decision
    return decision._replace(allowed=True, message=f"{decision.message} (asked again when it begins)")


def search(
    parent: ParentOrder,
    *,
    slices: int,
    prices: tuple[Decimal | None, Decimal | None],
    messages: int,
    snapshot: RiskSnapshot,
    limits: Limits,
) -> WouldPass:
    """Lots, price and time that all checks together would allow, each changed alone."""

    def checked(*, lots: int, tried: tuple[Decimal | None, Decimal | None]) -> tuple[Decision, ...]:
        return check_whole(
            parent, lots=lots, slices=slices, prices=tried, messages=messages, snapshot=snapshot, limits=limits
        )

    asked = checked(lots=parent.lots, tried=prices)
    # What only a person cures is about the plan or the desk as they are: no other number of lots would change it.
    is_lots_worth_trying = all(decision.allowed or decision.check not in _PERSON_CURES for decision in asked)
    most = None
    if is_lots_worth_trying:
        most = _most_lots(
            lambda lots: _passes_with_other_lots(checked(lots=lots, tried=prices)), highest=limits.max_lots_per_parent
        )
    if most is not None and not _is_efficient(checked(lots=most, tried=prices)):
        most = None  # nor would fewer be
    return WouldPass(
        lots=most,
        price=_nearest_price(prices[0], decide=lambda price: checked(lots=parent.lots, tried=(price, price))),
        time_ns=_earliest_time(parent, decisions=asked, now_ns=snapshot.now_ns, begins_ns=snapshot.begins_ns),
    )


def _passes_with_other_lots(decisions: tuple[Decision, ...]) -> bool:
    """Whether all passes but what time, or more lots, cure; what a person cures was looked at, at the lots asked."""
    set_aside = _TIME_CURES | _PERSON_CURES | {_EFFICIENCY}
    return all(decision.allowed or decision.check in set_aside for decision in decisions)


def _is_efficient(decisions: tuple[Decision, ...]) -> bool:
    return all(decision.allowed for decision in decisions if decision.check == _EFFICIENCY)


def _most_lots(passes: Callable[[int], bool], *, highest: int) -> int | None:
    """Largest lots from 1 to `highest` that pass, by bisection: more lots never pass where fewer do not."""
    if highest < 1 or not passes(1):
        return None
    low, high = 1, highest
    while low < high:
        middle = (low + high + 1) // 2
        if passes(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _nearest_price(asked: Decimal | None, *, decide: Callable[[Decimal], tuple[Decision, ...]]) -> Decimal | None:
    """Price nearest to `asked` that passes.

    Each price check allows an interval, and tells the price of it nearest to the one tried. Going there from check
    to check never passes the nearest price that all allow, so a price seen twice means that there is none.
    """
    price, seen = asked, set[Decimal]()
    while price is not None and price not in seen:
        seen.add(price)
        refusing = [
            decision for decision in decide(price) if not decision.allowed and decision.check not in _TIME_CURES
        ]
        if not refusing:
            return price
        nearest = refusing[0].would_pass if refusing[0].check in _PRICE_CURES else None
        price = None if nearest is None else Decimal(repr(nearest))
    return None


def _earliest_time(
    parent: ParentOrder, *, decisions: tuple[Decision, ...], now_ns: int, begins_ns: int | None
) -> int | None:
    """Now, or at its own later start, where everything passes; the next opening where only a closed session hinders."""
    refusing = [decision for decision in decisions if not decision.allowed]
    if not refusing:
        return begins_ns if begins_ns is not None else now_ns
    is_closed = any(decision.check == session_open.__name__ for decision in refusing)
    # The opening brings the quote, and with it the mid for want of which a size or a price could not be valued.
    cured = all(
        decision.check in _SESSION_CURES or (decision.transient and decision.check not in _TIME_CURES)
        for decision in refusing
    )
    return parent.contract.opens_ns(now_ns) if is_closed and cured else None
