"""The search for what would pass, step by step: how it looks for lots, for a price, and for a time."""

from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain.units import Side
from hydra_nb.risk import Limits, RiskGate, WouldPass
from hydra_nb.risk.whole_order import check_whole, search

from .making import NOW_NS, OATS, OPENS_NS, make_parent, make_quote, make_snapshot

CLOSED_NS = OATS.sessions[0].close_ns


def find(
    *, lots: int = 13, slices: int = 1, messages: int = 4, limits: Limits | None = None, **snapshot: Any
) -> WouldPass:
    """What would pass of an order to buy at 370."""
    return search(
        make_parent(lots=lots),
        slices=slices,
        prices=(Decimal(370), Decimal(370)),
        messages=messages,
        snapshot=make_snapshot(**snapshot),
        limits=limits or Limits(),
    )


@pytest.mark.parametrize("most", range(1, 20))
def test_every_number_of_lots_is_found(most: int) -> None:
    """Odd and even, the first and the last that are tried."""
    found = find(limits=Limits(max_lots_per_order=most, max_lots_per_parent=19, max_notional_per_order=1e9))

    assert found.lots == most


@pytest.mark.parametrize(("most", "lots"), [(0, None), (1, 1), (2, 2)])
def test_no_more_lots_are_tried_than_a_parent_may_have(most: int, lots: int | None) -> None:
    """None where it may have none."""
    assert find(limits=Limits(max_lots_per_parent=most)).lots == lots


def test_lots_are_searched_with_the_slices_of_the_plan() -> None:
    """In ten slices twice a tenth is one order: of 50 lots ten, as many as are allowed."""
    limits = Limits(max_lots_per_order=10, max_position_lots=1_000, max_position_percent_of_equity=1e4)

    found = find(slices=10, adv_lots=1e6, limits=limits)

    assert found.lots == 50
    assert find(slices=1, adv_lots=1e6, limits=limits).lots == 10


@pytest.mark.parametrize(
    ("refused", "lots", "price"),
    [
        ({"killed": "by hand"}, None, None),
        ({"equal_parent": "P-0001"}, None, None),
        ({"reconciled": False}, 16, Decimal(370)),
        ({"quote": None}, 16, Decimal(370)),
        ({"position_lots": None}, None, None),
    ],
)
def test_what_lots_and_a_price_cannot_cure_is_answered_with_none(
    refused: dict[str, Any], lots: Any, price: Any
) -> None:
    """But what time alone cures is set aside."""
    found = find(**refused)

    assert (found.lots, found.price, found.time_ns) == (lots, price, None)


def test_a_plan_of_too_many_messages_is_no_matter_of_lots_or_price() -> None:
    """The slices are the same for any number of lots."""
    assert find(messages=201) == WouldPass(lots=None, price=None, time_ns=None)


@pytest.mark.parametrize(
    ("also", "time_ns"),
    [
        ({}, OPENS_NS),
        ({"quote": None, "reference_mid": None}, OPENS_NS),
        ({"reference_age_s": None}, OPENS_NS),
        ({"equity": None}, OPENS_NS),
        ({"reconciled": False}, None),
        ({"clock_skew_s": 5.0}, None),
        ({"killed": "by hand"}, None),
        ({"position_lots": 48}, None),
    ],
)
def test_the_opening_cures_a_closed_session_and_what_it_hides(also: dict[str, Any], time_ns: int | None) -> None:
    """The quote, its age, the mid, and figures that are not known; not the connection, nor a person's part."""
    assert find(now_ns=CLOSED_NS, **also).time_ns == time_ns


def test_an_open_session_is_now_or_never() -> None:
    """Where all passes now; where only the quote does not, nobody knows when it will."""
    assert find().time_ns == NOW_NS
    assert find(quote=make_quote(halted=True)).time_ns is None
    assert find(lots=40).time_ns is None


def test_a_price_is_sought_from_check_to_check() -> None:
    """First onto the tick, then under the caller's limit, then within the collars."""
    parent = make_parent()
    terms: dict[str, Any] = {"slices": 1, "messages": 4, "limits": Limits(collar_percent=0.5)}

    far = search(parent, prices=(Decimal("390.10"), Decimal(370)), snapshot=make_snapshot(), **terms)
    held = search(
        parent, prices=(Decimal(390), Decimal(390)), snapshot=make_snapshot(caller_limit=Decimal(371)), **terms
    )
    torn = search(
        parent, prices=(Decimal(370), Decimal(370)), snapshot=make_snapshot(caller_limit=Decimal(360)), **terms
    )

    assert far.price == Decimal("371.75")
    assert held.price == Decimal(371)
    assert torn.price is None


def test_worst_and_first_price_are_both_held_to_the_checks_of_a_price() -> None:
    """Of two that refuse the worst is told; checks of other things look at the worst alone."""
    terms: dict[str, Any] = {
        "lots": 13,
        "slices": 5,
        "messages": 20,
        "snapshot": make_snapshot(),
        "limits": Limits(collar_ticks=4),
    }

    def told(worst: str, first: str) -> tuple[bool, float | None]:
        decisions = check_whole(make_parent(), prices=(Decimal(worst), Decimal(first)), **terms)
        one = next(made for made in decisions if made.check == "collar_ticks")
        return one.allowed, one.observed

    assert told("370.25", "370.50") == (True, 1.0)
    assert told("370.25", "372") == (False, 8.0)
    assert told("373", "370.50") == (False, 12.0)
    assert told("373", "372") == (False, 12.0)


def test_the_gate_asks_with_the_limits_of_the_symbol_and_the_terms_of_the_plan() -> None:
    """Lots, slices, messages and both prices reach every check."""
    limits = Limits(symbols={"ZO": {"max_lots_per_parent": 12, "max_messages_per_parent": 30}})
    gate, parent = RiskGate(limits), make_parent(side=Side.SELL)
    terms: dict[str, Any] = {"first_price": Decimal(371), "worst_price": Decimal(369), "slices": 4}

    made = {one.check: one for one in gate.check_parent(parent, snapshot=make_snapshot(), messages=26, **terms)}
    found = gate.would_pass(parent, snapshot=make_snapshot(), messages=26, **terms)
    chatty = gate.would_pass(parent, snapshot=make_snapshot(), messages=31, **terms)

    assert (made["parent_lots"].observed, made["parent_lots"].limit) == (13, 12)
    assert (made["parent_messages"].observed, made["parent_messages"].limit) == (26, 30)
    assert (made["order_efficiency"].observed, made["order_lots"].observed) == (2.0, 8)
    assert made["collar_ticks"].would_pass == 369.0
    assert (found.lots, found.price) == (12, None)
    assert chatty == WouldPass(lots=None, price=None, time_ns=None)


def test_a_parent_asked_for_in_other_lots_keeps_its_own() -> None:
    """The lots tried are those told, not those of the parent."""
    decisions = check_whole(
        make_parent(lots=13),
        lots=51,
        slices=1,
        prices=(Decimal(370), Decimal(370)),
        messages=4,
        snapshot=make_snapshot(),
        limits=Limits(),
    )

    assert {one.check: one.observed for one in decisions}["parent_lots"] == 51
