"""The states of an execution in words: sign, sentence, and what is offered in each."""

import re
from typing import Any

import pandas as pd
import pytest

from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import OrderState, ParentStatus
from hydra_nb.widgets.execution_state import ShownState, Surroundings, planned_end_ns, shown_state
from hydra_nb.widgets.parts import rows

from .hand_made import HandExecution, order, resting_order, running_fills, utc

NOW = utc("16:17:41")


def state_of(execution: HandExecution, *, now: pd.Timestamp = NOW, quote_age_s: float = 0.4) -> ShownState:
    """The state at a time, with a quote of that age."""
    now_ns = int(now.value)
    around = Surroundings(now_ns=now_ns, quote_ns=now_ns - round(quote_age_s * 1e9), slices=rows(execution.slices))
    return shown_state(execution, around)


def plain(html: str) -> str:
    """Text without markup; figures that run in the page stand as their first value."""
    running = re.sub(r'<span class="hy-age" style="--hy-up:(\d+)"></span>', r"\1 s", html)
    clock = re.sub(
        r'<span class="hy-clock" style="--hy-up:(\d+)"></span>',
        lambda found: str(pd.Timedelta(seconds=int(found[1]))).split()[-1],
        running,
    )
    return re.sub(r"<[^>]+>", "", clock).replace("&quot;", '"').replace("&#x27;", "'")


def ended(status: ParentStatus, **changes: Any) -> HandExecution:
    """A parent that is over at 10:36:20, with nothing in the market."""
    over = {"working_lots": 0, "resting": [], "finished_ns": int(utc("16:36:20").value)}
    return HandExecution(parent=order(), status=status, **(over | changes))


def test_working_says_when_the_order_in_the_market_expires() -> None:
    """The expiry is the broker's own: it holds whatever happens here."""
    state = state_of(HandExecution(parent=order()))

    assert plain(state.words) == "► Working"
    assert state.sentence == "The order in the market expires at the broker at 10:19:20."
    assert state.actions == ("pause", "cancel")


def test_between_two_slices_it_says_when_the_next_one_starts() -> None:
    """Nothing rests: the next start is what there is to know."""
    state = state_of(HandExecution(parent=order(), working_lots=0, resting=[]))

    assert state.sentence == "Nothing is in the market; slice 5 starts at 10:33:48."


def test_paused_says_what_is_left_and_where_the_end_moves_to() -> None:
    """Paused for 81 s: the end moves from 10:42:33 to 10:43:54 by now."""
    execution = HandExecution(
        parent=order(),
        status=ParentStatus.PAUSED,
        working_lots=0,
        resting=[],
        standing_since_ns=int(utc("16:16:20").value),
    )

    state = state_of(execution)

    assert plain(state.words) == "❚❚ Paused 10:16:20"
    expected = "By you. No lot is in the market, 3 are left. Resuming moves the end by the pause, to 10:43:54 CT now."
    assert plain(state.sentence) == expected
    assert state.actions == ("resume", "cancel")


def test_a_pause_before_a_later_start_moves_nothing() -> None:
    """It begins five hours after 08:56:44, and nothing of it is due yet."""
    execution = HandExecution(
        parent=order(),
        status=ParentStatus.PAUSED,
        filled_lots=0,
        working_lots=0,
        resting=[],
        later_ns=5 * 3600 * 10**9,
        standing_since_ns=int(utc("16:16:20").value),
    )

    state = state_of(execution)

    assert plain(state.sentence).endswith("Resuming before 13:56:44 CT moves nothing.")


def test_the_start_of_a_paused_order_is_no_running_clock() -> None:
    """It is a fixed time: the sentence of a second later is the same, so that it is not sent again either."""
    execution = HandExecution(
        parent=order(),
        status=ParentStatus.PAUSED,
        working_lots=0,
        resting=[],
        later_ns=5 * 3600 * 10**9,
        standing_since_ns=int(utc("16:16:20").value),
    )

    first, later = (state_of(execution, now=NOW + pd.Timedelta(seconds=second)).sentence for second in (0, 1))

    assert first == later
    assert first.endswith("Resuming before 13:56:44 CT moves nothing.")


def test_a_pause_whose_order_is_not_dead_yet_says_so() -> None:
    """Lots that are still being pulled count as in the market."""
    state = state_of(HandExecution(parent=order(), status=ParentStatus.PAUSED))

    assert "1 lot still being pulled from the market, 2 are left" in plain(state.sentence)


def test_filled_tells_average_ticks_cash_and_fees() -> None:
    """The sentence of a done order, word for word."""
    execution = ended(ParentStatus.FILLED, filled_lots=13, slippage_cash=406.25)

    state = state_of(execution)

    assert state.words == "✓ Filled 13 of 13"
    expected = "10:36:20. Average 370.625, 2.5 ticks a lot over arrival: $406.25, and fees of $25.20."
    assert plain(state.sentence) == expected
    assert state.actions == ("fills",)


def test_a_gain_is_told_as_better_and_fees_to_come_are_counted() -> None:
    """No praise, no sign that could be misread; a fee that was not reported is not zero."""
    fills = running_fills()
    fills.loc[0, "commission"] = float("nan")
    execution = ended(ParentStatus.FILLED, filled_lots=13, slippage_ticks=-1.5, slippage_cash=-187.5, fills=fills)

    sentence = plain(state_of(execution).sentence)

    assert "1.5 ticks a lot better than arrival: $187.50" in sentence
    assert "fees of $20.16, 1 to come" in sentence


def test_short_says_that_every_order_is_proven_dead() -> None:
    """Two lots short: when the window ended, that nothing works, and what can follow."""
    execution = ended(ParentStatus.PARTIAL, filled_lots=11, shortfall_lots=2, reason="11 of 13 lots filled")

    state = state_of(execution)

    assert state.words == "▲ Short 2 of 13"
    assert plain(state.sentence).startswith(
        "The window ended 10:36:20. Nothing is working: every order is proven dead. Average 370.625"
    )
    assert state.actions == ("again",)


def test_a_parent_that_sent_and_filled_nothing_is_short_of_all_its_lots() -> None:
    """``partial`` with nothing filled is shown for what it is, without an average."""
    execution = ended(
        ParentStatus.PARTIAL, filled_lots=0, shortfall_lots=13, messages_used=0, reason="0 of 13 lots filled"
    )

    state = state_of(execution)

    assert state.words == "▲ Short 13 of 13"
    assert plain(state.sentence) == "The window ended 10:36:20. Nothing was ever sent."


def test_a_stale_quote_goes_before_working_and_says_what_stays() -> None:
    """Twelve seconds against five allowed; the age runs in the page."""
    state = state_of(HandExecution(parent=order()), quote_age_s=12)

    assert plain(state.words) == "! Quote 12 s old"
    expected = "5 s allowed. Nothing new is sent; 1 lot stays in the market until 10:19:20."
    assert plain(state.sentence) == expected
    assert state.actions == ("pause", "cancel")


def test_a_lost_link_is_an_alert_and_cancel_stays_on() -> None:
    """What may still fill there, until when, and that a cancel goes first on return."""
    since_ns = int(utc("16:17:27").value)
    execution = HandExecution(parent=order(), connection=ConnectionState.DOWN, unlinked_since_ns=since_ns)

    state = state_of(execution, quote_age_s=14)

    assert plain(state.words) == "✕ No link to broker"
    assert plain(state.sentence) == (
        "For 14 s. Nothing new is sent. 1 lot may still fill; the broker expires it at 10:19:20. "
        "A cancel is sent first when the link returns."
    )
    assert (state.role, state.actions) == ("alert", ("pause", "cancel"))


def test_a_broker_without_its_servers_is_no_order_at_work() -> None:
    """The gateway is there and takes a cancel, which proves nothing before the broker has answered it."""
    since_ns = int(utc("16:17:27").value)
    execution = HandExecution(parent=order(), connection=ConnectionState.DEGRADED, unlinked_since_ns=since_ns)

    state = state_of(execution)

    assert plain(state.words) == "✕ The broker lost its link"
    assert plain(state.sentence) == (
        "For 14 s. Nothing new is sent. 1 lot may still fill; the broker expires it at 10:19:20. "
        "A cancel goes out at once, and counts once it is answered."
    )
    assert (state.role, state.actions) == ("alert", ("pause", "cancel"))


def test_a_state_that_needs_a_person_names_the_remedy() -> None:
    """The lots count as working, and only a comparison is offered."""
    execution = ended(ParentStatus.NEEDS_HUMAN, working_lots=1, reason="No answer to a cancel for 120 s")

    state = state_of(execution)

    assert state.words == "? State unknown"
    assert plain(state.sentence) == (
        "No answer to a cancel for 120 s. 1 lot counts as working. Check the broker's screen."
    )
    assert state.actions == ("reconcile",)


def test_an_order_without_an_answer_is_not_called_working() -> None:
    """Unknown is told as unknown while it is asked about."""
    state = state_of(HandExecution(parent=order(), resting=[resting_order(state=OrderState.UNKNOWN)]))

    assert plain(state.words) == "? Waiting for an answer"
    assert "1 lot may still fill; the broker expires it at 10:19:20." in state.sentence


@pytest.mark.parametrize("status", list(ParentStatus))
def test_every_status_has_sign_words_and_a_gesture(status: ParentStatus) -> None:
    """No state is mute, and text from outside is escaped in all of them."""
    execution = HandExecution(parent=order(), status=status, reason="<b>odd</b>", finished_ns=int(NOW.value))

    state = state_of(execution)

    assert re.match(r"\S+ \S", plain(state.words))
    assert "<b>" not in state.sentence
    assert state.actions


@pytest.mark.parametrize("status", ["interrupted", "needs_human", "refused", "cancelled", "partial"])
def test_no_account_number_is_in_a_reason(status: str) -> None:
    """It may hold the broker's own words."""
    reason = "2 of 13 lots filled; the broker ended the order (201: account SIM0007QF of U1234567)"
    execution = HandExecution(parent=order(), status=ParentStatus(status), reason=reason, finished_ns=int(NOW.value))

    state = state_of(execution)

    assert "(201: account SIM•••QF of U•••67)" in plain(state.sentence)


def test_without_a_schedule_there_is_no_end() -> None:
    """An empty frame has no last ladder."""
    assert planned_end_ns([]) is None
