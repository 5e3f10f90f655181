"""Events and journals that the tests of this room share."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from hydra_nb.domain.events import ChildReserved
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action, ChildOrder, Stage
from hydra_nb.domain.units import Side
from hydra_nb.journal import Journal

ACCOUNT = "SIM4AB7QF"
START_NS = 1_789_000_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "journals" / "sim.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A new journal on disk, written in the calling thread."""
    opened = Journal.open(path, account=ACCOUNT, now_ns=START_NS, inline=True)
    yield opened
    opened._connection.execute("PRAGMA max_page_count = 1000000") if not opened._closed else None
    opened.close()


@pytest.fixture
def oats() -> FutureContract:
    """Oats, quoted in cents."""
    return FutureContract(
        con_id=4711,
        symbol="ZO",
        local_symbol="ZOH7",
        name="Oats",
        exchange="CBOT",
        currency="USD",
        tick=Decimal("0.25"),
        multiplier=Decimal(5000),
        price_magnifier=100,
        contract_month="202703",
        last_trade_date=dt.date(2027, 3, 12),
        time_zone="America/Chicago",
    )


@pytest.fixture
def reserved(oats: FutureContract) -> ChildReserved:
    """A first child order, approved."""
    child = ChildOrder(
        order_ref="hy:abcd1234:P-0001:1:1",
        order_id=7,
        parent_id="P-0001",
        slice=1,
        account=ACCOUNT,
        contract=oats,
        side=Side.BUY,
        lots=3,
        limit_price=Decimal("380.25"),
        expires_ns=START_NS + 60_000_000_000,
        stage=Stage.MID,
    )
    return ChildReserved(
        time_ns=START_NS,
        action=Action.PLACE,
        child=child,
        client_id=1,
        content_hash=child.content_hash,
        quote=None,
        predicted_slippage=None,
        predictor_version=None,
    )
