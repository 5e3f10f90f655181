"""The part of a desk that tells of all months of a symbol, and which of them the bare symbol means."""

import asyncio
import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.month_columns import CHAIN
from hydra_nb.desk import months
from hydra_nb.desk.markets import Markets
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Glance
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import BrokerError, InvalidOrder
from hydra_nb.risk.close_out import exchange_date

GLANCE_S = 5.0
"""Market seconds for which a month is looked at, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the broker told of one month; None where it did not answer."""

    adv_lots: float | None
    has_answered: bool
    glance: Glance


class Chaining(Markets):
    """All months of a symbol, side by side."""

    async def chain(self, symbol: str | FutureContract) -> pd.DataFrame:
        """One row a listed month of a symbol, nearest first; the bare symbol means the one chosen here from now on.

        Each month is looked at for 5 s at most, on a market data line of its own that is then given back; what is
        watched stays watched. Where the broker does not answer for a month, its figures are NaN.

        Parameters
        ----------
        symbol
            The broker's symbol, such as ``"ZO"``, or a month of it as a `FutureContract`.

        Raises
        ------
        UnknownInstrument
            The broker lists no such symbol.
        """
        self._must_be_open()
        name = symbol.symbol if isinstance(symbol, FutureContract) else _symbol(symbol)
        listed = await self._rooms.broker.contracts(name)
        self._listed.update({month.local_symbol: month for month in listed})
        told = dict(zip([month.con_id for month in listed], await self._ask_all(listed), strict=True))
        surveyed = tuple(
            replace(month, adv_lots=told[month.contract.con_id].adv_lots) for month in self._survey(listed)
        )
        choice = months.choose(name, surveyed, adv_lots={con_id: one.adv_lots for con_id, one in told.items()})
        if choice is not None:
            choice = self._meant_from_now(name, choice, told)
        return make_frame(CHAIN, [self._row(month, told[month.contract.con_id], choice) for month in surveyed])

    async def _ask_all(self, listed: tuple[FutureContract, ...]) -> list[_Told]:
        """Look at all months while their bars are asked for, one after the other; leaves no line behind."""
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._rooms.broker.glance(month, wait_s=GLANCE_S)) for month in listed]
            volumes = [await self._volume(month) for month in listed]
        return [
            _Told(adv_lots=lots, has_answered=answered, glance=look.result())
            for (lots, answered), look in zip(volumes, looks, strict=True)
        ]

    async def _volume(self, month: FutureContract) -> tuple[float | None, bool]:
        """Average daily volume, and whether the broker answered at all."""
        try:
            return (await self.statistics(month)).adv_lots, True
        except BrokerError:
            return None, False

    def _meant_from_now(self, name: str, choice: months.Choice, told: dict[int, _Told]) -> months.Choice:
        """Let the bare symbol mean what was chosen, unless a candidate's volume is missing and a month is meant yet."""
        compared = (choice.chosen, *choice.others)
        if name in self._choices and not all(told[month.contract.con_id].has_answered for month in compared):
            return self._choices[name]
        self._choices[name] = choice
        self._contracts[name] = choice.chosen.contract
        return choice

    def _row(self, month: months.Month, told: _Told, choice: months.Choice | None) -> dict[str, Any]:
        contract, notice, quote = month.contract, month.first_notice, told.glance.quote
        today = exchange_date(self.now_ns(), zone=contract.time_zone)
        bid, ask = (None, None) if quote is None else (quote.bid, quote.ask)
        mid = None if quote is None else quote.mid
        return {
            "local_symbol": contract.local_symbol,
            "contract_month": contract.contract_month,
            "last_trade": _midnight_ns(contract.last_trade_date),
            "first_notice": None if notice is None else _midnight_ns(notice),
            "days_to_last_trade": (contract.last_trade_date - today).days,
            "days_to_notice": None if notice is None else (notice - today).days,
            "in_close_out": month.window.is_inside,
            "adv_lots": month.adv_lots,
            "volume_today": None if quote is None else quote.volume,
            "open_interest": told.glance.open_interest,
            "bid": bid,
            "ask": ask,
            "spread_ticks": None if bid is None or ask is None else (ask - bid) / contract.tick,
            "mid": mid,
            "data": None if quote is None else quote.feed,
            "position": self.position_lots(contract),
            "chosen": choice is not None and contract.con_id == choice.chosen.contract.con_id,
            "why": month.obstacle if choice is None else choice.why_of(month),
        }


def _symbol(text: object) -> str:
    name = text.strip().upper() if isinstance(text, str) else ""
    if not name:
        raise InvalidOrder(f"{text!r} names no future; give the broker's symbol, such as 'ZO'")
    return name


def _midnight_ns(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()) * NS_PER_S
