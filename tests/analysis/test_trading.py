"""What is folded in bulk is what a fold of the events gives, to the last bit."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb import cost
from hydra_nb.analysis import frames
from hydra_nb.analysis.fill_frame import slippage
from hydra_nb.analysis.history import History
from hydra_nb.analysis.trading_facts import decimals_of
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.domain.values import replace
from hydra_nb.errors import JournalUnreadable
from hydra_nb.journal import JournalReader, JournalReading
from tests.benchmarks.journal_of_fills import write

from .by_event import FRAMES, difference
from .story import ACCOUNT, OATS, PALLADIUM, START_NS, Story, one_fill, plan_for, top

PARENTS = ("P-0001", "P-0002")
REFS = ("hy:a:P-0001:1:1", "hy:a:P-0001:2:1", "hy:a:P-0002:1:1", "hy:a:P-0003:1:1")
FAMILIES = ("0001.01", "0002.01", "0003.01")
QUOTES = (None, top(OATS, "370", "371"), top(OATS, "370.25", "370.25"), Quote(con_id=101, time_ns=1, bid=Decimal(370)))
WORDS = ("done", 'said "no"', "naïve", "")
LIVES = 100


def told(source: JournalReading | History) -> dict[str, pd.DataFrame]:
    """The frames that are folded in bulk."""
    return {name: getattr(frames, name)(source) for name in FRAMES}


class Disorder:
    """Events of few parents, orders and executions, in whatever order."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  the seed decides the test
        self._time_ns = START_NS

    def life(self) -> list[ev.Event]:
        """Two parents, or fewer, and up to forty events of them."""
        self._time_ns, draw = START_NS, self._random
        begun = [self._submitted(parent_id) for parent_id in PARENTS][: draw.choice((0, 1, 2, 2, 2))]
        for ref in draw.sample(REFS, draw.randrange(4)):
            begun.append(self._reserved(ref, action=Action.PLACE, at=self._now()))
            begun.append(ev.ChildSent(time_ns=self._now(), order_ref=ref, action=Action.PLACE, content_hash="x"))
        makers = [self._of_a_parent, self._of_a_slice, *[self._of_an_order] * 6, *[self._execution] * 5, self._fee]
        return [*begun, *(draw.choice(makers)() for _ in range(draw.randrange(40)))]

    def _now(self) -> int:
        self._time_ns += self._random.randrange(3_000_000_000)
        return self._time_ns

    def _submitted(self, parent_id: str) -> ev.Event:
        side = Side.BUY if parent_id == PARENTS[0] else Side.SELL
        plan, quote, at = plan_for(OATS, 4, 5, side=side), self._random.choice(QUOTES), self._now()
        plan = replace(plan, start_ns=self._random.choice((None, None, at + 5_000_000_000)))
        return ev.ParentSubmitted(time_ns=at, parent_id=parent_id, plan=plan, quote=quote)

    def _of_a_parent(self) -> ev.Event:
        at, who, words = self._now(), self._random.choice(PARENTS), self._random.choice(WORDS)
        return self._random.choice(
            (
                ev.ParentRefused(time_ns=at, parent_id=who, check="collar", message=words),
                ev.ParentBegan(time_ns=at, parent_id=who, quote=self._random.choice(QUOTES)),
                ev.ParentPaused(time_ns=at, parent_id=who),
                ev.ParentResumed(time_ns=at, parent_id=who),
                ev.ParentInterrupted(time_ns=at, parent_id=who, since_ns=at - 1, reason=words),
                ev.ParentFinished(time_ns=at, parent_id=who, status=ParentStatus.PARTIAL, reason=words),
                self._submitted(who),
            )
        )

    def _of_a_slice(self) -> ev.Event:
        at, who, number = self._now(), self._random.choice(PARENTS), self._random.choice((1, 2))
        fields = {"time_ns": at, "parent_id": who, "slice": number}
        ended = {"filled_lots": 1, "carried_lots": 1, "status": SliceStatus.PARTIAL}
        return self._random.choice(
            (
                ev.SliceDelayed(**fields, late_ns=3_000_000_000),
                ev.SliceFinished(**fields, **ended, reason=self._random.choice(WORDS)),  # type: ignore[arg-type]
            )
        )

    def _of_an_order(self) -> ev.Event:
        at, ref, words = self._now(), self._random.choice(REFS), self._random.choice(WORDS)
        action = self._random.choice((Action.PLACE, Action.MODIFY))
        silent = {"order_id": 7, "perm_id": 9001, "status": "Cancelled", "filled_lots": 0, "remaining_lots": 9}
        reserved = self._reserved(ref, action=action, at=at)
        sent = ev.ChildSent(time_ns=at, order_ref=ref, action=action, content_hash="x")
        return self._random.choice(
            (
                *(reserved, reserved, reserved, sent, sent, sent),
                ev.SendFailed(time_ns=at, order_ref=ref, action=action, reason=words),
                ev.CancelRequested(time_ns=at, order_ref=ref, reason=words),
                ev.OrderStatusReported(time_ns=at, order_ref=ref, **silent),  # type: ignore[arg-type]
            )
        )

    def _reserved(self, ref: str, *, action: Action, at: int) -> ev.Event:
        parent_id, number = ref.split(":")[2:4]
        child = ChildOrder(
            order_ref=ref,
            order_id=7,
            parent_id=parent_id,
            slice=int(number),
            account=ACCOUNT,
            contract=OATS,
            side=Side.SELL if parent_id == PARENTS[1] else Side.BUY,
            lots=9,
            limit_price=self._price(),
            expires_ns=at,
            stage=self._random.choice(list(Stage)),
        )
        return ev.ChildReserved(
            time_ns=at,
            action=action,
            child=child,
            client_id=1,
            content_hash=child.content_hash,
            quote=self._random.choice(QUOTES),
            predicted_slippage=self._random.choice((None, Decimal("0.741"))),
            predictor_version=self._random.choice((None, "sqrt-1")),
        )

    def _execution(self) -> ev.Event:
        family, revision = self._random.choice(FAMILIES), self._random.randrange(4)
        at = self._now()
        return ev.ExecutionReported(
            time_ns=at,
            order_ref=self._random.choice((*REFS, "")),
            order_id=7,
            perm_id=9001,
            exec_id=f"{family}.0{revision}",
            family=family,
            revision=revision,
            con_id=101,
            side=Side.BUY,
            lots=self._random.randrange(4),
            price=self._price(),
            executed_ns=at // 1_000_000_000 * 1_000_000_000,
            quote=self._random.choice(QUOTES),
        )

    def _fee(self) -> ev.Event:
        return ev.CommissionReported(
            time_ns=self._now(),
            exec_id=f"{self._random.choice(FAMILIES)}.{self._random.choice(('01', '02', 'x'))}",
            commission=Decimal(self._random.choice(("2.52", "5.04", "1E+1"))),
            currency="USD",
            realised_pnl=None,
        )

    def _price(self) -> Decimal:
        return Decimal("370.75") + self._random.randrange(-4, 5) * OATS.tick


def test_frames_are_those_of_the_events_whatever_happens() -> None:
    """Corrections, busts, modifies, orders of others, fills without a note of their sending, all in any order."""
    differences, rows = {}, 0
    for seed in range(LIVES):
        story = Story()
        history = History(story.journal)
        for place, event in enumerate(Disorder(seed).life()):
            story.tell(event)
            if place % 7 == 0:
                frames.fills(history)

        fresh, carried_on = told(story.journal), told(history)

        rows += len(fresh["fills"])
        differences[seed] = difference(fresh, story.journal) or difference(carried_on, story.journal)

    assert {seed: words for seed, words in differences.items() if words} == {}
    assert rows > LIVES / 2  # else little was compared


def test_a_long_journal_at_rest_gives_the_frames_of_its_events(tmp_path: Path) -> None:
    """Hundreds of fills in twelve contracts, some corrected, some busted."""
    path = tmp_path / "years.sqlite"
    written = write(path, fills=800, quotes=1_000)

    with closing(JournalReader.open(path)) as reader:
        shown, words, quotes = told(reader), difference(told(reader), reader), frames.quotes(reader)

    assert words is None
    assert (len(shown["fills"]), shown["fills"]["lots"].sum()) == (written.fills, written.lots)
    assert shown["executions"]["filled_lots"].sum() == written.lots
    assert (len(shown["executions"]), len(quotes)) == (written.parents, written.quotes)
    assert written.busts > 0


@pytest.mark.parametrize("kind", ["ExecutionReported", "CommissionReported", "ChildReserved", "ChildSent"])
def test_a_row_that_is_no_event_is_named(kind: str) -> None:
    """A frame is made of all its rows, or not at all."""
    story = one_fill(OATS, bid="370", ask="371", price="371")
    story.charged("0001.01.01", "5.04", at=3)
    story.journal.commit_now()
    rows = story.journal._connection
    (seq,) = rows.execute("SELECT seq FROM events WHERE kind = ?", (kind,)).fetchone()
    rows.execute("DROP TRIGGER events_stay")
    rows.execute("UPDATE events SET payload = replace(payload, '\"time_ns\":', '\"time\":') WHERE seq = ?", (seq,))

    with pytest.raises(JournalUnreadable, match=f"row {seq} of the journal's events cannot be read: not a {kind}"):
        frames.fills(story.journal)


@settings(deadline=None, max_examples=200)
@given(
    tick=st.sampled_from(("0.25", "0.1", "0.0000005", "5")),
    multiplier=st.sampled_from((1, 50, 5000, 112_500)),
    magnifier=st.sampled_from((1, 100)),
    side=st.sampled_from(Side),
    arrival=st.none() | st.integers(-50, 200_000),
    filled=st.lists(st.tuples(st.integers(-50, 200_000), st.integers(1, 50)), min_size=1, max_size=5),
)
def test_slippage_by_column_is_that_of_each_fill(
    tick: str, multiplier: int, magnifier: int, side: Side, arrival: int | None, filled: list[tuple[int, int]]
) -> None:
    """The same bits as exact arithmetic in decimals gives, for prices of any sign, and mids half a tick off."""
    contract = replace(PALLADIUM, tick=Decimal(tick), multiplier=Decimal(multiplier), price_magnifier=magnifier)
    mid = None if arrival is None else arrival * contract.tick / 2
    prices, lots = [ticks * contract.tick for ticks, _ in filled], [some for _, some in filled]
    paid = [None if mid is None else side.sign * (price - mid) for price in prices]

    shown = slippage(
        np.array([float(price) for price in prices]),
        np.array(lots),
        decimals=max(decimals_of(str(price)) for price in prices),
        contracts=[contract],
        sides=[side],
        arrivals=[mid],
        of_order=np.zeros(len(filled), dtype=np.int64),
    )

    cash = [cost.in_cash(one, contract=contract, lots=some) for one, some in zip(paid, lots, strict=True)]
    np.testing.assert_array_equal(shown["slippage_ticks"], [cost.in_ticks(one, contract=contract) for one in paid])
    np.testing.assert_array_equal(shown["slippage_bps"], [cost.in_bps(one, mid=mid) for one in paid])
    np.testing.assert_array_equal(shown["slippage_cash"], cash)


@pytest.mark.parametrize("is_committed", [True, False])
def test_quotes_of_a_parent_are_those_of_its_contract_while_it_ran(is_committed: bool) -> None:
    """On the disk and on the way there, between the submission and the end, both included."""
    story, plan = Story(), plan_for(OATS, 2)
    story.submitted("P-0001", plan, None, at=10)
    story.over("P-0001", status=ParentStatus.CANCELLED, at=20)
    for contract in (OATS, PALLADIUM):
        for at_s in (9, 10, 15, 20, 21):
            quote = top(contract, "370", "371", time_ns=START_NS + at_s * 1_000_000_000)
            story.journal.append_quote(quote, contract.local_symbol)
    if is_committed:
        story.journal.commit_now()

    of_parent = frames.quotes(story.journal, parent_id="P-0001")
    later = frames.quotes(story.journal, parent_id="P-0001", since=START_NS + 11 * 1_000_000_000)

    assert list(of_parent["local_symbol"]) == ["ZOK6"] * 3
    assert [(time.value - START_NS) // 1_000_000_000 for time in of_parent["time"]] == [10, 15, 20]
    assert len(later) == 2
    assert frames.quotes(story.journal, parent_id="P-0009").empty
