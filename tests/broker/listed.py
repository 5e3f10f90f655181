"""A listed month that no broker was asked for."""

import datetime as dt
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract


def oats() -> FutureContract:
    """Oats of March 2027, in cents, a quarter of a cent a tick."""
    return FutureContract(
        con_id=1,
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
