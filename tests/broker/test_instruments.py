"""Contracts and statistics, asked of the simulated gateway."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from ib_async import Contract

from hydra_nb.domain.events import BrokerErrorReported
from hydra_nb.errors import InvalidOrder, UnknownInstrument
from hydra_nb.sim import answers
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import Listing
from hydra_nb.sim.requests import ContractQuery
from tests.broker.room import SEED, Room, in_virtual_time


def test_all_months_of_a_symbol_come_nearest_first() -> None:
    """With tick, value and sessions of the broker."""

    async def scenario(room: Room) -> None:
        months = await room.broker.contracts("zo")

        dates = [month.last_trade_date for month in months]
        assert dates == sorted(dates)
        assert {(month.tick, month.point_value) for month in months} == {(Decimal("0.25"), Decimal(50))}
        assert all(month.is_open(room.clock.now_ns()) for month in months)

    in_virtual_time(scenario)


def test_one_month_is_found_by_every_name_it_has() -> None:
    """Local symbol, contract id, ib_async contract, and itself."""

    async def scenario(room: Room) -> None:
        first = (await room.broker.contracts("ZO"))[0]

        found = [
            await room.broker.contract(key)
            for key in (
                first.local_symbol.lower(),
                first.con_id,
                Contract(conId=first.con_id),
                Contract(secType="FUT", symbol="ZO", lastTradeDateOrContractMonth=first.contract_month),
                first,
            )
        ]

        assert found == [first] * 5

    in_virtual_time(scenario)


def test_a_local_symbol_that_the_exchange_writes_otherwise_is_found() -> None:
    """``ZOH27`` is not what this broker lists, yet plain."""

    async def scenario(room: Room) -> None:
        first = (await room.broker.contracts("ZO"))[0]
        year = first.contract_month[2:4]

        found = await room.broker.contract(f"{first.local_symbol[:3]}{year}")

        assert found == first

    in_virtual_time(scenario)


def test_the_tick_is_that_of_the_market_rule() -> None:
    """The least increment of the details may be finer than what is allowed; both are told in the currency."""

    async def scenario(room: Room) -> None:
        room.core.exchange.market_rule = lambda _rule: ((Decimal(0), Decimal("0.0050")),)  # type: ignore[method-assign]

        months = await room.broker.contracts("ZO")

        assert {str(month.tick) for month in months} == {"0.5"}

    in_virtual_time(scenario)


def test_the_increment_of_a_rule_that_is_told_in_the_quoted_unit_is_taken_as_it_is() -> None:
    """No rule is a hundred times as wide as the tick."""

    async def scenario(room: Room) -> None:
        room.core.exchange.market_rule = lambda _rule: ((Decimal(0), Decimal("0.25")),)  # type: ignore[method-assign]

        months = await room.broker.contracts("ZO")

        assert {str(month.tick) for month in months} == {"0.25"}

    in_virtual_time(scenario)


def test_ticks_are_in_the_unit_of_the_prices() -> None:
    """As the table of the simulated exchange has them, of contracts in cents and in dollars; and quotes are on them."""

    async def scenario(room: Room) -> None:
        for listing in {one.symbol: one for one in room.core.exchange.listings}.values():
            contract = await room.broker.contract(listing.con_id)

            assert contract.tick == listing.min_tick, listing.symbol
            assert "E" not in str(contract.tick)
            top = room.core.exchange.daily_bars(listing.con_id, 1, room.core.exchange.start_ns)[-1]
            assert contract.is_on_tick(top.close)

    in_virtual_time(scenario)


@pytest.mark.parametrize("order", [1, -1])
def test_a_month_that_is_told_for_several_venues_is_one_on_its_exchange(
    order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of its exchange and the venue of algorithms comes first: it has one name, and orders go there."""
    told = answers.matching

    def twice(listings: Iterable[Listing], *, query: ContractQuery) -> list[Listing]:
        found = told(listings, query=query)
        return [one for month in found for one in (month, replace(month, exchange="QBALGO"))[::order]]

    monkeypatch.setattr(answers, "matching", twice)

    async def scenario(room: Room) -> None:
        months = await room.broker.contracts("ZO")

        assert {month.exchange for month in months} == {"CBOT"}
        assert len({month.con_id for month in months}) == len(months)
        assert await room.broker.contract(months[0].local_symbol) == months[0]
        assert await room.broker.contract(months[0].con_id) == months[0]

    in_virtual_time(scenario)


@pytest.mark.parametrize("name", ["ZOO", "ZOF7", "99"])
def test_an_unknown_name_raises(name: str) -> None:
    """With a remedy; whoever asked learns of it, nobody else."""

    async def scenario(room: Room) -> None:
        with pytest.raises(UnknownInstrument, match="lists no future"):
            await room.broker.contract(name)

        assert 200 not in {report.code for report in room.heard(BrokerErrorReported)}

    in_virtual_time(scenario)


def test_what_the_broker_refused_is_not_suggested_afterwards() -> None:
    """What it was seen to list comes first; a month of a symbol that it lists names the way to all its months."""
    exchange = Exchange(seed=SEED)
    exchange.listings = tuple(one for one in exchange.listings if one.symbol != "CB")
    words: list[str] = []

    async def scenario(room: Room) -> None:
        for ask, name in (
            (room.broker.contracts, "ZS"),
            (room.broker.contracts, "CB"),
            (room.broker.contracts, "CBB"),
            (room.broker.contract, "ZOZ5"),
            (room.broker.contracts, "ZS"),
        ):
            with pytest.raises(UnknownInstrument) as caught:
                await ask(name)
            words.append(str(caught.value))

    in_virtual_time(scenario, exchange=exchange)

    guessed, _refused, without, month, seen = words
    assert guessed.endswith("this package knows you may mean ZR or ZO")
    assert without.startswith("the broker lists no future 'CBB'; use the broker's own symbol; ")
    assert without.endswith(", CSC")
    assert "read as December 2035: no such month of ZO is listed" in month
    assert seen.endswith("did you mean ZO?")


def test_a_contract_that_names_several_months_raises() -> None:
    """Nobody guesses which was meant."""

    async def scenario(room: Room) -> None:
        with pytest.raises(UnknownInstrument, match="ZOH7"):
            await room.broker.contract(Contract(secType="FUT", symbol="ZO"))

    in_virtual_time(scenario)


def test_a_key_of_another_kind_raises() -> None:
    """True is an int to Python, not a contract id."""

    async def scenario(room: Room) -> None:
        for key in (True, 1.5, None):
            with pytest.raises(InvalidOrder):
                await room.broker.contract(key)

    in_virtual_time(scenario)


def test_statistics_come_from_bars_and_are_asked_for_once_a_day() -> None:
    """And anew on the next exchange day."""

    async def scenario(room: Room) -> None:
        contract = await room.broker.contract("ZOH7")

        told = [await room.broker.statistics(contract) for _ in range(2)]
        asked_today = len(room.core.frames(20))
        await asyncio.sleep(24 * 3600)
        await room.broker.statistics(contract)

        assert told[0] == told[1]
        assert told[0].adv_lots is not None
        assert told[0].adv_lots > 0
        assert told[0].daily_volatility is not None
        assert (told[0].days, told[0].source) == (20, "simulated bars")
        assert (asked_today, len(room.core.frames(20))) == (1, 2)

    in_virtual_time(scenario)


def test_many_questions_at_once_keep_the_pace() -> None:
    """Room for orders and cancels is left in every second, and all are answered."""

    async def scenario(room: Room) -> None:
        contracts = [
            month for symbol in ("ZO", "ZR", "KE", "GF", "HE") for month in await room.broker.contracts(symbol)
        ]
        worst = 0

        async def look() -> None:
            nonlocal worst
            while True:
                worst = max(worst, room.broker.messages_last_second())
                await asyncio.sleep(0.01)

        looking = asyncio.create_task(look())
        for contract in contracts:
            room.broker.watch(contract)
        await asyncio.gather(*(room.broker.contract(contract.con_id) for contract in contracts))
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

        assert len(contracts) > 20
        assert worst == 25

    in_virtual_time(scenario)
