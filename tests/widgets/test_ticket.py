"""The order ticket: what enables Send, what disables it, and that a plan is sent once."""

import asyncio
from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.errors import InvalidOrder, JournalUnwritable, PlanExpired
from hydra_nb.widgets import OrderTicket

from .hand_made import COLLAR, PASSING, HandDesk
from .stories import run, state


def test_preview_passes_the_fields_on_as_they_are_meant() -> None:
    """Percent becomes a fraction, empty fields None, a limit a Decimal."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        fields = ticket.fields
        fields.limit.value, fields.duration.value, fields.strategy.value = " 376.00 ", "2h", "twap"
        fields.jitter.value, fields.slices.value = 15, 4

        plan = await ticket.preview()

        assert plan is ticket.plan is not None
        assert desk.previews == [
            {
                "side": "BUY",
                "lots": 13,
                "instrument": "ZO",
                "strategy": "twap",
                "slices": 4,
                "duration": "2h",
                "jitter": 0.15,
                "limit": Decimal("376.00"),
                "tag": None,
            }
        ]
        assert "10:14:05" in ticket.plan_view.value

    run(story)


def test_send_is_off_before_a_preview_and_on_after_a_passing_one() -> None:
    """Nothing can be sent that was not shown."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        before = ticket.send_button.disabled
        nothing = await ticket.send()

        await ticket.preview()

        assert before
        assert nothing is None
        assert desk.submitted == []
        assert not ticket.send_button.disabled
        assert ticket.send_button.description == "▲ Send BUY 13"
        assert "All 7 checks pass." in state(ticket)

    run(story)


def test_two_presses_of_send_submit_once() -> None:
    """A second press, even before the first has returned, sends nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()

        ticket.send_button.click()
        ticket.send_button.click()
        failures = await desk.settle()
        again = await ticket.send()

        assert failures == []
        assert len(desk.submitted) == 1
        assert again is ticket.execution is desk.execution
        assert ticket.send_button.disabled
        assert ticket.send_button.description == "✓ Sent 08:56:31"
        assert "Already sent at 08:56:31 as P-0001; nothing was sent." in state(ticket)
        assert "P-0001" in ticket.execution_view.value

    run(story)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instrument", "ZOH7"),
        ("side", "SELL"),
        ("lots", 12),
        ("limit", "375"),
        ("strategy", "twap"),
        ("duration", "1h"),
        ("slices", 3),
        ("jitter", 0),
        ("tag", "hedge"),
    ],
)
def test_any_edit_after_a_preview_disables_send(field: str, value: object) -> None:
    """The plan was drawn for another order: it is gone, and sending does nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()

        getattr(ticket.fields, field).value = value
        await ticket.send()

        assert ticket.plan is None
        assert ticket.send_button.disabled
        assert desk.submitted == []
        assert "10:14:05" not in ticket.plan_view.value

    run(story)


def test_an_edit_while_the_plan_is_drawn_discards_the_plan() -> None:
    """A plan that arrives for fields which are no longer so is not offered."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.preview_gate = asyncio.Event()
        drawing = asyncio.create_task(ticket.preview())
        await asyncio.sleep(0)

        ticket.fields.lots.value = 2
        desk.preview_gate.set()
        plan = await drawing

        assert plan is None
        assert ticket.plan is None
        assert ticket.send_button.disabled
        assert "Preview again" in state(ticket)

    run(story)


def test_a_refused_plan_cannot_be_sent() -> None:
    """Send stays off, and the state line names the reason."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()

        await ticket.send()

        assert ticket.send_button.disabled
        assert desk.submitted == []
        assert "✕ Refused Send is off: 24 ticks above mid, 20 allowed" in state(ticket)

    run(story, HandDesk(checks=[*PASSING, COLLAR]))


def test_an_old_plan_cannot_be_sent() -> None:
    """After its validity a plan is shown as expired, and sending does nothing."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        desk.now += pd.Timedelta(seconds=301)

        await ticket.send()

        assert desk.submitted == []
        assert ticket.send_button.disabled
        assert "○ Expired" in state(ticket)

    run(story)


def test_bad_input_is_told_in_its_own_sentence_and_is_no_failure() -> None:
    """A limit that is no price: code gets the error, a press of the button gets the sentence only."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.limit.value = "37x"

        with pytest.raises(InvalidOrder, match="37x"):
            await ticket.preview()
        ticket.preview_button.click()
        failures = await desk.settle()

        assert failures == []
        assert desk.previews == []
        assert "Limit &#x27;37x&#x27; is not a price" in state(ticket)

    run(story)


def test_without_a_side_nothing_is_previewed() -> None:
    """No side is chosen for a person: the button is off, and code gets a sentence."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        ticket.fields.side.value = None

        with pytest.raises(InvalidOrder, match="BUY or SELL"):
            await ticket.preview()

        assert ticket.preview_button.disabled
        assert desk.previews == []

    run(story)


def test_an_unknown_contract_is_told_in_words() -> None:
    """The look-up's error is a sentence in the state line; the quote strip shows nothing of the old contract."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        shown_before = ticket.quote_view.value

        ticket.fields.instrument.value = "XX"
        failures = await desk.settle()

        assert "368.25" in shown_before
        assert failures == []
        assert ticket.quote_view.value == ""
        assert "No future is listed under" in state(ticket)

    run(story)


def test_a_failing_send_is_told_in_words_reported_and_not_tried_again() -> None:
    """The desk hears of the failure; the screen has its sentence; the plan is used up."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = JournalUnwritable("the disk is full; free some space")
        await ticket.preview()

        ticket.send_button.click()
        failures = await desk.settle()
        told = state(ticket)
        await ticket.send()

        assert [type(failure) for failure in failures] == [JournalUnwritable]
        assert "The disk is full; free some space." in told
        assert len(desk.submitted) == 1
        assert ticket.send_button.disabled

    run(story)


def test_a_foreign_error_shows_its_kind_and_never_a_traceback() -> None:
    """What nobody foresaw: its kind on the screen, the error itself to the desk."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = ZeroDivisionError("secret details")
        await ticket.preview()

        ticket.send_button.click()
        failures = await desk.settle()

        assert isinstance(failures[0], ZeroDivisionError)
        assert "The ticket failed (ZeroDivisionError); orders go on." in state(ticket)
        assert "secret" not in state(ticket)

    run(story)


def test_a_desk_that_calls_the_plan_expired_is_believed() -> None:
    """The desk's own clock decides; the ticket asks for a new preview, and reports no failure."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        desk.submit_error = PlanExpired("the plan is 301 s old, 300 s allowed; preview again")
        await ticket.preview()

        ticket.send_button.click()
        failures = await desk.settle()

        assert failures == []
        assert "Preview again." in state(ticket)

    run(story)


def test_kill_is_one_press_and_turns_send_off() -> None:
    """Kill asks nothing, is announced as an alert, and is never disabled itself."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()

        ticket.kill_button.click()
        await desk.settle()

        assert desk.killed is not None
        assert ticket.send_button.disabled
        assert not ticket.kill_button.disabled
        assert "■ Killed" in state(ticket)
        assert 'role="alert"' in ticket.state_line.value

    run(story)


def test_an_equal_order_given_back_by_the_desk_is_not_called_new() -> None:
    """A fresh plan of an equal order: the desk gives the earlier parent, and the ticket says that nothing was sent."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        first = await ticket.send()
        desk.now += pd.Timedelta(seconds=60)

        async def same_again(_: object) -> object:
            return first

        desk.submit = same_again  # type: ignore[assignment, method-assign]
        await ticket.preview()
        await ticket.send()

        assert "Already sent at 08:56:31 as P-0001; nothing was sent." in state(ticket)

    run(story)


def test_every_field_has_a_visible_label() -> None:
    """The description is the label that ipywidgets ties to its field."""

    async def story(ticket: OrderTicket, _: HandDesk) -> None:
        labels = [field.description for field in ticket.fields.all]

        assert all(labels)
        assert len(set(labels)) == 9

    run(story)


def test_unknown_keywords_are_type_errors() -> None:
    """A misspelt setting is not swallowed."""
    with pytest.raises(TypeError):
        OrderTicket(HandDesk(), "ZO", colour="red")  # type: ignore[call-arg]


def test_a_ticket_of_a_closed_desk_stays_to_be_read_and_can_do_nothing() -> None:
    """The plan is still on the page; every field and button is off, and the state says why."""

    async def story(ticket: OrderTicket, desk: HandDesk) -> None:
        await ticket.preview()
        shown = ticket.plan_view.value

        ticket.retire()
        ticket.retire()

        assert ticket.plan_view.value == shown
        assert "The desk of this ticket was closed" in state(ticket)
        buttons = (ticket.preview_button, ticket.send_button, ticket.kill_button)
        assert all(control.disabled for control in (*ticket.fields.all, *buttons))
        assert desk.submitted == []

    run(story)
