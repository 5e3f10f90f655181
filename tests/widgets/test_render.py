"""Cards of plans and executions: what they say, and that nothing from outside gets out of its quotes."""

import math
import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from hydra_nb.domain.orders import ParentStatus, Strategy
from hydra_nb.domain.units import Side
from hydra_nb.widgets import execution_card, plan_card

from .hand_made import COLLAR, PASSING, HandExecution, HandPlan, check, order, running_fills, running_slices, utc

SIM = {"badge": "SIM", "masked_account": "SIM•••7QF"}
VOID = {"br", "hr", "img", "input", "meta", "link"}


class Balance(HTMLParser):
    """Notes every tag, and complains where one is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what was opened, and any handler of events."""
        self.seen.append(tag)
        self.wrong += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An SVG leaf closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Only the tag opened last may close."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def text_of(card: str) -> str:
    """The words of a card, without tags and style sheet."""
    without_style = re.sub(r"<style>.*?</style>", "", card, flags=re.DOTALL)
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", without_style))


def running_card(execution: HandExecution) -> str:
    """The card of an execution at 10:17:41 in Chicago."""
    return execution_card(execution, now_ns=utc("16:17:41").value, **SIM)


def test_a_plan_card_shows_the_order_and_every_slice() -> None:
    """Header, one row a slice with prices and windows in the exchange's time, validity, short id."""
    plan = HandPlan(parent=order(limit=Decimal("376.00")))

    card = plan_card(plan, **SIM)

    words = text_of(card)
    for expected in (
        "▲ BUY 13",
        "Oats Mar 2027",
        "ZOH7 · CBOT · ¢/bu · tick 0.25 = $12.50",
        "TWAP, as 3.10\u2009% of ADV is 1\u2009% or more.",
        "plan 7c1f·09ae",
        "valid until 09:01:31 CT",
        "never above 376.00. 09:00:00 to 10:42:33 CT.",
        "fixed",
        "09:19 – 09:28",
        "Mid 5:00",
        "SIM•••7QF",
    ):
        assert expected in words
    assert card.count('<tr class=""><th scope="row"') == 5 + len(PASSING)
    assert 'title="2027-01-12 15:25:41.000 UTC"' in card


@pytest.mark.parametrize("kind", ["plan", "execution"])
def test_text_from_outside_is_escaped(kind: str) -> None:
    """A tag, a check's message, a notice or a reason may hold markup: it is shown, never obeyed."""
    evil = "<script>alert(1)</script>\"'&"
    parent = order(tag=evil)
    if kind == "plan":
        checks = [*PASSING, check(evil, allowed=False, message=evil, observed=1, limit=0, unit=evil), check(evil)]
        cost = {"n_evidence": 12, "source": evil, "predictor_version": evil}
        card = plan_card(HandPlan(parent=parent, checks=checks, notices=(evil,), plan_id=evil, cost=cost), **SIM)
    else:
        slices = running_slices().assign(reason=evil)
        execution = HandExecution(parent=parent, parent_id=evil, reason=evil, slices=slices)
        card = execution_card(execution, badge=evil, masked_account=evil, now_ns=0)

    parser = Balance()
    parser.feed(card)

    assert "script" not in parser.seen
    assert not parser.wrong
    assert not parser.open
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;" in card


def test_no_account_number_is_in_the_reasons_of_a_card() -> None:
    """Neither of the order nor of a slice: the broker's words stand in both."""
    reason = "the broker ended the order (201: account SIM0007QF of U1234567)"
    slices = running_slices().assign(reason=reason)
    execution = HandExecution(parent=order(), status=ParentStatus.PARTIAL, reason=reason, slices=slices)

    words = text_of(running_card(execution))

    assert words.count("(201: account SIM•••QF of U•••67)") == 1 + len(slices)
    assert "0007QF" not in words


def test_refusals_come_first_with_what_would_pass() -> None:
    """A refused plan: the refusing check on top with observed, allowed and the price that would pass."""
    plan = HandPlan(parent=order(limit=Decimal("376.00")), checks=[*PASSING, COLLAR])

    words = text_of(plan_card(plan, **SIM))

    assert "✕ Refused" in words
    assert "1 of 8 checks refuses" in words
    assert "✕ Price collar 24 ticks above mid, 20 allowed. Would pass: 375.00 or lower." in words
    assert "The price collar refuses a limit of 376.00. Nothing has been sent." in words
    assert words.index("Price collar") < words.index("✓ Position")
    assert "Nothing has been sent." in words


def test_passing_checks_nearest_to_their_limit_come_first_and_the_rest_is_folded() -> None:
    """17 of 20 lots is nearer than 13 of 25; what has no limit to be near to is folded."""
    plan = HandPlan(parent=order())

    words, card = text_of(plan_card(plan, **SIM)), plan_card(plan, **SIM)

    assert words.index("Position") < words.index("Share of ADV") < words.index("Show the other 2, all pass")
    assert words.index("Show the other 2") < words.index("Session")
    assert card.count("<details>") == 1


@pytest.mark.parametrize(("evidence", "estimated"), [(0, False), (9, False), (10, True)])
def test_no_point_estimate_without_ten_own_slices(evidence: int, estimated: bool) -> None:
    """Below n = 10 only half the spread is told, in ticks and cash."""
    plan = HandPlan(parent=order(), cost={"n_evidence": evidence})

    words = text_of(plan_card(plan, **SIM))

    assert ("$877.50" in words) is estimated
    sentence = f"Not enough own fills (n = {evidence}): half the spread is 7.0 ticks, $1,138."
    assert (sentence in words) is not estimated
    assert f"n = {evidence}" in words


def test_what_is_not_known_is_a_dash_or_a_sentence_never_nan() -> None:
    """A plan without quote, volume or fees still shows, without nan, None or NaT."""
    cost = {"cross_now_ticks": math.nan, "commission": math.nan}
    plan = HandPlan(parent=order(side=Side.SELL), participation=math.nan, cost=cost, notices=("One side is empty",))
    plan_words = text_of(plan_card(plan, **SIM))
    empty = HandExecution(
        parent=order(),
        status=ParentStatus.SCHEDULED,
        filled_lots=0,
        working_lots=0,
        due_lots=0,
        arrival_mid=math.nan,
        average_price=math.nan,
        slippage_ticks=math.nan,
        slippage_cash=math.nan,
        fills=running_fills().iloc[:0],
        slices=running_slices().iloc[:0],
    )

    words = plan_words + text_of(running_card(empty))

    assert "▼ SELL 13" in words
    assert "the average daily volume is not known" in words
    assert "the spread is not known" in words
    assert "One side is empty." in words
    assert not re.search(r"\b(nan|none|nat|<na>)\b", words, flags=re.IGNORECASE)


def test_waits_that_differ_from_slice_to_slice_stand_beside_their_prices() -> None:
    """One head cannot tell five waits: then each price has its own."""
    plan = HandPlan(parent=order(strategy=Strategy.TWAP))
    uneven = plan.schedule.assign(wait_mid_s=[300.0, 290.0, 280.0, 270.0, 260.0])

    class Uneven(HandPlan):
        schedule = uneven  # type: ignore[assignment]

    words = text_of(plan_card(Uneven(parent=order()), **SIM))

    assert "370.00 4:50" in words
    assert "Mid 5:00" not in words
    assert "Step 2:30" in words


def test_an_execution_at_work_tells_progress_and_cost() -> None:
    """Lots, pace, time, the four figures, one row a slice with its stage."""
    words = text_of(running_card(HandExecution(parent=order())))

    for expected in (
        "► Working",
        "10 of 13 lots filled",
        "1 working, 2 to come",
        "✓ On schedule",
        "9 due",
        "Time 1:17:41",
        "ends 10:42:33, in 24:52",
        "$312.50",
        "+2.5",
        "370.625",
        "Arrival mid 370.00",
        "Fees $25.20",
        "9 of 20",
        "▲ short 1",
        "10:17:41 CT",
    ):
        assert expected in words


def test_a_parent_below_its_due_lots_is_behind() -> None:
    """Due lots that are not filled are told in words and sign."""
    words = text_of(running_card(HandExecution(parent=order(), filled_lots=7, working_lots=0)))

    assert "▲ Behind by 2 lots" in words
    assert "On schedule" not in words


@pytest.mark.parametrize("status", list(ParentStatus))
def test_every_status_has_its_words(status: ParentStatus) -> None:
    """No state of a parent is without sign and words, nor without its reason."""
    execution = HandExecution(parent=order(), status=status, reason="The reason, in words", shortfall_lots=2)

    card = running_card(execution)

    state = re.search(r'class="hy-state hy-\w+">(\S+) ([^<]+)<', card)
    assert state is not None
    assert "The reason, in words." in text_of(card)
    assert 'role="status"' in card


def test_an_ended_execution_does_not_change_with_the_clock() -> None:
    """Once over, the card is the same at any time: nothing is sent to the browser any more."""
    execution = HandExecution(parent=order(), status=ParentStatus.FILLED, filled_lots=13, working_lots=0)

    early, late = (execution_card(execution, now_ns=utc(time).value, **SIM) for time in ("17:00:00", "18:30:00"))

    assert early == late
    assert "✓ Filled 13 of 13" in text_of(early)


def test_a_live_card_wears_its_band() -> None:
    """Real money is told over the whole width; simulated and paper have no band."""
    live, paper = (plan_card(HandPlan(parent=order()), badge=badge, masked_account="x") for badge in ("LIVE", "PAPER"))

    assert '<div class="hy-live-band">' in live
    assert '<div class="hy-live-band">' not in paper
    assert "hy-badge-paper" in paper
