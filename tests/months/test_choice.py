"""Which month a bare symbol means: liquid, never one that the gate would refuse, and with its reasons in words."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.desk import months
from hydra_nb.domain.instrument import ContractFacts, FutureContract
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import UnknownInstrument
from hydra_nb.risk.checks_contract import close_out, contract_month
from hydra_nb.risk.limits import Limits
from tests.risk.making import OATS, make_case, make_snapshot
from tests.whole_stack import Stack, on_a_desk

DAY_NS = 86_400 * NS_PER_S
NOON_NS = int(dt.datetime(2026, 3, 3, 18, tzinfo=dt.UTC).timestamp()) * NS_PER_S
TODAY = dt.date(2026, 3, 3)


def listed(*days: int) -> tuple[FutureContract, ...]:
    """Months of oats by the days until their last trades, named ZO0, ZO1 and so on."""
    return tuple(
        dataclasses.replace(
            OATS, con_id=100 + number, local_symbol=f"ZO{number}", last_trade_date=TODAY + dt.timedelta(days=left)
        )
        for number, left in enumerate(days)
    )


def chosen_of(
    contracts: Sequence[FutureContract],
    volumes: Mapping[str, float | None],
    *,
    facts: Mapping[str, ContractFacts] | None = None,
    limits: Limits | None = None,
    now_ns: int = NOON_NS,
) -> months.Choice | None:
    """What the symbol means."""
    surveyed = months.survey(contracts, facts=facts or {}, limits=limits or Limits(), now_ns=now_ns)
    by_id = {one.con_id: volumes.get(one.local_symbol) for one in contracts}
    return months.choose("ZO", surveyed, adv_lots=by_id)


def gate_lets_in(contract: FutureContract, *, notice: dt.date | None, limits: Limits, now_ns: int) -> bool:
    """Whether both checks of the contract let somebody enter it who holds nothing."""
    own = limits.for_symbol(contract.symbol)
    snapshot = make_snapshot(now_ns=now_ns, notice_date=notice, position_lots=0)
    case = dataclasses.replace(make_case(snapshot=snapshot, limits=own), contract=contract)
    return close_out(case).allowed and contract_month(case).allowed


@given(
    days=st.lists(st.integers(-40, 900), min_size=1, max_size=6),
    notices=st.lists(st.none() | st.integers(-60, 920), min_size=6, max_size=6),
    volumes=st.lists(st.none() | st.floats(0, 1e5), min_size=6, max_size=6),
    windows=st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, 30), st.integers(0, 60)),
    hours=st.integers(0, 24 * 40),
)
def test_a_bare_symbol_never_means_a_month_that_the_gate_would_refuse(days, notices, volumes, windows, hours) -> None:
    """Whatever is listed, told and limited; and where none is meant, the gate would let nobody into any."""
    contracts, now_ns = listed(*days), NOON_NS + hours * 3_600 * NS_PER_S
    facts = {
        one.local_symbol: ContractFacts(first_notice=TODAY + dt.timedelta(days=notice))
        for one, notice in zip(contracts, notices, strict=False)
        if notice is not None
    }
    for_all, before_notice, ahead, of_oats = windows
    limits = Limits(
        close_out_days=for_all,
        notice_days=before_notice,
        max_months_ahead=ahead,
        symbols={"ZO": {"close_out_days": of_oats}},
    )

    choice = chosen_of(
        contracts,
        dict(zip([one.local_symbol for one in contracts], volumes, strict=False)),
        facts=facts,
        limits=limits,
        now_ns=now_ns,
    )

    def told(one: FutureContract) -> dt.date | None:
        return facts[one.local_symbol].first_notice if one.local_symbol in facts else None

    open_yet = [one for one in contracts if gate_lets_in(one, notice=told(one), limits=limits, now_ns=now_ns)]
    if choice is None:
        assert open_yet == []
    else:
        assert choice.chosen.contract in open_yet


def test_the_largest_volume_among_the_next_three_is_meant() -> None:
    """Not the nearest, and not one far out, however much it is said to trade."""
    contracts = listed(10, 60, 120, 180, 240)

    choice = chosen_of(contracts, {"ZO0": 900, "ZO1": 120, "ZO2": 412, "ZO3": 60, "ZO4": 5_000})

    assert choice is not None
    assert choice.chosen.name == "ZO2"
    assert [month.name for month in choice.others] == ["ZO1", "ZO3"]
    assert [month.name for month in choice.passed_over] == ["ZO0"]


@pytest.mark.parametrize("volumes", [{}, {"ZO1": 0.0, "ZO2": 0.0}, {"ZO1": 50.0, "ZO2": 50.0}])
def test_the_nearest_of_equals_is_meant(volumes: dict[str, float]) -> None:
    """As where nothing is known of any."""
    choice = chosen_of(listed(10, 60, 120), volumes)

    assert choice is not None
    assert choice.chosen.name == "ZO1"


def test_a_first_notice_day_that_was_told_counts_instead_of_the_last_trade() -> None:
    """On both sides: a near notice closes a month that trades for long, a far one opens a month that does not."""
    contracts = listed(19, 60)
    near = {"ZO1": ContractFacts(first_notice=TODAY + dt.timedelta(days=3))}
    far = {"ZO0": ContractFacts(first_notice=TODAY + dt.timedelta(days=4))}

    closed = chosen_of(contracts, {"ZO0": 1, "ZO1": 9}, facts=near)
    opened = chosen_of(contracts, {"ZO0": 9, "ZO1": 1}, facts=far)

    assert closed is None
    assert opened is not None
    assert opened.chosen.name == "ZO0"


def test_the_reason_is_a_sentence_with_volumes_and_days() -> None:
    """Against the other candidates, with the days to last trade and first notice, and what was passed over."""
    contracts = listed(10, 62, 120)
    facts = {"ZO1": ContractFacts(first_notice=TODAY + dt.timedelta(days=47))}

    choice = chosen_of(contracts, {"ZO1": 411.6, "ZO2": 120}, facts=facts)

    assert choice is not None
    assert choice.why(choice.chosen) == (
        "ZO means ZO1: 412 lots a day against 120 in ZO2; 62 days to its last trade, 47 to first notice."
        " ZO0 is passed over: 10 days before its last trade, more than 20 wanted."
    )


@pytest.mark.parametrize(
    ("days", "volumes", "words"),
    [
        ((60,), {"ZO0": 5}, "ZO means ZO0: 5 lots a day, the only month that may be entered; 60 days"),
        ((60, 90), {}, "ZO means ZO0: the nearest that may be entered, as the broker tells no volume; 60 days"),
        ((60, 90), {"ZO0": 7}, "7 lots a day against ? in ZO1"),
        ((21,), {}, "21 days to its last trade."),
    ],
)
def test_the_reason_says_what_is_not_known(days: tuple[int, ...], volumes: dict[str, float], words: str) -> None:
    """And nothing that is not so."""
    choice = chosen_of(listed(*days), volumes)

    assert choice is not None
    assert words in choice.why(choice.chosen)


def test_a_plan_says_why_its_month_was_chosen() -> None:
    """Among its notices, in one line, where a bare symbol was named; who names a month knows why."""

    async def scenario(stack: Stack) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        bare = await stack.desk.preview("BUY", 1, "zo ")
        named = await stack.desk.preview("BUY", 1, bare.parent.contract.local_symbol)
        return bare.notices, named.notices, stack.desk.why("ZO")

    bare, named, why = on_a_desk(scenario)

    assert bare[-1] == "ZO means ZOK7: 439 lots a day; 73 days to its last trade."
    assert why.startswith("ZO means ZOK7: 439 lots a day against 238 in ZON7 and 100 in ZOU7; 73 days to its last")
    assert why.endswith("ZOH7 is passed over: 10 days before its last trade, more than 20 wanted.")
    assert bare[-1] not in named


def test_nothing_is_said_of_a_symbol_that_nobody_asked_for() -> None:
    """It would be guessed."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(UnknownInstrument, match=r"await desk.instrument\('ZO'\) first"):
            stack.desk.why("ZO")

    on_a_desk(scenario)


def test_a_month_is_not_asked_why_it_is_meant() -> None:
    """It names itself, looked up or not; the words lead to the symbol, and lead there when they are followed."""

    async def scenario(stack: Stack) -> tuple[list[str], str]:
        desk = stack.desk
        told = []
        for look_up in ("GFK7", "ZOK7", "ZO"):
            with pytest.raises(UnknownInstrument) as caught:
                desk.why("ZOK7")
            told.append(str(caught.value))
            await desk.instrument(look_up)
        with pytest.raises(UnknownInstrument) as caught:
            desk.why("ZOK7")
        return [*told, str(caught.value)], desk.why("ZO")

    told, why = on_a_desk(scenario)

    words = "'ZOK7' names one month; desk.why('ZO') tells of the symbol"
    assert told == [f"{words}, after await desk.instrument('ZO')"] * 3 + [words]
    assert why.startswith("ZO means ZOK7")


def test_a_symbol_follows_the_limits_and_the_calendar_of_an_open_desk() -> None:
    """A month that has come into its window meanwhile is not meant any more; a month that was named is."""

    async def scenario(stack: Stack) -> tuple[str, str, str, str]:
        desk = stack.desk
        first = await desk.instrument("ZO")
        again = await desk.instrument("ZO")
        await desk.set_limits({"ZO.close_out_days": 80})
        later = await desk.instrument("ZO")
        named = await desk.instrument(first.local_symbol)
        return first.local_symbol, again.local_symbol, later.local_symbol, named.local_symbol

    assert on_a_desk(scenario) == ("ZOK7", "ZOK7", "ZON7", "ZOK7")


def test_where_no_month_may_be_entered_each_is_named_with_its_reason() -> None:
    """So that a person sees which limit it is."""

    async def scenario(stack: Stack) -> str:
        with pytest.raises(UnknownInstrument) as refusal:
            await stack.desk.instrument("ZO")
        return str(refusal.value)

    words = on_a_desk(scenario, limits=Limits(close_out_days=365, max_months_ahead=11))

    assert "ZOH7: 10 days before its last trade, more than 365 wanted" in words
    assert "ZOH8: it trades last 12 months ahead, 11 allowed" in words
    assert words.endswith("name a month")
