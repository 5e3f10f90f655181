"""Quotes of books in which nothing happens, and of feeds that fell silent."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from hydra_nb.broker.link import Farms
from hydra_nb.broker.quotes import QuoteBoard
from hydra_nb.broker.renewals import LOOK_S, QUIET_S
from hydra_nb.domain.events import BrokerErrorReported, ChildRefused, TaskFailed
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, FeedType, Quote
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim import replies
from hydra_nb.sim.framing import encode
from hydra_nb.sim.session import MAX_TICK_STREAMS
from hydra_nb.sim.ticks import TickStream
from tests.broker.listed import oats
from tests.broker.room import Room, in_virtual_time
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

OLD, NEW = 5, 6
BID, ASK, VOLUME = 1, 2, 8
ASKED, CANCELLED = 1, 2


def quiet_market() -> ScriptedExchange:
    """Oats at 370 to 374, for ever."""
    return ScriptedExchange(script=steady("370", "374"), is_quiet=True)


async def kept_fresh(room: Room) -> FutureContract:
    """A quoted contract that is traded."""
    contract = await room.quoted()
    room.broker.keep_fresh(lambda: (contract,))
    return contract


def age_s(room: Room, contract: FutureContract) -> float:
    """Age of the quote."""
    quote = room.broker.quote(contract.con_id)
    assert quote is not None
    return quote.age_s(room.clock.now_ns())


def asked_for(room: Room) -> int:
    """The request id of the latest subscription."""
    return int(room.core.frames(ASKED)[-1].split(b"\0")[2])


class Board:
    """A board whose oats, 10 bid at 370.00 and 4 offered at 371.25 at time 1000, are asked for again at 2000."""

    def __init__(self) -> None:
        self.now_ns = 1_000
        self.board = QuoteBoard(lambda: self.now_ns)
        self.board.watch(oats())
        self.board.subscribe(oats().con_id, req_id=OLD)
        self.board.price_tick(OLD, BID, 370.0, 10)
        self.board.price_tick(OLD, ASK, 371.25, 4)
        self.before = self.quote()
        self.now_ns = 2_000
        self.board.changed()
        self.given_up = self.board.renew(oats().con_id, req_id=NEW)
        self.now_ns = 3_000

    def quote(self) -> Quote:
        """The quote now."""
        quote = self.board.quote(oats().con_id)
        assert quote is not None
        return quote


def test_the_old_quote_stands_until_the_new_subscription_has_told_both_sides() -> None:
    """Neither a half-told book nor a volume makes it younger; ticks that come late for the old id count for nothing."""
    made = Board()

    made.board.price_tick(NEW, BID, 370.25, 3)
    made.board.size_tick(NEW, VOLUME, 12)
    made.board.price_tick(OLD, ASK, 399.0, 1)
    half_told, told = made.quote(), list(made.board.changed())
    made.now_ns = 4_000
    made.board.price_tick(NEW, ASK, 371.0, 2)

    assert made.given_up == (OLD,)
    assert half_told == made.before
    assert told == []
    assert (made.quote().bid, made.quote().ask, made.quote().time_ns) == (Decimal("370.25"), Decimal(371), 4_000)
    assert [quote for quote, _ in made.board.changed()] == [made.quote()]


def test_an_empty_side_that_is_told_is_empty() -> None:
    """A side that is gone must not stay from before."""
    made = Board()

    made.board.price_tick(NEW, BID, 370.0, 10)
    made.board.price_tick(NEW, ASK, -1.0, 0)

    assert (made.quote().ask, made.quote().time_ns) == (None, 3_000)


def test_a_side_that_is_never_told_is_empty_once_settled() -> None:
    """Its age is that of the tick that came, not of the settling."""
    made = Board()

    made.board.settle(oats().con_id)
    unsettled = made.quote()
    made.board.price_tick(NEW, BID, 370.0, 10)
    made.now_ns = 9_000
    made.board.settle(oats().con_id)

    assert unsettled == made.before
    assert (made.quote().bid, made.quote().ask, made.quote().time_ns) == (Decimal(370), None, 3_000)


@pytest.mark.parametrize("told", ["frozen", "delayed tick", "halted"])
def test_a_new_subscription_that_may_not_be_traded_on_shows_at_once(told: str) -> None:
    """The live quote from before must not be traded on for another while."""
    made = Board()

    if told == "frozen":
        made.board.feed_type(NEW, 2)
    elif told == "halted":
        made.board.generic_tick(NEW, 49, 1.0)
    else:
        made.board.price_tick(NEW, 66, 370.0, 10)

    quote = made.quote()
    assert quote.halted or quote.feed is not FeedType.LIVE
    assert quote.ask is None


def test_a_lost_connection_forgets_a_renewal_under_way() -> None:
    """Then there is no subscription, and one that is made anew is the only one; it has told nothing yet."""
    made = Board()

    made.board.unsubscribe_all()
    lost = made.board.is_subscribed(oats().con_id)
    made.board.subscribe(oats().con_id, req_id=7)
    made.board.price_tick(NEW, BID, 360.0, 1)
    made.board.price_tick(NEW, ASK, 361.0, 1)

    assert not lost
    assert made.board.quote(oats().con_id) is None
    assert made.board.renew(oats().con_id, req_id=8) == (7,)


def test_a_farm_is_broken_until_it_is_told_to_be_back() -> None:
    """Each by its name; notices of other kinds say nothing."""
    farms = Farms()

    seen = []
    for code, message in (
        (2103, "Market data farm connection is broken:usfuture"),
        (2103, "Market data farm connection is broken:usfarm.nj"),
        (2104, "Market data farm connection is OK:usfuture"),
        (2106, "HMDS data farm connection is OK:usfarm.nj"),
        (2108, "Market data farm connection is inactive but should be available upon demand.usfarm.nj"),
    ):
        farms.heard(code, message)
        seen.append(farms.are_broken)

    assert seen == [True, True, True, True, False]


def test_a_quiet_quote_is_asked_for_again_and_stays_young() -> None:
    """One subscription at the gateway, one order of cancel and request at most every ten seconds, no gap."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        ages, askings = [], []
        for _ in range(1_200):
            await asyncio.sleep(0.25)
            ages.append(age_s(room, contract))
            askings.append(len(room.core.frames(ASKED)))
            quote = room.broker.quote(contract.con_id)
            assert quote is not None
            assert (quote.bid, quote.ask) == (370, 374)
        renewals = askings[-1] - 1

        assert max(ages) < QUIET_S + LOOK_S + 1
        assert 300 / (QUIET_S + LOOK_S) - 1 <= renewals <= 300 / QUIET_S
        assert all(later - earlier <= 1 for earlier, later in zip(askings, askings[4 * QUIET_S - 4 :], strict=False))
        assert len(room.core.frames(CANCELLED)) == renewals
        assert list(room.core.sessions[0].tick_streams) == [asked_for(room)]
        assert {(quote.bid, quote.ask) for quote, _ in room.quotes} == {(370, 374)}

    in_virtual_time(scenario, exchange=quiet_market())


def test_what_nobody_trades_is_left_alone() -> None:
    """A desk that watches must not ask all night."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        traded: list[FutureContract] = []
        room.broker.keep_fresh(lambda: traded)

        await asyncio.sleep(120)
        idle = len(room.core.frames(ASKED))
        traded.append(contract)
        await asyncio.sleep(60)
        busy = len(room.core.frames(ASKED))
        traded.clear()
        await asyncio.sleep(120)

        assert idle == 1
        assert busy > idle
        assert len(room.core.frames(ASKED)) == busy

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_market_that_moves_is_never_asked_for_again() -> None:
    """Its own ticks keep it young."""

    async def scenario(room: Room) -> None:
        await kept_fresh(room)

        await asyncio.sleep(600)

        assert len(room.core.frames(ASKED)) == 1

    in_virtual_time(scenario, exchange=ScriptedExchange(script=steady("370", "374")))


def test_a_mute_feed_grows_old_and_is_asked_for_less_and_less_often() -> None:
    """Nothing but ticks makes a quote younger; at last every 40 s, so that it is soon young when they return."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        room.core.forgets = frozenset({b"1"})
        room.core.drop_ticks(room.core.sessions[0])

        await asyncio.sleep(900)
        mute_s, asked = age_s(room, contract), len(room.core.frames(ASKED))
        room.core.forgets = frozenset()
        await asyncio.sleep(60)

        assert room.broker.state is ConnectionState.UP
        assert mute_s > 899
        assert asked <= 1 + 2 + 900 / 40
        assert age_s(room, contract) < QUIET_S + LOOK_S + 1

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_subscription_that_was_lost_is_asked_for_again_though_nothing_is_traded() -> None:
    """After 10, 20, and every 40 s; and not once more when it has been answered."""

    async def scenario(room: Room) -> None:
        room.broker.keep_fresh(tuple)
        room.core.forgets = frozenset({b"1"})
        contract = await room.broker.contract("ZOH7")
        room.broker.watch(contract)

        await asyncio.sleep(120)
        asked = len(room.core.frames(ASKED))
        room.core.forgets = frozenset()
        await asyncio.sleep(60)
        answered, quote = len(room.core.frames(ASKED)), room.broker.quote(contract.con_id)
        await asyncio.sleep(300)

        assert asked == 5  # at once, and after 10, 30, 70 and 110 s
        assert quote is not None
        assert (quote.bid, quote.ask) == (370, 374)
        assert len(room.core.frames(ASKED)) == answered

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_subscription_that_was_refused_is_left_alone_where_nothing_is_traded() -> None:
    """A person is told once, not every minute."""

    async def scenario(room: Room) -> None:
        room.broker.keep_fresh(tuple)
        room.core.forgets = frozenset({b"1"})
        room.broker.watch(await room.broker.contract("ZOH7"))
        await asyncio.sleep(1)
        await room.error(asked_for(room), 354, "no")

        await asyncio.sleep(600)

        assert len(room.core.frames(ASKED)) == 1

    in_virtual_time(scenario, exchange=quiet_market())


@pytest.mark.parametrize("code", [101, 354])
def test_a_subscription_that_is_refused_is_told_and_leaves_the_quote_to_grow_old(code: int) -> None:
    """And the gateway's answer to the cancel of what it refused is no news."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        room.core.forgets = frozenset({b"1"})
        while len(room.core.frames(ASKED)) == 1:  # noqa: ASYNC110  virtual time
            await asyncio.sleep(1)
        refused = asked_for(room)
        await room.error(refused, code, "no")
        while len(room.core.frames(ASKED)) == 2:  # noqa: ASYNC110  virtual time
            await asyncio.sleep(1)
        await room.error(refused, 300, "Can't find EId")

        told = [(report.code, report.message) for report in room.heard(BrokerErrorReported)]
        assert told[-1] == (code, "ZOH7 market data: no")
        assert int(room.core.frames(CANCELLED)[-1].split(b"\0")[2]) == refused
        assert age_s(room, contract) > 2 * QUIET_S

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_desk_that_uses_its_last_line_renews_on_it() -> None:
    """The old subscription makes room first, so that the broker has no reason for 101."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        for _ in range(MAX_TICK_STREAMS - 1):
            room.broker._wire.send_market_data_request(room.broker.reserve_order_id(), contract)

        await asyncio.sleep(60)

        assert len(room.core.sessions[0].tick_streams) == MAX_TICK_STREAMS
        assert 101 not in [report.code for report in room.heard(BrokerErrorReported)]
        assert age_s(room, contract) < QUIET_S + LOOK_S + 1

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_book_with_one_side_that_is_told_alone_settles() -> None:
    """The new quote has that side only, as young as its tick; before it was settled the old one stood."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        room.core.forgets = frozenset({b"1"})
        while len(room.core.frames(ASKED)) == 1:  # noqa: ASYNC110  virtual time
            await asyncio.sleep(0.5)
        ticks = TickStream(req_id=asked_for(room), con_id=contract.con_id)

        await room.say(ticks._price(BID, Decimal("369.75"), 4, b"0\0"))
        before = room.broker.quote(contract.con_id)
        await asyncio.sleep(LOOK_S + 1)
        after = room.broker.quote(contract.con_id)

        assert before is not None
        assert after is not None
        assert (before.bid, before.ask) == (370, 374)
        assert (after.bid, after.ask) == (Decimal("369.75"), None)
        assert age_s(room, contract) > LOOK_S
        assert room.quotes[-1][0] == after

    in_virtual_time(scenario, exchange=quiet_market())


async def _frozen(room: Room) -> None:
    await room.say(replies.market_data_type(asked_for(room), data_type=2))


async def _halted(room: Room) -> None:
    await room.say(encode([45, 6, asked_for(room), 49, "1.0"]))


async def _servers_lost(room: Room) -> None:
    await room.error(-1, 1100)


async def _farm_broken(room: Room) -> None:
    await room.error(-1, 2103, "Market data farm connection is broken:simfarm")


@pytest.mark.parametrize("trouble", [_frozen, _halted, _servers_lost, _farm_broken])
def test_nothing_is_asked_for_where_the_answer_would_prove_nothing(trouble: Callable[[Room], Awaitable[None]]) -> None:
    """A feed told to be frozen or halted stays so; without servers or farm the gateway answers from memory."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)

        await trouble(room)
        await asyncio.sleep(100)

        assert len(room.core.frames(ASKED)) == 1
        assert age_s(room, contract) > 99

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_closed_market_is_not_asked_for() -> None:
    """Its quote may be old."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        closes_ns = contract.closes_ns(room.clock.now_ns())
        assert closes_ns is not None
        await room.clock.sleep((closes_ns - room.clock.now_ns()) / NS_PER_S)
        before = len(room.core.frames(ASKED))

        await room.clock.sleep(600)

        assert before > 1
        assert len(room.core.frames(ASKED)) == before

    in_virtual_time(scenario, exchange=quiet_market())


def test_orders_and_cancels_have_the_room_first() -> None:
    """As long as the second is full of frames nothing is asked for again."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        for _ in range(80):
            for _ in range(13):
                room.broker._pace.count()
            await asyncio.sleep(0.5)
        crowded = len(room.core.frames(ASKED))
        await asyncio.sleep(2)

        assert crowded == 1
        assert len(room.core.frames(ASKED)) == 2
        assert age_s(room, contract) < 2

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_connection_that_is_lost_and_found_has_one_subscription() -> None:
    """Wherever in a renewal it was lost; and what was lost with 1101 is asked for once."""

    async def scenario(room: Room) -> None:
        contract = await kept_fresh(room)
        for lag_s in (4.99, 5.0, 5.01, 7.0, 10.0):
            await asyncio.sleep(60 + lag_s)
            room.core.sessions[0].closed = True
            await asyncio.sleep(60)
            assert list(room.core.sessions[0].tick_streams) == list(room.broker._inbox.board._by_request)
            assert len(room.core.sessions[0].tick_streams) == 1
            room.core.drop_ticks(room.core.sessions[0])
            await room.error(-1, 1101)
            await asyncio.sleep(60)
            assert len(room.core.sessions[0].tick_streams) == len(room.broker._inbox.board._by_request) == 1
        assert age_s(room, contract) < QUIET_S + LOOK_S + 1

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_quiet_run_can_be_repeated() -> None:
    """The same bytes and the same quotes at the same times."""

    async def scenario(room: Room) -> None:
        await kept_fresh(room)
        await asyncio.sleep(300)

    first, second = (in_virtual_time(scenario, exchange=quiet_market()) for _ in range(2))

    assert first.core.received == second.core.received
    assert first.quotes == second.quotes
    assert len(first.core.frames(ASKED)) > 10


def test_the_ladder_climbs_in_a_quiet_book_where_our_order_is_the_whole_touch() -> None:
    """Each modify goes through at its stage, minutes after the last tick that the market gave by itself."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")

        assert stack.prices() == ["372", "372.25", "374"]
        assert stack.journalled(ChildRefused) == []
        assert execution.status is ParentStatus.FILLED
        asked = [frame.time_ns for frame in stack.core.heard(ASKED)]
        assert all(later - earlier >= QUIET_S * NS_PER_S for earlier, later in itertools.pairwise(asked))
        await stack.sleep(300)
        assert len(stack.core.heard(ASKED)) == len(asked)

    on_a_desk(scenario, exchange=quiet_market())


def test_what_an_earlier_process_left_has_no_quotes_to_look_after() -> None:
    """Its orders are at work until they are over, and nobody watches its contract before it is resumed."""

    async def scenario(room: Room) -> None:
        left = await room.broker.contract("ZOH7")
        room.broker.keep_fresh(lambda: (left,))
        await asyncio.sleep(3 * QUIET_S)
        assert room.heard(TaskFailed) == []
        assert room.core.frames(ASKED) == []

    in_virtual_time(scenario, exchange=quiet_market())


def test_a_mute_feed_is_refused_its_modifies() -> None:
    """The order stays where it was approved, and ends."""

    async def scenario(stack: Stack) -> None:
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        stack.core._subscribe_ticks = lambda *_: None  # type: ignore[method-assign]
        stack.core.drop_ticks(stack.core.sessions[0])
        await execution

        refused = [event for event in stack.journalled(ChildRefused) if event.action is Action.MODIFY]
        assert [event.check for event in refused] == ["quote_age"]
        assert stack.prices() == ["372"]
        assert execution.filled_lots == 0

    on_a_desk(scenario, exchange=quiet_market())
