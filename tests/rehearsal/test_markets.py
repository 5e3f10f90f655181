"""Every documented market: rehearsed in as it is described, begun at the screen, and refused where it cannot be."""

import ast
import asyncio
import math
import pickle
import re
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hydra_nb
from hydra_nb import ImpactedMarket, QueueReactiveMarket, SantaFeMarket, TapeMarket, ThinMarket
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.errors import AnalysisError, InvalidFrame, InvalidOrder
from hydra_nb.rehearsal.market import Market, Screen, open_seconds
from hydra_nb.rehearsal.worlds import market_of, world_of
from hydra_nb.sim.book import Book
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.flow import Flow
from hydra_nb.sim.records import SimSide
from hydra_nb.sim.seeds import stream
from hydra_nb.sim.sources import ImpactedSource, TapeSource, ThinSource
from hydra_nb.sim.world import World
from tests.rehearsal.test_rehearse import on_a_desk
from tests.starting.test_words import contract

OATS = contract()
TICK = float(OATS.tick)
BID, ASK = 1600, 1604
"""The touch of the tapes that are made here, in ticks; it stands still."""
PATIENT = {"side": "BUY", "lots": 3, "instrument": "ZO", "strategy": "limit_patience", "patience": 120}
RATES = {
    "limit_per_s": [[0.2, 0.15, 0.1, 0.05]] * 3,
    "cancel_per_s": [[0, 0.02, 0.05, 0.1]] * 3,
    "market_per_s": [[0, 0.02, 0.02, 0.02]] * 3,
    "move_probability": 0.6,
    "redraw_probability": 0.3,
}


def quotes(*, hours: float = 1.0, every_s: float = 10.0, symbol: str = "ZOH7", **columns: Any) -> pd.DataFrame:
    """A tape whose touch stands still, and on which a lot trades at its mid with each row."""
    rows = int(hours * 3600 / every_s) + 1
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2027-01-05 15:00", tz="UTC")
            + pd.to_timedelta([every_s * n for n in range(rows)], "s"),
            "local_symbol": symbol,
            "bid": BID * TICK,
            "bid_size": 5.0,
            "ask": ASK * TICK,
            "ask_size": 5.0,
            "last": (BID + ASK) / 2 * TICK,
            "last_size": 1.0,
            "volume": [float(n) for n in range(rows)],
        }
        | columns
    )


def screen(*, longest_s: float = 600.0, mid_ticks: float = 1700.0) -> Screen:
    """Oats at a mid, four ticks wide; what their bars tell."""
    quote = Quote(
        con_id=OATS.con_id,
        time_ns=0,
        bid=Decimal(mid_ticks - 2) * OATS.tick,
        bid_size=4,
        ask=Decimal(mid_ticks + 2) * OATS.tick,
        ask_size=6,
    )
    told = MarketStatistics(
        con_id=OATS.con_id, adv_lots=400.0, daily_volatility=0.02, days=20, source="simulated bars", returns=19
    )
    return Screen(contract=OATS, quote=quote, statistics=told, usual_spread=None, longest_s=longest_s)


def world(market: Market, on: Screen) -> World:
    """The world of a market."""
    opens_ns = OATS.sessions[0].open_ns
    return world_of(on, source=market.begin(on).source, account="SIM0000001", start_ns=opens_ns)


def tape(**how: Any) -> TapeMarket:
    """A market of the tape above."""
    return TapeMarket.of(quotes(), OATS, **how)


def taped(instrument: FutureContract) -> TapeMarket:
    """The same of a contract of a desk."""
    return TapeMarket.of(quotes(symbol=instrument.local_symbol), instrument)


ZERO = SantaFeMarket(taker_s=20, far_lots=1.0, rest_s=120)


MARKETS: dict[str, Callable[[], Market]] = {
    "thin": lambda: ThinMarket(
        spread_ticks=8,
        touch_lots=3,
        quote_s=1,
        taker_s=60,
        taker_lots=2,
        daily_volatility=0.02,
        impact_ticks=0.2,
    ),
    "zero intelligence": lambda: replace(ZERO),
    "queue-reactive": lambda: QueueReactiveMarket(**RATES),
    "recorded": tape,
    "moves prices": lambda: ImpactedMarket(coefficient=1.0, half_life_s=600, adverse_ticks=1.0),
    "against us": lambda: ImpactedMarket(market=ZERO, adverse_ticks=8.0),
}


@pytest.mark.parametrize("name", MARKETS)
def test_a_market_is_a_value(name: str) -> None:
    """Made twice it is equal and hashes alike, pickled it stays so, and its world has one digest and no other's."""
    one, other = MARKETS[name](), MARKETS[name]()

    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  what was packed on this line
    assert world(one, screen()).digest == world(other, screen()).digest
    digests = {world(make(), screen()).digest for make in MARKETS.values()}
    assert len(digests) == len(MARKETS)


def test_a_plan_is_rehearsed_in_every_market_and_the_card_names_it() -> None:
    """The same plan; what comes out hangs on the market and the seed, and each says what it is and leaves out."""

    async def scenario(desk: Desk) -> dict[str, tuple[Any, Any]]:
        plan, found = await desk.preview(**PATIENT), {}
        own = await desk.instrument("ZO")
        with ThreadPoolExecutor(2) as threads:
            for name, make in MARKETS.items():
                market = taped(own) if name == "recorded" else make()
                found[name] = tuple(
                    [await plan.rehearse(4, seed=seed, market=market, executor=threads) for seed in (1, 1)]
                )
        return found

    found = on_a_desk(scenario)

    for name, (one, again) in found.items():
        assert repr(one.outcomes) == repr(again.outcomes), name
        assert all(path.filled_lots + path.shortfall_lots == 3 for path in one.outcomes)
        assert name == "thin" or name in one.rehearsed.model
        assert one.rehearsed.leaves_out in one._repr_html_().replace("&#x27;", "'")
    fills = {repr([path.fills for path in one.outcomes]) for one, _ in found.values()}
    assert len(fills) == len(MARKETS)


def begun_at(market: Market, on: Screen, *, seeds: int = 200) -> list[int]:
    """When the paths of seeds begin on a tape."""
    there = world(market, on)
    assert isinstance(there.source, TapeSource)
    return [there.source.begins_ns(there.month, seed=seed) for seed in range(seeds)]


def test_paths_begin_anywhere_on_a_tape_that_leaves_enough_of_it() -> None:
    """Evenly over the time that is left, and never in a part that pauses before the plan ends."""
    first, second = quotes(), quotes(hours=0.25)
    second["time"] += pd.Timedelta("5h")
    market = TapeMarket.of(pd.concat([first, second], ignore_index=True), OATS)
    opens = first.time.iloc[0].value

    at_s = [(begins_ns - opens) / 1e9 for begins_ns in begun_at(market, screen(longest_s=600))]

    ends_s = (3600 - 600, 5 * 3600 + 900 - 600)
    assert all(0 <= one <= ends_s[0] or 5 * 3600 <= one <= ends_s[1] for one in at_s)
    share = sum(one > 3600 for one in at_s) / len(at_s)
    assert share == pytest.approx(300 / 3300, abs=0.06)
    assert sum(at_s) / len(at_s) == pytest.approx((3000 / 3300) * 1500 + (300 / 3300) * 18_150, rel=0.25)


def test_plans_of_different_lengths_begin_at_the_same_instants() -> None:
    """Those that leave enough for the longest: else the markets would not be common."""

    async def scenario(desk: Desk) -> Any:
        own = await desk.instrument("ZO")
        market = taped(own)
        plans = [await desk.preview(**PATIENT | {"patience": patience, "tag": str(patience)}) for patience in (60, 300)]
        with ThreadPoolExecutor(1) as thread:
            return await hydra_nb.rehearse(plans, 6, market=market, executor=thread)

    compared = on_a_desk(scenario)

    assert len({one.rehearsed.world for one in compared.rehearsals}) == 1
    assert set(compared.compare().quantity) >= {"slippage_ticks", "shortfall_lots"}


def test_a_tape_is_moved_to_the_mid_on_the_screen_and_keeps_its_own_touch() -> None:
    """By whole ticks; spread and sizes stay as they were recorded."""
    for mid_ticks in (1700.0, 1699.5, -20.0):
        there = world(tape(), screen(mid_ticks=mid_ticks))
        exchange = Exchange(seed=5, world=there)
        exchange.watch(OATS.con_id, there.start_ns)
        top = exchange.top(OATS.con_id)

        assert top is not None
        assert top.bid is not None
        assert top.ask is not None
        assert abs(float((top.bid + top.ask) / 2 / OATS.tick) - mid_ticks) <= 0.5
        assert (top.ask - top.bid) / OATS.tick == ASK - BID
        assert (top.bid_size, top.ask_size) == (5, 5)


def test_no_path_begins_where_a_side_of_the_tape_was_empty() -> None:
    """An order has no arrival price there."""
    frame = quotes()
    is_thin = (frame.index // 30) % 2 == 1
    frame.loc[is_thin, ["ask", "ask_size"]] = [math.nan, 0.0]
    opens = frame.time.iloc[0].value

    begun = begun_at(TapeMarket.of(frame, OATS), screen(longest_s=600))

    assert all(int((at_ns - opens) / 300e9) % 2 == 0 for at_ns in begun)
    assert len(set(begun)) > 190


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: TapeMarket.of(quotes().iloc[::-1], OATS), InvalidFrame, "row 1, at .* lies before the row above it"),
        (lambda: TapeMarket.of(quotes(bid=ASK * TICK), OATS), InvalidFrame, "ZOH7: row 0 is crossed"),
        (lambda: TapeMarket.of(quotes(bid=399.99), OATS), InvalidFrame, "off the tick"),
        (lambda: TapeMarket.of(quotes(symbol="OJH7"), OATS), InvalidFrame, "a tape is of one contract"),
        (lambda: TapeMarket.of(quotes().drop(columns="last"), OATS), InvalidFrame, "lack last"),
        (lambda: TapeMarket.of(quotes().iloc[:0], OATS), InvalidFrame, "a tape is of one contract"),
        (lambda: tape(fills="maybe"), InvalidOrder, "'touch' or 'through'"),
        (lambda: tape(gap_s=0), InvalidOrder, "gap_s=0 is no figure"),
        (lambda: tape(gap_s="600"), InvalidOrder, "gap_s='600' is no figure"),
        (lambda: tape(gap_s=math.inf), InvalidOrder, "gap_s=inf is no figure"),
        (lambda: TapeMarket.of(None, OATS), InvalidFrame, "quotes=None is no frame"),
        (lambda: tape(crossed="keep"), InvalidOrder, "'refuse' or 'drop'"),
        (lambda: SantaFeMarket(taker_s=0, far_lots=1, rest_s=60), InvalidOrder, "taker_s=0"),
        (lambda: SantaFeMarket(taker_s="45", far_lots=1, rest_s=60), InvalidOrder, "taker_s='45'"),
        (lambda: SantaFeMarket(taker_s=60, far_lots=1, rest_s=60, order_lots=1.5), InvalidOrder, "order_lots=1.5"),
        (lambda: SantaFeMarket(taker_s=60, far_lots=1, rest_s=60, window_ticks=2.5), InvalidOrder, "a whole number"),
        (lambda: SantaFeMarket(taker_s=60, far_lots=2_000, rest_s=60), InvalidOrder, "would rest"),
        (lambda: QueueReactiveMarket(**RATES | {"market_per_s": [[0, 0.1]]}), InvalidOrder, "same distances"),
        (lambda: QueueReactiveMarket(**RATES | {"limit_per_s": 3}), InvalidOrder, "of no market"),
        (lambda: ImpactedMarket(coefficient=-1), InvalidOrder, "coefficient=-1 is no figure"),
        (lambda: ImpactedMarket(adv_lots=0), InvalidOrder, "adv_lots=0"),
        (lambda: ImpactedMarket(coefficient="1"), InvalidOrder, "coefficient='1' is no figure"),
        (lambda: ImpactedMarket(adverse_horizon_s=math.inf), InvalidOrder, "adverse_horizon_s=inf"),
        (lambda: ImpactedMarket(market=3), InvalidOrder, "no market that could be moved"),
        (lambda: ImpactedMarket(market=ThinMarket), InvalidOrder, "no market that could be moved"),
        (lambda: ImpactedMarket(market=ImpactedMarket()), InvalidOrder, "no market that could be moved"),
        (
            lambda: ImpactedMarket(market=SantaFeMarket(taker_s=60, far_lots=1, rest_s=60), coefficient=0.8).begin(
                screen()
            ),
            InvalidOrder,
            "SantaFeMarket answers a take by what it leaves in the book",
        ),
        (
            lambda: ImpactedMarket(market=QueueReactiveMarket(**RATES), coefficient=0.8).begin(screen()),
            InvalidOrder,
            "QueueReactiveMarket answers a take by what it leaves in the book",
        ),
        (lambda: tape().begin(screen(longest_s=3601)), InvalidOrder, "3,601 s .* longest part has 3,600 s"),
        (
            lambda: TapeMarket.of(quotes(every_s=60), OATS, gap_s=30).begin(screen()),
            InvalidOrder,
            "without a pause of over 30 s .* longest part has 0 s",
        ),
        (
            lambda: TapeMarket.of(quotes(bid=math.nan), OATS).begin(screen()),
            InvalidOrder,
            "the tape of ZOH7 shows both sides at no instant, and",
        ),
        (
            lambda: TapeMarket.of(quotes(ask=[math.nan] * 320 + [ASK * TICK] * 41), OATS).begin(screen()),
            InvalidOrder,
            "shows both sides at no instant from which it goes on for 600 s",
        ),
        (lambda: replace(tape(), local_symbol="OJH7").begin(screen()), InvalidOrder, "an order of ZOH7 needs one of"),
        (lambda: replace(screen(), quote=None), InvalidOrder, "no price of ZOH7"),
    ],
)
def test_what_is_no_market_is_refused_in_words(make: Any, error: type[Exception], words: str) -> None:
    """As soon as it is known, with what may be given instead."""
    with pytest.raises(error, match=words):
        make()


TOUCHES = [
    # what the screen shows beside a last trade of 345.00, the spread that is usual, the touch in ticks, and in words
    ({"ask": Decimal("352.00"), "ask_size": 3}, "1.50", (1402, 1408), (2, 3), "the usual 6 ticks below the ask of 352"),
    ({"bid": Decimal("352.00"), "bid_size": 3}, "1.50", (1408, 1414), (3, 2), "the usual 6 ticks above the bid of 352"),
    ({"ask": Decimal("352.00"), "ask_size": 3}, None, (1404, 1408), (2, 3), "the assumed 4 ticks below the ask"),
    ({"bid": Decimal("-1.00"), "bid_size": 1}, None, (-4, 0), (1, 2), "above the bid of -1"),
    ({"bid": Decimal("352.00"), "ask": Decimal("353.00"), "ask_size": 3}, "1.50", (1406, 1412), (2, 3), "no bid is"),
    ({}, "1.50", (1377, 1383), (2, 2), "begun around the last trade of 345"),
    ({"last": None}, "1.50", (1357, 1363), (2, 2), "begun around the settlement of 340"),
    (
        {"bid": Decimal(352), "bid_size": 1, "ask": Decimal(352), "ask_size": 1},
        "1.50",
        (1377, 1383),
        (2, 2),
        "no bid below",
    ),
]


@pytest.mark.parametrize(("shown", "usual", "ticks", "lots", "words"), TOUCHES)
def test_a_side_that_is_missing_is_hung_on_the_one_that_shows(
    shown: dict[str, Any], usual: str | None, ticks: tuple[int, int], lots: tuple[int, int], words: str
) -> None:
    """However far the last trade is away; all models begin around the middle of it, and it is said."""
    known = {"last": Decimal("345.00"), "settlement": Decimal("340.00")} | shown
    on = replace(
        screen(),
        quote=Quote(con_id=OATS.con_id, time_ns=0, **known),
        usual_spread=None if usual is None else Decimal(usual),
    )

    market = market_of(on)
    opening = market.begin(on).source.opening

    assert (opening.bid_ticks, opening.ask_ticks) == ticks
    assert (opening.bid_lots, opening.ask_lots) == lots
    assert on.price_ticks == sum(ticks) / 2
    assert words in "; ".join(on.notes)
    assert "touch assumed, 2.5 lots a side" in market.notes


def test_a_screen_with_both_sides_has_nothing_to_say() -> None:
    """The market begins with it, and its size is no assumption."""
    assert screen().notes == ()
    assert not [note for note in market_of(screen()).notes if "touch" in note]


def test_crossed_rows_can_be_left_out() -> None:
    """Then the tape is one row shorter, and usable."""
    frame = quotes()
    frame.loc[7, "bid"] = ASK * TICK

    market = TapeMarket.of(frame, OATS, crossed="drop")

    assert len(market.tape) == len(frame) - 1


def test_bounds_of_fills_lie_apart_where_trades_print_at_our_price() -> None:
    """At the mid, where the order rests: first in the queue it fills there, last in it only once it has stepped."""

    async def scenario(desk: Desk) -> Any:
        own = await desk.instrument("ZO")
        market = taped(own)
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(1) as thread:
            return await hydra_nb.rehearse_bounds(plan, 5, market=market, executor=thread)

    bounds = on_a_desk(scenario)
    rows = bounds.frame().set_index("quantity")

    assert {fill.stage for path in bounds.touch.outcomes for fill in path.fills} == {"mid"}
    assert {fill.stage for path in bounds.through.outcomes for fill in path.fills} == {"step"}
    assert rows.through["slippage_ticks"] - rows.touch["slippage_ticks"] >= 1.0
    assert rows.difference["all_lots_ticks"] == rows.low["all_lots_ticks"] == rows.high["all_lots_ticks"]
    assert rows.touch["completed"] == rows.through["completed"] == 1.0
    assert bounds.touch.seeds == bounds.through.seeds
    assert "first in the queue: the most" in bounds._repr_html_()
    assert "last in the queue: the least" in bounds._repr_html_()
    with pytest.raises(AnalysisError, match="in other markets"):
        bounds.touch.compare(bounds.through)
    with pytest.raises(AnalysisError, match="no bounds of one plan"):
        hydra_nb.FillBounds(touch=bounds.touch, through=replace(bounds.through, outcomes=bounds.through.outcomes[:2]))


def test_a_market_that_knows_the_queue_has_no_bounds() -> None:
    """Only a recording does not know it; behind an impact it is a recording still."""

    async def scenario(desk: Desk) -> str:
        own = await desk.instrument("ZO")
        plan = await desk.preview(**PATIENT)
        for market in (MARKETS["thin"](), ImpactedMarket(coefficient=1.0), None):
            with pytest.raises(InvalidOrder, match="those of a TapeMarket"):
                await hydra_nb.rehearse_bounds(plan, 2, market=market)
        moved = ImpactedMarket(market=taped(own), coefficient=1.0)
        with ThreadPoolExecutor(1) as thread:
            return repr(await hydra_nb.rehearse_bounds(plan, 2, market=moved, executor=thread))

    assert on_a_desk(scenario).startswith("<FillBounds BUY 3 ZO")


def test_each_path_draws_its_volatility_from_what_the_bars_tell_of_it() -> None:
    """Of n returns (n - 1) s2 over the variance is a chi-square of n - 1 degrees: its mean, its variance, its tail."""
    on = screen()
    source = market_of(on).begin(on).source
    assert isinstance(source, ThinSource)
    assert source.volatility is not None
    degrees, told_ticks = 18, source.parameters.daily_ticks  # of 20 days of bars
    dice = stream(1, "draws")
    squared = [
        degrees * (told_ticks / source.volatility.drawn(source.parameters, dice=dice).daily_ticks) ** 2
        for _ in range(20_000)
    ]

    assert statistics.fmean(squared) == pytest.approx(degrees, abs=4 * math.sqrt(2 * degrees / 20_000))
    assert statistics.variance(squared) == pytest.approx(2 * degrees, rel=0.05)
    assert sum(one > 28.869 for one in squared) / 20_000 == pytest.approx(0.05, abs=0.006)  # the table's 5 %


def test_what_trades_make_of_a_drawn_volatility_stays_and_the_rest_is_the_walk() -> None:
    """Seconds of walk and of trades make the drawn day together; where trades alone make more, nothing walks."""
    on = screen()
    source = market_of(on).begin(on).source
    assert isinstance(source, ThinSource)
    assert source.volatility is not None
    day_s = open_seconds(OATS)
    for seed in range(50):
        drawn = source.volatility.drawn(source.parameters, dice=stream(seed, "draws"))
        made_ticks2 = (drawn.volatility_ticks**2 + source.volatility.traded_ticks2) * day_s
        assert made_ticks2 == pytest.approx(drawn.daily_ticks**2)
    busy = replace(source.volatility, traded_ticks2=1e6)
    assert busy.drawn(source.parameters, dice=stream(1, "draws")).volatility_ticks == 0.0


def test_a_path_begins_as_with_a_known_volatility_and_equal_seeds_draw_equal_ones() -> None:
    """Its dice are its own: the first act comes at the same time; another seed draws another volatility."""
    on = screen()
    estimated = market_of(on)
    unknown, known = world(estimated, on), world(replace(estimated, volatility_returns=None), on)

    flows = [one.flow(one.month, seed=7) for one in (unknown, unknown, known)]

    assert len({flow.wait_ns(busy=True) for flow in flows}) == 1
    volatilities = [flow.parameters.volatility_ticks for flow in flows if isinstance(flow, Flow)]
    assert volatilities[0] == volatilities[1] != volatilities[2]
    other = unknown.flow(unknown.month, seed=8)
    assert isinstance(other, Flow)
    assert other.parameters.volatility_ticks != volatilities[0]


def test_a_volatility_of_few_returns_counts_as_one_of_ten_and_one_of_none_as_known() -> None:
    """Two returns leave room for a market that moves by half its price in a day."""
    on = screen()
    few = replace(on, statistics=replace(on.statistics, returns=2))
    none = replace(on, statistics=replace(on.statistics, returns=0))

    source = market_of(few).begin(few).source

    assert isinstance(source, ThinSource)
    assert source.volatility is not None
    assert source.volatility.returns == 10
    assert "by 2 daily returns, drawn anew for each path" in market_of(few).begin(few).model
    assert market_of(none).volatility_returns is None
    assert "drawn anew" not in market_of(none).begin(none).model
    for wrong in (0, 2.5, math.nan, "19", True):
        with pytest.raises(InvalidOrder, match="volatility_returns"):
            replace(market_of(few), volatility_returns=wrong)


def test_an_impact_of_nothing_is_the_market_itself() -> None:
    """Draw for draw; and one of something is another market."""

    async def scenario(desk: Desk) -> list[str]:
        plan = await desk.preview(**PATIENT)
        with ThreadPoolExecutor(1) as thread:
            return [
                repr((await plan.rehearse(8, market=market, executor=thread)).outcomes)
                for market in (None, ImpactedMarket(), ImpactedMarket(adverse_ticks=40.0))
            ]

    own, nothing, something = on_a_desk(scenario)

    assert own == nothing != something


def test_an_impact_takes_what_the_bars_tell_and_says_what_is_assumed() -> None:
    """In ticks and lots; a figure of one's own goes before."""
    on = screen()
    unknown = replace(on, statistics=replace(on.statistics, adv_lots=None, daily_volatility=None))

    told = ImpactedMarket(coefficient=1.0).begin(on)
    own = ImpactedMarket(coefficient=1.0, daily_volatility=0.01, adv_lots=100).begin(on)
    assumed = ImpactedMarket(coefficient=1.0).begin(unknown)

    assert isinstance(told.source, ImpactedSource)
    assert isinstance(own.source, ImpactedSource)
    assert (told.source.impact.daily_ticks, told.source.impact.daily_lots) == (pytest.approx(0.02 * 1700), 400)
    assert (own.source.impact.daily_ticks, own.source.impact.daily_lots) == (pytest.approx(0.01 * 1700), 100)
    assert "moves prices by 1.70 ticks, which stays" in told.model
    assert "volume for it assumed, 400 lots a day" in assumed.model
    assert told.source.source == market_of(on).begin(on).source


def _followed_ticks(market: Market, *, by_ticks: float, paths: int = 400) -> list[int]:
    """By how many ticks the bid of each path moves when its fair value is moved, with the next act."""
    on = screen(mid_ticks=1602.0)
    made, moved = world(market, on), []
    for seed in range(paths):
        flow, book = made.flow(made.month, seed=seed), Book()
        flow.open(book, now_ns=made.start_ns)
        before = [order.price_ticks for order in book.queue(SimSide.BUY)]
        flow.fair_ticks += by_ticks
        flow.act(book, now_ns=made.start_ns + flow.wait_ns(busy=True), busy=True)
        after = {order.key: order.price_ticks for order in book.queue(SimSide.BUY)}
        moved.append(max(after.values(), default=0) - max(before, default=0))
    return moved


@pytest.mark.parametrize("by_ticks", [-0.5, -0.2, 0.0, 0.3, 0.5, 1.4])
def test_a_move_by_a_part_of_a_tick_is_one_by_so_much_in_the_mean_of_the_paths(by_ticks: float) -> None:
    """A tape follows by whole ticks: each path rounds at a place of its own; what is not moved stays."""
    moved = _followed_ticks(ImpactedMarket(market=tape(), adverse_ticks=0.3), by_ticks=by_ticks)

    assert set(moved) <= {math.floor(by_ticks), math.ceil(by_ticks)}
    part = by_ticks - math.floor(by_ticks)
    assert statistics.fmean(moved) == pytest.approx(by_ticks, abs=3 * math.sqrt(part * (1 - part) / len(moved)))


@pytest.mark.parametrize("market", [ZERO, QueueReactiveMarket(**RATES)], ids=["Santa Fe", "queues"])
def test_books_that_are_moved_by_whole_ticks_round_at_a_place_of_each_path(market: Market) -> None:
    """Half a tick moves half of the paths, up as down; nothing moves none, draw for draw."""
    on = screen(mid_ticks=1602.0)
    plain, impacted = world(market, on), world(ImpactedMarket(market=market, adverse_ticks=0.5), on)
    entered = []
    for by_ticks in (0.0, 0.5, -0.5):
        moves = 0
        for seed in range(60):
            bare, moved = plain.flow(plain.month, seed=seed), impacted.flow(impacted.month, seed=seed)
            books = Book(), Book()
            for flow, book in zip((bare, moved), books, strict=True):
                flow.open(book, now_ns=plain.start_ns)
            moved.fair_ticks += by_ticks
            acts = [
                flow.act(book, now_ns=plain.start_ns + flow.wait_ns(busy=True), busy=True)
                for flow, book in zip((bare, moved), books, strict=True)
            ]
            moves += acts[0] != acts[1]
        entered.append(moves)

    assert entered[0] == 0
    assert all(15 <= moves <= 45 for moves in entered[1:])


def test_the_examples_of_the_page_do_what_they_say() -> None:
    """Of other markets, of a tape, of impact and of the wire, one after the other as in a notebook; with few paths."""
    page = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text(encoding="utf-8")
    page = page.split("## Other markets", 1)[1].split("# Reading a rehearsal", 1)[0]
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)

    async def scenario(desk: Desk) -> dict[str, Any]:
        await desk._rooms.clock.sleep(900)
        with ThreadPoolExecutor(1) as thread:
            names = {"hydra_nb": hydra_nb, "asyncio": asyncio, "desk": desk, "thread": thread}
            names["plan"] = await desk.preview(**PATIENT)
            for block in blocks:
                source = block.replace("n=1000", "n=2, executor=thread")
                code = compile(source, "rehearsal.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                made = eval(code, names)  # noqa: S307  the text of our own page
                if made is not None:
                    await made
        return names

    names = on_a_desk(scenario)

    assert len(blocks) == 4
    assert "moves prices" in names["rehearsal"].rehearsed.model
    assert names["bounds"].touch.rehearsed.model.startswith("recorded quotes of ZO")
    assert names["faulty"].rehearsed.label.endswith("by wire with faults")


def test_a_class_or_a_frame_is_no_market() -> None:
    """Easily forgotten: `.of`, or the parentheses."""

    async def scenario(desk: Desk) -> None:
        plan = await desk.preview(**PATIENT)
        for market in (TapeMarket, quotes(), "touch"):
            with pytest.raises(InvalidOrder, match=r"TapeMarket\.of\(frame, contract\)"):
                await plan.rehearse(3, market=market)
        with pytest.raises(InvalidOrder, match="a tape of ZOH7; an order of"):
            await plan.rehearse(3, market=replace(tape(), local_symbol="ZOH7"))

    on_a_desk(scenario)
