"""Random messages of the gateway, each with the calls that a client's decoder is to make of it.

A call is its name and its arguments. An argument that is an object is given by the attributes that must hold; whatever
else it carries is the decoder's own affair.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hydra_nb.sim import order_replies, replies
from hydra_nb.sim.records import (
    Commission,
    Execution,
    Listing,
    OrderTerms,
    Position,
    SimSide,
    Top,
    Traded,
)
from hydra_nb.sim.ticks import TickStream
from hydra_nb.sim.wire_time import NS_PER_S, date_text, execution_time, good_till_text
from tests.sim.decoding import Call

from .dice import ASCII, Dice


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Frames at one server version, and what each family of clients hears in them."""

    kind: str
    frames: bytes
    by_ib_async: list[Call]
    by_ibapi: list[Call]


def every_kind(rng: random.Random, *, version: int) -> Iterator[Sample]:
    """One message of each kind that the gateway sends, at one server version."""
    dice = Dice(rng)
    yield from _orders(dice, version=version)
    yield _execution(dice, version=version)
    yield _error(dice, version=version)
    yield _contract_details(dice, version=version)
    yield _bars(dice)
    yield from _ticks(dice)
    yield from _account(dice)
    yield from _short(dice)


def _same(kind: str, frames: bytes, *calls: Call) -> Sample:
    return Sample(kind=kind, frames=frames, by_ib_async=list(calls), by_ibapi=list(calls))


def _contract(listing: Listing, *, exchange: bool = True) -> dict[str, Any]:
    told = {
        "conId": listing.con_id,
        "symbol": listing.symbol,
        "secType": "FUT",
        "lastTradeDateOrContractMonth": date_text(listing.last_trade_date),
        "multiplier": listing.multiplier,
        "currency": listing.currency,
        "localSymbol": listing.local_symbol,
        "tradingClass": listing.trading_class,
    }
    return told | {"exchange": listing.exchange} if exchange else told


def _terms(terms: OrderTerms) -> dict[str, Any]:
    return {
        "action": terms.side.value,
        "totalQuantity": terms.lots,
        "orderType": "LMT",
        "lmtPrice": float(terms.limit_price),
        "tif": terms.tif.value,
        "goodTillDate": good_till_text(terms.good_till_ns),
        "account": terms.account,
        "orderRef": terms.order_ref,
        "conditions": [],
        "parentId": 0,
        "hidden": False,
        "allOrNone": False,
    }


def _orders(dice: Dice, *, version: int) -> Iterator[Sample]:
    listing = dice.listing()
    order = dice.order(listing)
    terms = order.terms
    named = _terms(terms) | {"clientId": terms.client_id, "permId": order.perm_id, "whatIf": False}
    opened = order_replies.open_order(order, listing=listing, server_version=version)
    state = {"status": order.status.value, "initMarginChange": replies.UNSET, "warningText": ""}
    yield _same("open order", opened, ("openOrder", [terms.order_id, _contract(listing), named, state]))

    margin = order_replies.Margin(*(), **{name: abs(dice.price()) for name in _MARGINS}, currency="USD")
    asked = order_replies.what_if(terms, listing=listing, margin=margin, server_version=version)
    state = {
        "status": "PreSubmitted",
        "initMarginBefore": replies.plain(margin.initial_before),
        "initMarginAfter": replies.plain(margin.initial_after),
        "maintMarginChange": replies.plain(margin.maintenance_after - margin.maintenance_before),
        "equityWithLoanAfter": replies.plain(margin.equity),
        "commission": float(margin.commission),
        "commissionCurrency": "USD",
    }
    named = _terms(terms) | {"whatIf": True}
    yield _same("what-if", asked, ("openOrder", [terms.order_id, _contract(listing), named, state]))

    done = order_replies.completed_order(order, listing=listing, server_version=version)
    named = _terms(terms) | {"permId": order.perm_id, "filledQuantity": order.filled_lots}
    ended_ns = order.completed_ns or order.submitted_ns
    state = {"status": order.status.value, "completedTime": execution_time(ended_ns)}
    yield _same("completed order", done, ("completedOrder", [_contract(listing), named, state]))

    told = [
        terms.order_id,
        order.status.value,
        order.filled_lots,
        terms.lots - order.filled_lots,
        float(order.average_price or 0),
        order.perm_id,
        0,
        float(order.last_fill_price or 0),
        terms.client_id,
        "",
        0.0,
    ]
    yield _same("order status", replies.order_status(order), ("orderStatus", told))


_MARGINS = ("initial_before", "initial_after", "maintenance_before", "maintenance_after", "equity", "commission")


def _execution(dice: Dice, *, version: int) -> Sample:
    listing, req_id = dice.listing(), dice.request()
    fill = Execution(
        exec_id=dice.word() + ".01",
        perm_id=dice.count(),
        client_id=dice.count(),
        order_id=dice.count(),
        account=dice.word(),
        con_id=listing.con_id,
        side=dice.rng.choice(tuple(SimSide)),
        lots=1 + dice.count(10**6),
        price=dice.price(),
        time_ns=dice.time_ns(),
        order_ref=dice.reference(),
        cumulative_lots=dice.count(10**6),
        average_price=dice.price(),
        maker=dice.rng.random() < 0.5,
    )
    told = {
        "execId": fill.exec_id,
        "time": execution_time(fill.time_ns),
        "acctNumber": fill.account,
        "side": "BOT" if fill.side is SimSide.BUY else "SLD",
        "shares": fill.lots,
        "price": float(fill.price),
        "permId": fill.perm_id,
        "clientId": fill.client_id,
        "orderId": fill.order_id,
        "cumQty": fill.cumulative_lots,
        "avgPrice": float(fill.average_price),
        "orderRef": fill.order_ref,
        "lastLiquidity": 1 if fill.maker else 2,
        "modelCode": "",
    }
    frames = replies.execution(req_id, fill=fill, listing=listing, server_version=version)
    return _same("execution", frames, ("execDetails", [req_id, _contract(listing), told]))


def _error(dice: Dice, *, version: int) -> Sample:
    req_id, code, message = dice.request(), dice.count(20_000), dice.word(ASCII, most=80)
    frames = replies.error(req_id, code=code, message=message, server_version=version)
    return _same("error", frames, ("error", [req_id, code, message]))


def _contract_details(dice: Dice, *, version: int) -> Sample:
    listing, req_id = dice.listing(), dice.request()
    hours = ";".join(f"{date_text(dice.date())}:CLOSED" for _ in range(dice.rng.randint(0, 7)))
    contract = _contract(listing) | {"primaryExchange": ""}
    details = {
        "contract": contract,
        "minTick": float(listing.told_tick),
        "priceMagnifier": listing.price_magnifier,
        "longName": listing.name,
        "contractMonth": listing.contract_month,
        "timeZoneId": listing.time_zone,
        "tradingHours": hours,
        "liquidHours": hours,
        "marketRuleIds": str(listing.market_rule_id),
        "realExpirationDate": date_text(listing.last_trade_date),
        "underSymbol": listing.symbol,
        "validExchanges": listing.exchange,
    }
    if version >= replies.SIZE_RULES:
        details |= {"minSize": 1, "sizeIncrement": 1, "suggestedSizeIncrement": 1}
    frames = replies.contract_details(req_id, listing=listing, hours=hours, server_version=version)
    return _same("contract details", frames, ("contractDetails", [req_id, details]))


def _bars(dice: Dice) -> Sample:
    bars, req_id, now_ns = [dice.bar() for _ in range(dice.rng.randint(0, 5))], dice.request(), dice.time_ns()
    trades = dice.rng.random() < 0.5
    told: list[Call] = [
        (
            "historicalData",
            [
                req_id,
                {
                    "date": date_text(bar.date),
                    "open": float(bar.open),
                    "high": float(bar.high),
                    "low": float(bar.low),
                    "close": float(bar.close),
                    "volume": bar.volume if trades else -1,
                    "average": float(bar.average) if trades else -1,
                    "barCount": bar.trades if trades else -1,
                },
            ],
        )
        for bar in bars
    ]
    start = f"{date_text(bars[0].date)} 00:00:00 UTC" if bars else ""
    told.append(("historicalDataEnd", [req_id, start, execution_time(now_ns)]))
    frames = replies.historical_data(req_id, bars=bars, trades=trades, now_ns=now_ns)
    return _same("historical data", frames, *told)


def _ticks(dice: Dice) -> Iterator[Sample]:
    req_id = dice.count()
    stream = TickStream(req_id=req_id, con_id=1)
    close = dice.price()
    top = Top(
        con_id=1,
        bid=dice.optional_price(),
        bid_size=dice.count(10**6),
        ask=dice.optional_price(),
        ask_size=dice.count(10**6),
        last=None,
        last_size=0,
        volume=0,
        close=close,
    )
    prices = [(1, top.bid, top.bid_size, 0), (2, top.ask, top.ask_size, 3), (9, close, 0, None)]
    # The same price tick is one call for ib_async and, where a size belongs to it, two for ibapi.
    whole: list[Call] = []
    parted: list[Call] = []
    for tick_type, price, size, size_type in prices:
        shown = -1.0 if price is None else float(price)
        whole.append(("priceSizeTick", [req_id, tick_type, shown, size]))
        parted.append(("tickPrice", [req_id, tick_type, shown, {"canAutoExecute": tick_type != 9}]))
        parted.extend([] if size_type is None else [("tickSize", [req_id, size_type, size])])
    yield Sample(kind="quotes", frames=stream.top_changed(top), by_ib_async=whole, by_ibapi=parted)

    trade = Traded(con_id=1, price=dice.price(), size=1 + dice.count(10**6), volume=1 + dice.count(), time_ns=0)
    volume: Call = ("tickSize", [req_id, 8, trade.volume])
    yield Sample(
        kind="print",
        frames=stream.traded(trade),
        by_ib_async=[("priceSizeTick", [req_id, 4, float(trade.price), trade.size]), volume],
        by_ibapi=[
            ("tickPrice", [req_id, 4, float(trade.price), {"canAutoExecute": False}]),
            ("tickSize", [req_id, 5, trade.size]),
            volume,
        ],
    )
    tick, exchange = abs(dice.price()), dice.word()
    parameters = replies.tick_parameters(req_id, min_tick=tick, exchange=exchange)
    yield _same("tick parameters", parameters, ("tickReqParams", [req_id, float(tick), exchange, 3]))


def _account(dice: Dice) -> Iterator[Sample]:
    listing, account, req_id = dice.listing(), dice.word(), dice.request()
    held = Position(con_id=listing.con_id, lots=dice.rng.randint(-(10**6), 10**6), average_cost=dice.price())
    cost, price = float(held.average_cost), dice.price()
    told = [account, _contract(listing), held.lots, cost]
    yield _same("position", replies.position(held, listing=listing, account=account), ("position", told))

    gain, loss, daily = dice.price(), dice.price(), dice.price()
    value = replies.contract_value(listing, price=price) * held.lots
    frames = replies.portfolio(held, listing=listing, account=account, price=price, unrealised=gain, realised=loss)
    told = [_contract(listing, exchange=False), held.lots, float(price), float(value), cost, float(gain), float(loss)]
    yield _same("portfolio", frames, ("updatePortfolio", [*told, account]))

    frames = replies.profit_and_loss(req_id, daily=daily, unrealised=gain, realised=loss)
    yield _same("P&L", frames, ("pnl", [req_id, float(daily), float(gain), float(loss)]))
    frames = replies.profit_and_loss_single(
        req_id, lots=held.lots, daily=daily, unrealised=gain, realised=loss, value=price
    )
    told = [req_id, held.lots, float(daily), float(gain), float(loss), float(price)]
    yield _same("P&L of one", frames, ("pnlSingle", told))

    report = Commission(
        exec_id=dice.word(), commission=dice.price(), currency="USD", realised_pnl=dice.optional_price()
    )
    realised = float(replies.UNSET) if report.realised_pnl is None else float(report.realised_pnl)
    fees = {"execId": report.exec_id, "commission": float(report.commission), "currency": "USD"}
    yield _same(
        "commission", replies.commission_report(report), ("commissionReport", [fees | {"realizedPNL": realised}])
    )

    key, text, model = dice.word(), dice.word(ASCII), dice.word(least=0)
    frames = replies.account_value(key, value=text, currency="USD", account=account)
    yield _same("account value", frames, ("updateAccountValue", [key, text, "USD", account]))
    frames = replies.account_value_multi(req_id, account=account, model=model, key=key, value=text, currency="USD")
    yield _same("account values", frames, ("accountUpdateMulti", [req_id, account, model, key, text, "USD"]))
    frames = replies.account_summary(req_id, account=account, tag=key, value=text, currency="USD")
    yield _same("account summary", frames, ("accountSummary", [req_id, account, key, text, "USD"]))


def _short(dice: Dice) -> Iterator[Sample]:
    req_id, account, now_ns, rule_id = dice.request(), dice.word(), dice.time_ns(), dice.count()
    order_id, data_type = dice.count(), dice.rng.randint(1, 4)
    steps = [(abs(dice.price()), abs(dice.price())) for _ in range(dice.rng.randint(0, 4))]
    increments = [{"lowEdge": float(low), "increment": float(step)} for low, step in steps]
    yield _same("accounts", replies.managed_accounts(account), ("managedAccounts", [account]))
    yield _same("next id", replies.next_valid_id(order_id), ("nextValidId", [order_id]))
    yield _same("time", replies.current_time(now_ns), ("currentTime", [now_ns // NS_PER_S]))
    rule = replies.market_rule(rule_id, increments=steps)
    yield _same("market rule", rule, ("marketRule", [rule_id, increments]))
    data_types = replies.market_data_type(req_id, data_type=data_type)
    yield _same("data type", data_types, ("marketDataType", [req_id, data_type]))
    yield _same("account time", replies.account_time("09:59"), ("updateAccountTime", ["09:59"]))
    yield _same("account end", replies.account_download_end(account), ("accountDownloadEnd", [account]))
    yield _same("executions end", replies.executions_end(req_id), ("execDetailsEnd", [req_id]))
    yield _same("open orders end", replies.open_orders_end(), ("openOrderEnd", []))
    yield _same("completed orders end", replies.completed_orders_end(), ("completedOrdersEnd", []))
    yield _same("positions end", replies.positions_end(), ("positionEnd", []))
    yield _same("values end", replies.account_multi_end(req_id), ("accountUpdateMultiEnd", [req_id]))
    yield _same("summary end", replies.account_summary_end(req_id), ("accountSummaryEnd", [req_id]))
    yield _same("contracts end", replies.contract_details_end(req_id), ("contractDetailsEnd", [req_id]))
    yield _same("snapshot end", replies.snapshot_end(req_id), ("tickSnapshotEnd", [req_id]))
