"""A calm market of all products, so that a day of twelve orders takes a second or two; and frames to send there."""

from typing import Any

import pandas as pd

from hydra_nb.domain.units import NS_PER_S
from hydra_nb.sim.book import Book, Entry
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.instruments import read_instruments
from hydra_nb.sim.market import Market
from hydra_nb.sim.records import ExchangeEvent
from tests.whole_stack import SEED, Script, ScriptedFlow, Stack

SYMBOLS = [one.symbol for one in read_instruments()]
BEAT_NS = 25 * NS_PER_S
"""The touch is shown anew so often: well before a quote would be too old."""
SHOWN_LOTS = 9


class CalmFlow(ScriptedFlow):
    """Shows its touch anew now and then, whatever happens."""

    def wait_ns(self, *, busy: bool) -> int:  # noqa: ARG002  at all hours alike
        """Seldom."""
        return BEAT_NS

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  at all hours alike
        """Show the touch again, with a lot more or less."""
        return self._show(book, now_ns)


class CalmExchange(Exchange):
    """Every contract stands where it last settled, two ticks either side; `hour` is when the day begins, Chicago."""

    def __init__(self, *, seed: int = SEED, hour: int = 9) -> None:
        super().__init__(seed=seed)
        self.start_ns += (hour - 9) * 3600 * NS_PER_S
        self._now_ns = self.start_ns

    def _activate(self, con_id: int, events: list[ExchangeEvent]) -> Market:
        if con_id not in self._markets:
            month = self._months[con_id]
            market = self._markets[con_id] = Market(month, seed=self.seed)
            tick = month.listing.min_tick
            market._flow = CalmFlow(
                market._flow.parameters,
                script=_touch(month.settlement_ticks, tick=tick),
                tick=tick,
                start_ns=self.start_ns,
            )
            self._await_session(con_id, self._now_ns, events)
        return super()._activate(con_id, events)


def _touch(settlement_ticks: int, *, tick: Any) -> Script:
    bid, ask = (str((settlement_ticks + ticks) * tick) for ticks in (-2, 2))
    return lambda _seconds: ((bid, SHOWN_LOTS), (ask, SHOWN_LOTS))


def twelve(**columns: Any) -> pd.DataFrame:
    """A row a product: two lots each, bought and sold in turn, unless columns say otherwise."""
    return pd.DataFrame({"instrument": SYMBOLS, "side": ["BUY", "SELL"] * 6, "lots": 2, **columns})


def targets(*positions: int | None, instrument: str = "ZO", **columns: Any) -> pd.DataFrame:
    """A target a row, of one instrument."""
    return pd.DataFrame({"instrument": instrument, "target": list(positions), **columns})


async def bought(stack: Stack, lots: int, instrument: str = "ZO", **how: Any) -> None:
    """Have a position, by an order of its own that is over."""
    side = "BUY" if lots > 0 else "SELL"
    execution = await stack.desk.execute(
        side, abs(lots), instrument, strategy="limit_patience", **{"patience": 20, "tag": "a position to begin", **how}
    )
    assert execution.filled_lots == abs(lots), execution.reason
