"""What a day cost and where it left the account: costs against prediction, positions, equity, and all in one row."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.daily import columns
from hydra_nb.analysis.daily.day import TradingDay
from hydra_nb.analysis.history import History
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report.words import is_unknown
from hydra_nb.analysis.slippage import SlippageReconciler
from hydra_nb.analysis.tca import tca
from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import NO_FACTS, ContractFacts
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.journal import JournalReading

QUOTES_BEFORE = pd.Timedelta(minutes=10)
"""How long before the first order the quotes begin: as long as a quote counts."""

_NEEDING = (ParentStatus.NEEDS_HUMAN, ParentStatus.INTERRUPTED)
_WELL = [one for one in ev.CycleStatus if one.is_well or one is ev.CycleStatus.RUNNING]


# Costs


def costs(history: History, orders: pd.DataFrame, fills: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Transaction cost analysis of the day's orders, whole up to its end, and of its fills, and their predictions.

    Parameters
    ----------
    history
        Of the journal as it stood at the day's end.
    orders, fills
        Of the day.
    """
    months = orders["local_symbol"].unique()
    begun = orders["submitted"].min()
    quotes = frames.quotes(
        history,
        symbol=months[0] if len(months) == 1 else None,
        since=None if pd.isna(begun) else begun - QUOTES_BEFORE,
    )
    given: dict[str, Any] = {
        "quotes": quotes[quotes["local_symbol"].isin(months)],
        "executions": frames.executions(history).pipe(lambda one: one[one["parent_id"].isin(orders["parent_id"])]),
        "instruments": frames.instruments(history),
    }
    whole = frames.fills(history).pipe(lambda one: one[one["parent_id"].isin(orders["parent_id"])])
    return {
        "costs": tca(whole.reset_index(drop=True), level="parent", **given),
        # Grouped by a column that only fills have: groups of orders would hold their fills of other days.
        "by_contract": tca(fills.assign(contract=fills["local_symbol"]), by="contract", **given),
        "predictions": SlippageReconciler(fills).summary(),
    }


def currencies(fills: pd.DataFrame) -> pd.DataFrame:
    """One row a currency of the day's fills; amounts of different currencies are nowhere added up."""
    rows = []
    for currency, some in fills.groupby("currency", sort=True):
        both = some[["slippage_cash", "predicted_slippage_cash"]].notna().all(axis=1)
        rows.append(
            {
                "currency": currency,
                "fills": len(some),
                "filled_lots": int(some["lots"].sum()),
                "slippage_cash": _sum(some["slippage_cash"]),
                "predicted_cash": _sum(some.loc[both, "predicted_slippage_cash"]),
                "compared_cash": _sum(some.loc[both, "slippage_cash"]),
                "predicted_fills": int(both.sum()),
                "commission": _sum(some["commission"]),
                "without_fees": int(some["commission"].isna().sum()),
            }
        )
    return make_frame(columns.CURRENCIES, rows)


def _sum(cash: pd.Series) -> float:
    """The sum of what is known; NaN where nothing is."""
    return float(cash.sum(min_count=1))


# Positions and equity


def positions(history: History, day: TradingDay, *, facts: Mapping[str, ContractFacts]) -> pd.DataFrame:
    """One row a contract held, or worked, at the day's end, at its last mid of the day, and the days that it has left.

    Parameters
    ----------
    history
        Of the journal as it stood at the day's end.
    day
        Which day.
    facts
        What a person told of contracts, by local symbol.
    """
    held = frames.positions(history, quotes=_last_quotes(history.reader, day))
    contracts = {contract.local_symbol: contract for contract in history.contracts.values()}
    rows = []
    for row in map(_known, records(held)):
        contract, fact = contracts.get(row["local_symbol"]), facts.get(row["local_symbol"], NO_FACTS)
        last_trade = None if contract is None else contract.last_trade_date
        row |= {"last_trade": last_trade, "days_to_last_trade": _days(last_trade, day)}
        row |= {"first_notice": fact.first_notice, "days_to_notice": _days(fact.first_notice, day)}
        rows.append(row)
    return make_frame(columns.POSITIONS, rows)


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a frame with None where it knows nothing."""
    return {name: None if is_unknown(value) else value for name, value in row.items()}


def _days(date: dt.date | None, day: TradingDay) -> int | None:
    return None if date is None else (date - day.date).days


def _last_quotes(reading: JournalReading, day: TradingDay) -> dict[int, Quote]:
    """The last quote of each contract in the day."""
    names = ("time_ns", "con_id", "bid", "bid_size", "ask", "ask_size")
    last: dict[int, tuple[Any, ...]] = {}
    for chunk in reading.bulk.quotes_chunks(*names, since_ns=day.since_ns, until_ns=day.until_ns - 1):
        last |= {row[2]: row for row in chunk}
    return {
        con_id: Quote(
            con_id=con_id, time_ns=time_ns, bid=_decimal(bid), bid_size=bid_size, ask=_decimal(ask), ask_size=ask_size
        )
        for con_id, (_, time_ns, _, bid, bid_size, ask, ask_size) in last.items()
    }


def _decimal(price: float | None) -> Decimal | None:
    return None if price is None else Decimal(str(price))


def account(reading: JournalReading, day: TradingDay) -> pd.DataFrame:
    """One row: equity at the day's begin and end, as far as the journal tells it."""
    told = [event for _, event in reading.events(kinds=(ev.AccountReported,)) if isinstance(event, ev.AccountReported)]
    known = [event for event in told if event.equity is not None]
    before = [event for event in known if event.time_ns < day.since_ns]
    within = [event for event in known if day.holds(event.time_ns)]
    row: dict[str, Any] = dict.fromkeys(one.name for one in columns.ACCOUNT)
    if not (before or within):
        return make_frame(columns.ACCOUNT, [row])
    begin, end = (before[-1:] or within)[0], (within or before)[-1]
    row |= {
        "currency": end.currency,
        "equity_begin": begin.equity,
        "begin": begin.time_ns,
        "equity_end": end.equity,
        "end": end.time_ns,
        "realised_pnl": end.realised_pnl,
        "unrealised_pnl": end.unrealised_pnl,
    }
    if within:
        are_two = begin is not end and begin.currency == end.currency
        if are_two and begin.equity is not None and end.equity is not None:
            row["pnl"] = end.equity - begin.equity
            row["pnl_percent"] = 100 * float(row["pnl"] / begin.equity) if begin.equity > 0 else None
        equities = [event.equity for event in within if event.equity is not None]
        row |= {"lowest": min(equities), "highest": max(equities)}
    return make_frame(columns.ACCOUNT, [row])


# All in one row


def summary(found: Mapping[str, pd.DataFrame], day: TradingDay, *, messages: int) -> pd.DataFrame:
    """One row: how many of what, and what it cost."""
    orders, fills, spent = found["orders"], found["fills"], found["currencies"]
    breaks, equity = found["breaks"], _known(records(found["account"])[0])
    status = orders["status"]
    needing = status.isin(_NEEDING)
    single = records(spent)[0] if len(spent) == 1 else {}
    begun = pd.Timestamp(day.since_ns, tz="UTC")
    row = {
        "date": day.date,
        "orders": len(orders),
        "filled": int((status == ParentStatus.FILLED).sum()),
        "short": int((status == ParentStatus.PARTIAL).sum()),
        "cancelled": int((status == ParentStatus.CANCELLED).sum()),
        "refused": int((status == ParentStatus.REFUSED).sum()),
        "needs_human": int(needing.sum()),
        "at_work": int((orders["goes_on"] & ~needing).sum()),
        "fills": len(fills),
        "filled_lots": int(fills["lots"].sum()),
        "shortfall_lots": int(orders.loc[orders["finished"] >= begun, "shortfall_lots"].sum()),
        "slippage_cash": single.get("slippage_cash"),
        "predicted_cash": single.get("predicted_cash"),
        "compared_cash": single.get("compared_cash"),
        "predicted_fills": int(spent["predicted_fills"].sum()),
        "commission": single.get("commission"),
        "currency": single.get("currency"),
        "messages": messages,
        "gate_refusals": int(found["refusals"].loc[found["refusals"]["action"] != "parent", "times"].sum()),
        "breaks": int((breaks["found"] >= begun).sum()),
        "breaks_open": int(breaks["over"].isna().sum()),
        "alerts": int((found["alerts"]["time"] >= begun).sum()),
        "trips": int((found["halts"]["what"] == "tripped").sum()),
        "kills": int((found["halts"]["what"] == "killed").sum()),
        "limit_changes": len(found["limits"]),
        "connection_losses": int((found["connection"]["lost"] >= begun).sum()),
        "down_s": float(found["connection"]["down_s"].sum()),
        "late_slices": len(found["late"]),
        "cycles": len(found["cycles"]),
        "cycles_not_well": int((~found["cycles"]["status"].isin(_WELL)).sum()),
        "pnl": equity["pnl"],
        "pnl_since": None if equity["pnl"] is None else equity["begin"].as_unit("ns").value,
        "pnl_currency": equity["currency"],
    }
    return make_frame(columns.SUMMARY, [row])
