"""What a ticket says of the order that it sent, by what became of it."""

import pytest

from hydra_nb.domain.orders import ParentStatus
from hydra_nb.widgets.ticket_words import sent_state

from .hand_made import HandExecution, order, utc

SENT_NS = int(utc("14:56:44").value)  # 08:56:44 in Chicago
ONCE = "This plan cannot be sent a second time."


@pytest.mark.parametrize(
    ("status", "words", "sentence", "tone"),
    [
        ("scheduled", "✓ Sent 08:56:44", f"Parent P-0412 is scheduled from 10:56:44 on. {ONCE}", "good"),
        ("working", "✓ Sent 08:56:44", f"Parent P-0412 is at work. {ONCE}", "good"),
        (
            "paused",
            "❚❚ Sent 08:56:44, paused",
            f"Parent P-0412 is paused: nothing new is sent until you resume it. {ONCE}",
            "warn",
        ),
        (
            "interrupted",
            "? Sent 08:56:44, interrupted",
            f"Parent P-0412 was interrupted: nothing new is sent until you resume it. {ONCE}",
            "bad",
        ),
        ("filled", "✓ Sent 08:56:44", f"Parent P-0412 is over: filled. {ONCE}", "good"),
        ("partial", "▲ Sent 08:56:44, short", f"Parent P-0412 is over: partial. {ONCE}", "warn"),
        ("cancelled", "■ Sent 08:56:44, cancelled", f"Parent P-0412 is over: cancelled. {ONCE}", "warn"),
        (
            "needs_human",
            "? Sent 08:56:44, state unknown",
            f"Parent P-0412 is over, the state of its order is unknown. {ONCE}",
            "bad",
        ),
        (
            "refused",
            "✕ Refused 08:56:44",
            "Parent P-0412 was refused: 2 lots an order, 1 allowed. Nothing was sent; make a new plan.",
            "bad",
        ),
    ],
)
def test_the_sent_state_says_what_became_of_the_order(status: str, words: str, sentence: str, tone: str) -> None:
    """Sign and tone are those of its status: only what goes well wears the check mark."""
    reason = "2 lots an order, 1 allowed."
    execution = HandExecution(parent=order(), status=ParentStatus(status), reason=reason, later_ns=2 * 3600 * 10**9)

    state = sent_state(execution, sent_ns=SENT_NS, again=False)

    assert (state.words, state.sentence, state.tone) == (words, sentence, tone)


def test_a_refused_order_given_back_is_not_called_sent() -> None:
    """The desk gives the same plan back as it stands: neither then nor now was anything sent."""
    execution = HandExecution(parent=order(), status=ParentStatus.REFUSED, reason="2 lots an order, 1 allowed")

    state = sent_state(execution, sent_ns=SENT_NS, again=True)

    assert state.words == "✕ Refused 08:56:44"
    assert "Already sent" not in state.sentence
    assert state.sentence.endswith("Nothing was sent; make a new plan.")
