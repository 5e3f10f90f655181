"""What would pass: by search, and the same by trying everything."""

import dataclasses
import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import ParentOrder
from hydra_nb.domain.units import Side
from hydra_nb.risk import Limits, RiskGate, RiskSnapshot, WouldPass
from hydra_nb.risk.checks import CHECKS, Cure
from hydra_nb.risk.snapshot import Exposure, MarginTold

from .making import NOW_NS, OATS, OPENS_NS, make_parent, make_quote, make_snapshot

TIME_CURES = {check.name for check in CHECKS if check.cure is Cure.TIME}
WIDE = 60
"""Ticks on either side of the reference that are tried one by one, more than any collar drawn below."""


def ask(
    *,
    snapshot: RiskSnapshot,
    parent: ParentOrder | None = None,
    limits: Limits | None = None,
    price: Decimal | None = Decimal(370),
) -> WouldPass:
    """What would pass of a parent that uses one price, in one order."""
    return RiskGate(limits or Limits()).would_pass(
        parent or make_parent(), snapshot=snapshot, first_price=price, worst_price=price, messages=4
    )


def passes(gate: RiskGate, parent: ParentOrder, *, price: Decimal, snapshot: RiskSnapshot, slices: int) -> bool:
    """Whether every check but those that time cures passes."""
    decisions = gate.check_parent(
        parent, snapshot=snapshot, first_price=price, worst_price=price, messages=4, slices=slices
    )
    return all(decision.allowed or decision.check in TIME_CURES for decision in decisions)


LIMITS = st.builds(
    Limits,
    max_position_percent_of_equity=st.sampled_from([10.0, 27.75, 50.0]),
    max_position_lots=st.integers(0, 30),
    max_adv_percent=st.sampled_from([1.0, 3.3, 5.0]),
    max_lots_unknown_adv=st.integers(0, 5),
    max_lots_per_order=st.integers(0, 25),
    max_lots_per_parent=st.integers(0, 30),
    max_notional_per_order=st.sampled_from([18_500.0, 100_000.0, 300_000.0]),
    collar_ticks=st.integers(0, 50),
    collar_percent=st.sampled_from([0.0, 0.1, 1.0, 1.5]),
    collar_last_percent=st.sampled_from([0.3, 1.1, 100.0]),
    collar_settlement_percent=st.sampled_from([0.7, 2.0, 100.0]),
    max_adv_percent_per_parent=st.sampled_from([1.0, 4.0, 100.0]),
    max_notional_per_day=st.sampled_from([100_000.0, 400_000.0, 1e9]),
    max_position_lots_per_symbol=st.integers(0, 40),
    max_gross_percent_of_equity=st.sampled_from([20.0, 60.0, 1_000.0]),
    max_equity_at_risk_percent=st.sampled_from([0.5, 2.0, 100.0]),
    max_margin_percent_of_equity=st.sampled_from([2.0, 3.0, 50.0]),
    max_messages_per_lot=st.sampled_from([0.3, 1.0, 20.0]),
)
REFERENCES = st.one_of(
    st.integers(2_900, 3_100).map(lambda eighths: Decimal(eighths) / 8),
    st.integers(-100, 100).map(lambda eighths: Decimal(eighths) / 8),
)


EXPOSURES = st.builds(
    Exposure,
    symbol_position_lots=st.integers(-30, 30),
    symbol_buy_lots=st.integers(0, 6),
    symbol_sell_lots=st.integers(0, 6),
    others_notional=st.sampled_from([0.0, 150_000.0]),
    others_at_risk=st.sampled_from([0.0, 3_000.0]),
)
MARGINS = st.builds(
    MarginTold,
    lots=st.integers(1, 20),
    before=st.sampled_from([0.0, 18_000.0]),
    change=st.sampled_from([-5_000.0, 0.0, 1_480.0, 19_240.0]),
)


@st.composite
def snapshots(draw: st.DrawFn) -> RiskSnapshot:
    """Snapshots with what the checks of lots and price look at drawn, and sometimes unknown."""
    reference = draw(REFERENCES)
    return make_snapshot(
        reference_mid=reference,
        position_lots=draw(st.one_of(st.none(), st.integers(-25, 25))),
        working_buy_lots=draw(st.integers(0, 6)),
        working_sell_lots=draw(st.integers(0, 6)),
        lots_today=draw(st.integers(0, 12)),
        adv_lots=draw(st.one_of(st.none(), st.sampled_from([0.0, 90.0, 420.0]))),
        caller_adv_lots=draw(st.one_of(st.none(), st.sampled_from([150.0, 10_000.0]))),
        equity=draw(st.sampled_from([None, Decimal(1_000_000), Decimal(990_500)])),
        caller_limit=draw(st.one_of(st.none(), st.integers(-40, 40).map(lambda n: on_tick(reference) + n * OATS.tick))),
        quote=make_quote(
            last=draw(st.one_of(st.none(), st.integers(-8, 8).map(lambda n: on_tick(reference) + n * OATS.tick))),
            settlement=draw(st.one_of(st.none(), st.integers(-20, 20).map(lambda n: on_tick(reference) + n))),
        ),
        daily_limit=draw(st.sampled_from([None, Decimal(3), Decimal(12)])),
        opposite_price=draw(st.one_of(st.none(), st.integers(-9, 9).map(lambda n: on_tick(reference) + n * OATS.tick))),
        notice_date=draw(st.sampled_from([None, None, dt.date(2026, 3, 5)])),
        notional_today=draw(st.sampled_from([None, 0.0, 0.0, 130_000.0])),
        exposure=draw(st.one_of(st.none(), EXPOSURES, EXPOSURES)),
        margin=draw(st.one_of(st.none(), MARGINS, MARGINS)),
        daily_volatility=draw(st.sampled_from([None, 0.0, 0.02])),
        parents_at_work=draw(st.sampled_from([0, 0, 0, 25])),
        reconciled=draw(st.booleans()),
        killed=draw(st.sampled_from([None, None, None, "by hand"])),
    )


def on_tick(price: Decimal, *, contract: FutureContract = OATS) -> Decimal:
    """Price on tick at or below `price`."""
    return contract.nearest_ticks(price)[0]


@settings(max_examples=150, deadline=None)
@given(
    limits=LIMITS,
    snapshot=snapshots(),
    side=st.sampled_from(Side),
    lots=st.integers(1, 30),
    slices=st.integers(1, 6),
    ticks_away=st.integers(-WIDE, WIDE),
)
def test_what_would_pass_is_what_trying_everything_finds(limits, snapshot, side, lots, slices, ticks_away):
    """The most lots at the price asked, and the nearest price at the lots asked, over all checks together."""
    gate = RiskGate(limits)
    parent = make_parent(side=side, lots=lots)
    asked = on_tick(snapshot.reference_mid) + ticks_away * OATS.tick

    found = gate.would_pass(parent, snapshot=snapshot, first_price=asked, worst_price=asked, messages=4, slices=slices)

    def fits(lots: int, price: Decimal) -> bool:
        return passes(gate, dataclasses.replace(parent, lots=lots), price=price, snapshot=snapshot, slices=slices)

    tried = [n for n in range(1, 40) if fits(n, asked)]
    assert found.lots == (max(tried) if tried else None)
    grid = [asked] + [on_tick(snapshot.reference_mid) + n * OATS.tick for n in range(-WIDE, WIDE + 1)]
    distances = [abs(price - asked) for price in grid if fits(lots, price)]
    assert (None if found.price is None else abs(found.price - asked)) == (min(distances) if distances else None)
    assert found.price is None or fits(lots, found.price)


def test_an_order_that_passes_is_its_own_answer():
    """At its price, now; more lots than asked may be allowed."""
    found = ask(snapshot=make_snapshot())

    assert found == WouldPass(lots=16, price=Decimal(370), time_ns=NOW_NS)


def test_too_many_lots_are_answered_with_fewer():
    """No price helps, and no time."""
    found = ask(snapshot=make_snapshot(), parent=make_parent(lots=40))

    assert found == WouldPass(lots=16, price=None, time_ns=None)


def test_too_many_messages_a_lot_are_cured_by_more_lots_and_by_no_fewer():
    """Four messages, one a lot allowed: three lots are too few, sixteen are not, and where one is the most none is."""
    asked = {"snapshot": make_snapshot(), "first_price": Decimal(370), "worst_price": Decimal(370), "messages": 4}

    more = RiskGate(Limits(max_messages_per_lot=1.0)).would_pass(make_parent(lots=3), **asked)
    none = RiskGate(Limits(max_messages_per_lot=0.3, max_lots_per_parent=1)).would_pass(make_parent(lots=14), **asked)

    assert (more.lots, none.lots) == (16, None)


def test_a_far_price_is_answered_with_the_nearest():
    """1.5 % of 370 are 5.55: the tick within it is 375.50; fewer lots do not help."""
    found = ask(snapshot=make_snapshot(), price=Decimal(380))

    assert found == WouldPass(lots=None, price=Decimal("375.50"), time_ns=None)


def test_an_off_tick_price_between_two_bounds_goes_to_the_one_tick_that_fits():
    """The nearest tick is past the caller's limit; the other one is within."""
    found = ask(snapshot=make_snapshot(caller_limit=Decimal("370.25")), price=Decimal("370.40"))

    assert found.price == Decimal("370.25")


def test_two_faults_are_cured_by_no_single_change():
    """A price too far and too many lots."""
    found = ask(snapshot=make_snapshot(), parent=make_parent(lots=40), price=Decimal(380))

    assert found == WouldPass(lots=None, price=None, time_ns=None)


def test_a_closed_session_is_answered_with_the_next_opening():
    """Its old quote is in nobody's way then; lots and price are answered as for an open one."""
    snapshot = make_snapshot(now_ns=OATS.sessions[0].close_ns, reference_age_s=3_600.0)

    found = ask(snapshot=snapshot)

    assert found == WouldPass(lots=16, price=Decimal(370), time_ns=OPENS_NS)


def test_no_listed_opening_is_no_time():
    """After the last session that the broker lists nobody knows."""
    assert ask(snapshot=make_snapshot(now_ns=OATS.sessions[-1].close_ns)).time_ns is None


def test_waiting_cures_no_kill_and_no_lost_connection_has_a_time():
    """The first needs a person, of the second nobody knows when."""
    closed = OATS.sessions[0].close_ns

    assert ask(snapshot=make_snapshot(now_ns=closed, killed="by hand")) == WouldPass(
        lots=None, price=None, time_ns=None
    )
    assert ask(snapshot=make_snapshot(now_ns=closed, reconciled=False)).time_ns is None
    assert ask(snapshot=make_snapshot(quote=make_quote(halted=True))).time_ns is None


def test_without_a_market_nothing_can_be_told():
    """No mid, no price: unknown stays unknown."""
    found = ask(snapshot=make_snapshot(quote=None, reference_mid=None, reference_age_s=None), price=None)

    assert found == WouldPass(lots=None, price=None, time_ns=None)


def test_limits_of_zero_allow_nothing():
    """And the search ends."""
    assert ask(snapshot=make_snapshot(), limits=Limits(max_lots_per_parent=0)).lots is None
