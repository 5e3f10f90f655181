"""The life of a parent is whole, in order, of nobody else, and says nothing of the account."""

import dataclasses
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis import columns
from hydra_nb.analysis.audit import Groups, as_json, audit, find_life, rows_of
from hydra_nb.analysis.audit_words import decision_words, local_text, utc_text, words_of
from hydra_nb.analysis.columns import make_frame
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus
from hydra_nb.errors import InvalidOrder
from hydra_nb.journal.rows import decision_rows
from hydra_nb.risk.verdict import Decision
from tests.journal.test_codec import objects

from .story import ACCOUNT, OATS, PALLADIUM, START_NS, Story, ns, one_fill, plan_for, top

MASKED = "SIM•••QF"


def check(name: str, *, allowed: bool = True, observed: float | None = 2.0) -> Decision:
    """One check of the gate."""
    return Decision(
        check=name, allowed=allowed, observed=observed, limit=10.0, unit="lots", message="2 of 10 lots", source="limits"
    )


def kinds(story: Story, parent_id: str = "P-0001", *, about: str | None = None) -> list[str]:
    """Kinds of the rows of a life, in order."""
    frame = audit(story.journal, parent_id)
    return frame["kind"][(frame["about"] == about) if about else slice(None)].tolist()


# Whose facts


def test_a_life_is_the_parent_s_own_events_in_order() -> None:
    """From the submission to the commission, each once."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")
    story.charged("0001.01.01", "2.50", at=3)
    story.slice_over("P-0001", 1, filled=2, carried=0, status=SliceStatus.FILLED, at=4)
    story.over("P-0001", status=ParentStatus.FILLED, at=5)

    frame = audit(story.journal, "P-0001")

    assert frame["kind"].tolist() == [
        "ParentSubmitted",
        "ChildReserved",
        "ChildSent",
        "ExecutionReported",
        "CommissionReported",
        "SliceFinished",
        "ParentFinished",
    ]
    assert frame["seq"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert set(frame["about"]) == {"parent"}


def test_a_commission_before_its_execution_and_one_after_the_end_belong_to_it() -> None:
    """They name an execution alone; what is charged to others does not belong."""
    story, quote = Story(), top(OATS, "370", "371")
    plan = plan_for(OATS, 2)
    story.submitted("P-0001", plan, quote)
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=quote, at=1)
    story.charged("0001.01.01", "2.50", at=2)
    story.charged("0009.01.01", "9.99", at=2)
    story.filled(ref, "0001.01.01", 2, "370.5", at=3)
    story.over("P-0001", status=ParentStatus.FILLED, at=4)
    story.filled(ref, "0001.01.02", 1, "370.5", at=90)
    story.charged("0001.01.02", "1.25", at=91)
    story.tell(ev.Killed(time_ns=ns(92), reason="after all"))

    frame = audit(story.journal, "P-0001")

    assert frame["seq"].tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert set(frame["about"]) == {"parent"}
    assert "correction, now BUY 1 at 370.50" in frame["words"].iloc[5]


def test_facts_of_the_desk_count_between_the_first_and_the_last() -> None:
    """Connection, kill, locks and positions of its contract; not those of other contracts, parents and users."""
    story, quote = Story(), top(OATS, "370", "371")
    plan, other = plan_for(OATS, 2), plan_for(PALLADIUM, 2, mid="1000.25")
    story.submitted("P-0001", plan, quote)
    story.submitted("P-0002", other, top(PALLADIUM, "1000", "1000.5"))
    theirs = story.gated("P-0002", 1, plan=other, price="1000", quote=None, at=1)
    story.sent(theirs, at=1)
    story.filled(theirs, "0002.01.01", 2, "1000", at=1)
    story.charged("0002.01.01", "1", at=1)
    locked = ev.ContractLocked(time_ns=ns(2), con_id=OATS.con_id, local_symbol="ZOK6", order_ref=theirs, reason="odd")
    story.tell(locked)
    story.tell(dataclasses.replace(locked, con_id=PALLADIUM.con_id, local_symbol="PAM6", order_ref=None))
    for contract in (OATS, PALLADIUM):
        story.tell(
            ev.PositionReported(
                time_ns=ns(3),
                con_id=contract.con_id,
                local_symbol=contract.local_symbol,
                symbol=contract.symbol,
                lots=3,
                average_cost=Decimal(5),
            )
        )
    story.tell(ev.BrokerErrorReported(time_ns=ns(4), order_ref=None, code=2104, message="farm"))
    story.tell(ev.BrokerErrorReported(time_ns=ns(4), order_ref="hy:strange:P-0001:1:1", code=201, message="no"))
    story.tell(ev.ConnectionChanged(time_ns=ns(5), state=ConnectionState.DOWN, message="gone"))
    story.tell(ev.Killed(time_ns=ns(6), reason="enough"))
    story.over("P-0001", status=ParentStatus.CANCELLED, at=7)
    story.tell(ev.Rearmed(time_ns=ns(8), reason="later"))

    told = kinds(story, about="desk")

    assert told == ["ContractLocked", "PositionReported", "BrokerErrorReported", "ConnectionChanged", "Killed"]
    assert kinds(story, about="parent") == ["ParentSubmitted", "ParentFinished"]
    assert kinds(story, about="before") == []


def test_a_parent_that_runs_lives_to_the_end_of_the_journal() -> None:
    """A fact of the desk after its last own event concerns it still."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")

    story.tell(ev.ConnectionChanged(time_ns=ns(9), state=ConnectionState.DOWN, message="gone"))

    assert kinds(story)[-1] == "ConnectionChanged"


def test_what_stood_when_it_began_comes_first() -> None:
    """The last connection, reconciliation, account and clock; a kill that was lifted stands no more."""
    story, quote = Story(), top(OATS, "370", "371")
    story.tell(ev.ConnectionChanged(time_ns=ns(-9), state=ConnectionState.DOWN, message="not yet"))
    story.tell(ev.ConnectionChanged(time_ns=ns(-8), state=ConnectionState.UP, message="connected"))
    story.tell(ev.Killed(time_ns=ns(-7), reason="enough"))
    story.tell(ev.Rearmed(time_ns=ns(-6), reason="looked"))
    story.tell(ev.ClockMeasured(time_ns=ns(-5), skew_s=0.25, low_s=0.25, high_s=0.5))
    story.submitted("P-0001", plan_for(OATS, 2), quote)
    story.tell(ev.ClockMeasured(time_ns=ns(5), skew_s=0.0, low_s=-0.5, high_s=0.5))
    story.over("P-0001", status=ParentStatus.REFUSED, at=6)

    frame = audit(story.journal, "P-0001")

    assert frame["seq"].tolist() == [2, 5, 6, 7, 8]
    assert frame["about"].tolist() == ["before", "before", "parent", "desk", "parent"]
    assert frame["clock_low_s"].tolist()[1:] == [0.25, 0.25, -0.5, -0.5]
    assert frame["clock_low_s"].isna().tolist() == [True, False, False, False, False]


def test_a_kill_in_force_stands() -> None:
    """It came after the last re-arming."""
    story = Story()
    story.tell(ev.Rearmed(time_ns=ns(-7), reason="looked"))
    story.tell(ev.Killed(time_ns=ns(-6), reason="enough"))

    story.submitted("P-0001", plan_for(OATS, 2), None)

    assert kinds(story, about="before") == ["Killed"]


def test_an_unknown_parent_is_answered_with_those_that_there_are() -> None:
    """Also where there is none at all."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")

    with pytest.raises(InvalidOrder, match=r"no parent order 'P-0007' in this journal; known: P-0001"):
        audit(story.journal, "P-0007")
    with pytest.raises(InvalidOrder, match="known: none"):
        audit(Story().journal, "P-0001")


# Decisions


def gated_once(story: Story, *names: str, at: float, seal: bool) -> ev.DecisionsSeal | None:
    """Decisions on slice 1 at a time; what seals them, where a newer version wrote them."""
    given = story.journal.append_decisions(
        [check(name) for name in names], time_ns=ns(at), parent_id="P-0001", slice=1, action=Action.PLACE
    )
    return given if seal else None


@pytest.mark.parametrize("seal", [True, False], ids=["sealed", "of an older version"])
def test_decisions_stand_before_what_came_of_them(seal: bool) -> None:
    """Two groups at one instant, in the order in which they were made, each before its own event."""
    story = Story()
    story.submitted("P-0001", plan_for(OATS, 2), None)
    refused = ev.ChildRefused(
        time_ns=ns(1),
        action=Action.PLACE,
        parent_id="P-0001",
        slice=1,
        order_ref=story.ref("P-0001", 1),
        check="two",
        transient=True,
        message="no",
    )
    for _ in range(2):
        story.tell(dataclasses.replace(refused, decisions=gated_once(story, "one", "two", at=1, seal=seal)))
    story.tell(dataclasses.replace(refused, time_ns=ns(2), decisions=gated_once(story, "one", at=2, seal=seal)))

    frame = audit(story.journal, "P-0001")

    assert frame["decision"].fillna(0).tolist() == [0, 1, 2, 0, 3, 4, 0, 5, 0]
    assert frame["seq"].tolist() == [1, 2, 2, 2, 3, 3, 3, 4, 4]
    checks = frame[frame["kind"] == "Decision"]
    assert checks["check"].tolist() == ["one", "two", "one", "two", "one"]
    assert checks["allowed"].tolist() == [True] * 5
    assert checks[["observed", "limit", "unit"]].values.tolist() == [[2.0, 10.0, "lots"]] * 5
    assert frame["allowed"].isna().sum() == 4


def test_decisions_that_nothing_came_of_are_not_passed_over() -> None:
    """They come last, and say so."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")
    gated_once(story, "one", at=50, seal=False)

    last = audit(story.journal, "P-0001").iloc[-1]

    assert last["kind"] == "Decision"
    assert last["words"].startswith("No event came of it: Check one passed")
    assert last.isna()["seq"]


@given(
    st.lists(st.tuples(st.sampled_from(["place", "modify"]), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)))
)
def test_groups_give_every_decision_once_and_in_order(made: list[tuple[str, int, int, int]]) -> None:
    """Whatever falls on one instant: groups of an older version are found in the order in which they were made."""
    rows, events = [], []
    for action, number, second, count in made:
        time_ns = START_NS + second
        rows += decision_rows(
            [check(f"check_{n}") for n in range(count)],
            first=len(rows) + 1,
            time_ns=time_ns,
            parent_id="P-0001",
            slice=number,
            action=Action(action),
        )
        events.append(
            ev.ChildRefused(
                time_ns=time_ns,
                action=Action(action),
                parent_id="P-0001",
                slice=number,
                order_ref="",
                check="",
                transient=False,
                message="",
            )
        )
    groups = Groups(rows)

    given_out = [[row.seq for row in groups.of(event)] for event in events]

    assert [seq for group in given_out for seq in group] == [row.seq for row in rows]
    assert [len(group) for group in given_out] == [count for *_, count in made]
    assert groups.left() == []


# What a row says


@pytest.mark.parametrize("kind", ev.EVENT_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_has_words_on_one_line(kind: type[ev.Event], data: st.DataObject) -> None:
    """Whatever is in its fields."""
    words = words_of(data.draw(objects(kind)), OATS)

    assert len(words) > 5
    assert "\n" not in words


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LimitMoved(ev.Event):
    """An event of a later version, which has no words of its own."""

    limit: str
    new_value: float
    who: str


def test_an_event_without_words_of_its_own_is_told_field_by_field() -> None:
    """But for names of people, which no screen shows."""
    words = words_of(LimitMoved(time_ns=5, limit="max_lots", new_value=3.0, who="alice"), OATS)

    assert words == "Limit moved: limit max_lots, new value 3.0"


def test_a_check_without_figures_is_told_without() -> None:
    """And one with them tells what it saw, what is allowed, and what would pass."""
    (plain, full) = decision_rows(
        [
            Decision(
                check="kill_switch",
                allowed=True,
                observed=None,
                limit=None,
                unit="",
                message="The kill switch is off",
                source="journal",
            ),
            check("order_lots", allowed=False, observed=30.0)._replace(would_pass=10.0),
        ],
        first=1,
        time_ns=5,
        parent_id="P-0001",
        slice=None,
        action=Action.PARENT,
    )

    assert decision_words(plain) == "Check kill_switch passed: The kill switch is off [journal]"
    assert decision_words(full) == (
        "Check order_lots refused: observed 30, limit 10 lots; 10 would pass. 2 of 10 lots [limits]"
    )


def test_times_are_cut_to_the_microsecond_and_told_in_the_exchange_s_zone() -> None:
    """Summer and winter, and the hour that comes twice, each with its distance from UTC."""
    chicago = ZoneInfo("America/Chicago")
    twice = [1_793_514_600_123_456_999, 1_793_518_200_123_456_999]  # 2026-11-01, half past one, before and after

    assert utc_text(twice[0]) == "2026-11-01T06:30:00.123456Z"
    assert [local_text(one, chicago) for one in twice] == [
        "2026-11-01T01:30:00.123456-05:00",
        "2026-11-01T01:30:00.123456-06:00",
    ]


def test_the_account_stands_nowhere() -> None:
    """Neither in facts nor in words of brokers and persons; who has to know it has the journal."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")
    story.tell(ev.BrokerErrorReported(time_ns=ns(4), order_ref=None, code=321, message=f"account {ACCOUNT} is odd"))
    story.tell(ev.ParentCancelAsked(time_ns=ns(5), parent_id="P-0001", reason=f"wrong account, {ACCOUNT}"))

    frame = audit(story.journal, "P-0001")

    text = frame.to_csv() + "".join(
        map(as_json, rows_of(story.journal, find_life(story.journal, "P-0001"), decisions=[]))
    )
    assert ACCOUNT not in text
    assert f"account {MASKED} is odd" in text
    assert json.loads(frame["facts"].iloc[0])["plan"]["parent"]["account"] == MASKED


def test_lines_for_programs_are_json_with_the_same_keys() -> None:
    """One object a line in ASCII, every column in order and the whole time; the facts are an object, without NaN."""
    story = Story()
    plan = dataclasses.replace(plan_for(OATS, 2), participation=float("nan"))
    story.submitted("P-0001", plan, None)
    gated_once(story, "one", at=1, seal=False)
    life = find_life(story.journal, "P-0001")

    lines = [as_json(row) for row in rows_of(story.journal, life, decisions=story.journal.decisions_rows())]

    def no_constants(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    read = [json.loads(line, parse_constant=no_constants) for line in lines]
    assert all(line.isascii() and "\n" not in line for line in lines)
    assert [list(one) for one in read] == [[*(column.name for column in columns.AUDIT), "time_ns"]] * 2
    assert read[0]["facts"]["plan"]["participation"] is None
    assert read[0]["time"] == "2026-03-03T15:00:00.000000Z"
    assert (read[0]["time_ns"], read[0]["seq"], read[0]["kind"]) == (START_NS, 1, "ParentSubmitted")
    assert (read[1]["decision"], read[1]["check"], read[1]["facts"]) == (1, "one", None)


def test_frames_of_a_life_have_one_form() -> None:
    """Columns and dtypes are those of the page, with rows or without."""
    story = one_fill(OATS, bid="370", ask="371", price="370.5")
    gated_once(story, "one", at=1, seal=False)

    full, empty = audit(story.journal, "P-0001"), make_frame(columns.AUDIT, [])

    promised = {column.name: str(column.kind) for column in columns.AUDIT}
    assert {name: str(kind) for name, kind in full.dtypes.items()} == promised
    assert {name: str(kind) for name, kind in empty.dtypes.items()} == promised
    assert list(full.index) == list(range(len(full)))
