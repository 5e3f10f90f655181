"""Open interest of the simulated market: its own, the same for a seed, and told to who asks for it."""

import datetime as dt

import ib_async
import pytest

from hydra_nb.sim.bars import open_interest
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.instruments import list_months
from hydra_nb.sim.records import Listing
from hydra_nb.sim.session import GatewayCore
from tests.sim.test_session import WireClient

TODAY = dt.date(2027, 3, 2)
OATS = [month for month in list_months(7, today=TODAY) if month.listing.symbol == "ZO"]
SIZE, OPEN_INTEREST = "2", "86"


def test_it_is_some_days_of_volume_and_goes_to_zero_before_the_last_trade() -> None:
    """What is not closed by then would be delivered."""
    month = OATS[1]
    last = month.listing.last_trade_date

    lots = [open_interest(month, seed=7, day=last - dt.timedelta(days=left)) for left in (60, 30, 15, 1, 0, -1)]

    assert 4 * 420 * 0.9 < lots[0] < 9 * 420 * 1.1
    assert lots[2] == pytest.approx(lots[1] / 2, rel=0.2)
    assert sorted(lots, reverse=True)[2:] == lots[2:]
    assert lots[-2:] == [0, 0]


def test_one_seed_gives_one_open_interest_whoever_asks() -> None:
    """And nobody's question changes the market."""
    one, other = Exchange(seed=7), Exchange(seed=7)
    con_ids = [listing.con_id for listing in one.listings if listing.symbol == "ZO"]
    one.watch(con_ids[0], one.start_ns)

    assert [one.open_interest(con_id, one.start_ns) for con_id in con_ids] == [
        other.open_interest(con_id, other.start_ns) for con_id in con_ids
    ]
    assert one.open_interest(1, one.start_ns) is None


def told(client: WireClient, listing: Listing, generic: str) -> list[list[str]]:
    """Ticks of open interest that come of a subscription: request id, type and lots."""
    named = ib_async.Future(conId=listing.con_id, exchange=listing.exchange)
    client.reqMktData(7, named, generic, False, False, [])
    return [fields[2:] for fields in client.take(SIZE) if fields[3] == OPEN_INTEREST]


@pytest.mark.parametrize(
    ("generic", "is_told"), [("", False), ("588", True), ("100, 588,", True), ("100", False), ("5880", False)]
)
def test_it_is_told_once_to_who_asks_for_it(generic: str, is_told: bool) -> None:
    """Among other generic ticks, which this gateway does not serve; and to nobody else."""
    core = GatewayCore(Exchange(seed=7))
    client, listing = WireClient(core, client_id=1), core.exchange.listings[0]

    ticks = told(client, listing, generic)

    lots = core.exchange.open_interest(listing.con_id, client.now_ns)
    assert ticks == ([["7", OPEN_INTEREST, str(lots)]] if is_told else [])
