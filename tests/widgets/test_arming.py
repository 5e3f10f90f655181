"""The state machine of Preview, Arm, Send: what allows sending, what takes it away, and that a plan is sent once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.domain.units import Side
from hydra_nb.widgets.arming import ARMED_S, Arming, Phase, Sight, Terms, reach

from .hand_made import OATS

NS = 1_000_000_000
TERMS = Terms(
    plan_id="7c1f09ae",
    passes=True,
    valid_until_ns=300 * NS,
    contract=OATS,
    side=Side.BUY,
    lots=13,
    limit=Decimal("373.25"),
    mid=Decimal("370.00"),
    reach=Decimal("5.00"),
    max_quote_age_s=5.0,
)
SIGHT = Sight(now_ns=10 * NS, host_s=100.0, mid=Decimal("370.00"), quote_age_s=0.4)


def planned(**changes: Any) -> Arming:
    """A ticket with a plan on show."""
    return Arming().edited(complete=True).drawing().drawn(replace(TERMS, **changes))


def armed(**changes: Any) -> Arming:
    """The same, armed at 100 s of the host."""
    return planned(**changes).arm(SIGHT)


def test_a_ticket_goes_from_empty_to_sent_by_way_of_every_gesture() -> None:
    """Preview, Arm, Send, each on only after the one before."""
    empty = Arming()

    quoting = empty.edited(complete=True)
    drawing = quoting.drawing()
    shown = drawing.drawn(TERMS)
    ready = shown.arm(SIGHT)
    sending = ready.send(SIGHT)
    sent = sending.sent()

    phases = [state.phase for state in (empty, quoting, drawing, shown, ready, sending, sent)]
    assert phases == ["empty", "quoting", "drawing", "planned", "armed", "sending", "sent"]
    assert [state.may_arm for state in (quoting, drawing, shown, ready, sent)] == [False, False, True, False, False]
    assert [state.may_send for state in (quoting, drawing, shown, ready, sent)] == [False, False, False, True, False]
    assert ready.armed_until_s == 100.0 + ARMED_S


def test_a_refused_plan_is_never_armed() -> None:
    """A plan that a check refuses is shown, and that is all."""
    refused = planned(passes=False)

    pressed = refused.arm(SIGHT)

    assert refused.phase is Phase.REFUSED
    assert pressed is refused
    assert pressed.send(SIGHT) is refused


def test_a_plan_that_is_not_armed_is_not_sent() -> None:
    """Send without Arm changes nothing, and uses nothing up."""
    shown = planned()

    pressed = shown.send(SIGHT)

    assert pressed.phase is Phase.PLANNED
    assert not pressed.used


@pytest.mark.parametrize("complete", [True, False])
def test_an_edit_takes_plan_and_arming_away(complete: bool) -> None:
    """The plan was drawn for another order."""
    edited = armed().edited(complete=complete)

    assert edited.phase is (Phase.QUOTING if complete else Phase.EMPTY)
    assert edited.terms is None
    assert edited.arm(SIGHT) is edited


def test_a_new_preview_takes_arming_away() -> None:
    """What is drawn next has to be armed anew."""
    again = armed().drawing()

    assert again.phase is Phase.DRAWING
    assert not again.drawn(replace(TERMS, plan_id="other")).may_send


def test_arming_lapses_after_thirty_seconds_of_the_host_and_the_plan_stays() -> None:
    """Nothing changed but the time: it may be armed again."""
    ready = armed()

    before = ready.looked(replace(SIGHT, host_s=129.9))
    after = ready.looked(replace(SIGHT, host_s=130.0))

    assert before is ready
    assert after.phase is Phase.PLANNED
    assert after.why == "Disarmed: 30 s passed and nothing was sent. Arm again, or preview again."
    assert after.arm(SIGHT).phase is Phase.ARMED


def test_disarm_by_hand_leaves_the_plan() -> None:
    """A person changed their mind, the market did not."""
    disarmed = armed().disarmed()

    assert disarmed.phase is Phase.PLANNED
    assert disarmed.why == "Disarmed by hand. Arm allows sending again."
    assert planned().disarmed().why == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mid": Decimal("368.00")}, "mid fell to 368.00, the limit is 21 ticks above it, 20 allowed"),
        ({"mid": Decimal("375.25")}, "mid rose to 375.25, outside 368.25 – 375.00"),
        ({"mid": None}, "there is no live two-sided quote"),
        ({"quote_age_s": None}, "there is no live two-sided quote"),
        ({"quote_age_s": 12.0}, "the quote is 12 s old, 5 s allowed"),
        ({"connected": False}, "there is no link to the broker"),
        ({"killed": True}, "the desk was killed"),
    ],
)
def test_what_disarms_also_refuses_to_arm_and_only_a_new_preview_leads_on(change: dict[str, Any], words: str) -> None:
    """Market, data, link and kill: named in words, while armed and before."""
    sight = replace(SIGHT, **change)

    while_armed = armed().looked(sight)
    before = planned().arm(sight)

    assert while_armed.phase is before.phase is Phase.DISARMED
    assert while_armed.why == f"Disarmed: {words}. Preview again."
    assert before.why == f"Not armed: {words}. Preview again."
    assert while_armed.arm(SIGHT) is while_armed
    assert armed().send(sight).phase is Phase.DISARMED


def test_a_mid_on_the_edge_of_its_range_does_not_disarm() -> None:
    """The range is 368.25 to 375.00: a limit of 373.25 less 20 ticks, and the mid of the preview plus 20."""
    ready = armed()

    edges = [ready.looked(replace(SIGHT, mid=Decimal(mid))).phase for mid in ("368.25", "375.00")]

    assert ready.terms is not None
    assert ready.terms.mid_range == (Decimal("368.25"), Decimal("375.00"))
    assert edges == [Phase.ARMED, Phase.ARMED]


def test_the_limit_of_a_sale_binds_from_above() -> None:
    """A sale at 366.75 or better: from a mid of 372.00 on the limit is 21 ticks below it."""
    ready = armed(side=Side.SELL, limit=Decimal("366.75"))

    moved = ready.looked(replace(SIGHT, mid=Decimal("372.00")))

    assert ready.terms is not None
    assert ready.terms.mid_range == (Decimal("365.00"), Decimal("371.75"))
    assert moved.why == "Disarmed: mid rose to 372.00, the limit is 21 ticks below it, 20 allowed. Preview again."


def test_a_limit_out_of_reach_does_not_narrow_the_range() -> None:
    """A limit that was far from the mid at the preview never comes into play; the mid's own collar does."""
    far, none = planned(limit=Decimal("400.00")), planned(limit=None)

    ranges = [state.terms.mid_range for state in (far, none) if state.terms is not None]

    assert ranges == [(Decimal("365.00"), Decimal("375.00"))] * 2


@pytest.mark.parametrize("unknown", [{"mid": None}, {"reach": None}])
def test_without_mid_or_collar_there_is_no_range(unknown: dict[str, Any]) -> None:
    """Nothing is made up: only quote, link and kill disarm."""
    ready = armed(**unknown)

    moved = ready.looked(replace(SIGHT, mid=Decimal("500.00")))

    assert moved.phase is Phase.ARMED


@pytest.mark.parametrize("state", [planned(), armed(), planned(passes=False)], ids=lambda state: state.phase)
def test_a_plan_expires_by_market_time(state: Arming) -> None:
    """At 300 s it is still good, later it is not, armed or not."""
    good = state.looked(replace(SIGHT, now_ns=300 * NS))
    old = state.looked(replace(SIGHT, now_ns=300 * NS + 1))

    assert good is state
    assert old.phase is Phase.EXPIRED
    assert old.arm(SIGHT) is old
    assert old.send(SIGHT) is old


def test_a_plan_is_sent_once_whatever_became_of_it() -> None:
    """Its id is used up: a second Send, the same plan shown again, and a failure on the way send nothing."""
    sending = armed().send(SIGHT)

    twice = sending.send(SIGHT)
    failed = sending.failed("The disk is full.")
    shown_again = failed.edited(complete=True).drawing().drawn(TERMS)

    assert sending.used == {"7c1f09ae"}
    assert twice is sending
    assert failed.phase is Phase.FAILED
    assert shown_again.phase is Phase.SENT
    assert shown_again.arm(SIGHT) is shown_again


def test_nothing_disturbs_a_plan_on_its_way() -> None:
    """An edit, a preview and a look while the desk takes the plan leave it to its end."""
    sending = armed().send(SIGHT)

    disturbed = [
        sending.edited(complete=True),
        sending.drawing(),
        sending.drawn(replace(TERMS, plan_id="other")),
        sending.looked(replace(SIGHT, killed=True)),
    ]

    assert all(state is sending for state in disturbed)


@pytest.mark.parametrize(
    ("given_reach", "expected"),
    [
        ({"ticks": 20.0, "percent": None}, "5.00"),
        ({"ticks": 120.0, "percent": 1.5}, "5.50"),
        ({"ticks": None, "percent": 0.001}, "0.25"),
        ({"ticks": None, "percent": None}, None),
    ],
)
def test_reach_is_the_narrower_collar_on_tick(given_reach: dict[str, Any], expected: str | None) -> None:
    """1.5 % of 370.00 is 5.55, on tick 5.50; never less than one tick."""
    found = reach(mid=Decimal("370.00"), tick=Decimal("0.25"), **given_reach)

    assert found == (None if expected is None else Decimal(expected))


STEPS = st.sampled_from(["edit", "draw", "show", "show new", "arm", "disarm", "look", "send", "sent", "fail"])


@given(steps=st.lists(st.tuples(STEPS, st.integers(0, 400), st.integers(1440, 1520)), max_size=30))
def test_no_sequence_of_gestures_sends_a_plan_twice_or_unarmed(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is pressed in whatever order: each plan leaves at most once, and only from ARMED."""
    state, handed, numbered = Arming(), [], 0

    for step, seconds, mid_ticks in steps:
        sight = Sight(now_ns=seconds * NS, host_s=float(seconds), mid=Decimal(mid_ticks) / 4, quote_age_s=1.0)
        before = state
        match step:
            case "edit":
                state = state.edited(complete=True)
            case "draw":
                state = state.drawing()
            case "show" | "show new":
                numbered += step == "show new"
                state = state.drawn(replace(TERMS, plan_id=f"{numbered}"))
            case "arm":
                state = state.arm(sight)
            case "disarm":
                state = state.disarmed()
            case "look":
                state = state.looked(sight)
            case "send":
                state = state.send(sight)
            case "sent":
                state = state.sent() if state.phase is Phase.SENDING else state
            case "fail":
                state = state.failed("no")
        if state.phase is Phase.SENDING and before.phase is not Phase.SENDING:
            assert step == "send"
            assert before.phase is Phase.ARMED
            assert state.terms is not None
            handed.append(state.terms.plan_id)
        assert not (state.may_arm and state.may_send)

    assert len(handed) == len(set(handed))
