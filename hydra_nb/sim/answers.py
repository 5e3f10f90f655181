"""Answers to questions: frames made from what the exchange knows, changing nothing.

Each function takes the exchange and one request; a request that cannot be answered gives a `Refusal`.
"""

import re
from zoneinfo import ZoneInfo

from hydra_nb.sim import order_replies, replies
from hydra_nb.sim import requests as ask
from hydra_nb.sim.accounts import COMMISSION_PER_LOT
from hydra_nb.sim.bars import MAX_BARS
from hydra_nb.sim.codes import Code, Refusal
from hydra_nb.sim.contract_search import listed, matching, the_one
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import DailyBar, Execution, Listing, OrderTerms
from hydra_nb.sim.wire_time import moment, parse_time

Answer = list[bytes] | Refusal

_DURATION = re.compile(r"(\d{1,4}) ([DWMY])")
_TRADING_DAYS = {"D": 1, "W": 5, "M": 21, "Y": 252}
_BAR_KINDS = frozenset({"TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK"})
_SIDES = {"BUY": "BUY", "BOT": "BUY", "SELL": "SELL", "SLD": "SELL"}


def contract_details(exchange: Exchange, request: ask.ContractDetailsQuery, now_ns: int, server_version: int) -> Answer:
    """All listings that match, nearest month first."""
    found = matching(exchange.listings, query=request.contract)
    if not found:
        return Refusal(code=Code.NO_SUCH_CONTRACT, message="No security definition has been found for the request")
    frames = [
        replies.contract_details(
            request.req_id,
            listing=listing,
            hours=exchange.trading_hours(listing.con_id, now_ns),
            server_version=server_version,
        )
        for listing in found
    ]
    return [*frames, replies.contract_details_end(request.req_id)]


def market_rule(exchange: Exchange, request: ask.MarketRuleQuery) -> Answer:
    """Price increments of one rule."""
    known = {listing.market_rule_id for listing in exchange.listings}
    if request.rule_id not in known:
        return Refusal(code=Code.CANNOT_VALIDATE, message=f"Error validating request: no market rule {request.rule_id}")
    return [replies.market_rule(request.rule_id, increments=exchange.market_rule(request.rule_id))]


def historical_data(exchange: Exchange, request: ask.HistoricalData, now_ns: int) -> Answer:
    """Daily bars up to the end asked for; nothing finer is kept, and no bars are streamed."""
    listing = the_one(exchange.listings, query=request.contract)
    if isinstance(listing, Refusal):
        return listing
    duration = _DURATION.fullmatch(request.duration.strip())
    end_ns = parse_time(request.end) if request.end else now_ns
    if request.bar_size != "1 day" or request.what not in _BAR_KINDS or request.keep_up_to_date:
        return _no_history("this gateway has finished bars of 1 day only: TRADES, MIDPOINT, BID, ASK, BID_ASK")
    if duration is None or end_ns is None:
        return _no_history(f"duration {request.duration!r} or end {request.end!r} cannot be read; '30 D' and '' can")
    days = int(duration.group(1)) * _TRADING_DAYS[duration.group(2)]
    bars = _bars_until(exchange, listing, end_ns=min(end_ns, now_ns), now_ns=now_ns, days=days) if days else []
    if not bars:
        return _no_history("HMDS query returned no data")
    trades = request.what == "TRADES"
    return [replies.historical_data(request.req_id, bars=bars, trades=trades, now_ns=now_ns)]


def executions(exchange: Exchange, request: ask.ExecutionsQuery, now_ns: int, server_version: int) -> Answer:
    """Fills since midnight in the market's own time zone, each with its commission, as the Gateway gives them."""
    since_ns = parse_time(request.since) if request.since else 0
    if since_ns is None:
        message = f"Error validating request: time {request.since!r} cannot be read"
        return Refusal(code=Code.CANNOT_VALIDATE, message=message)
    frames = []
    for fill, commission in exchange.executions():
        listing = listed(exchange, fill.con_id)
        if fill.time_ns >= since_ns and _is_today(fill, listing, now_ns) and _passes(request, fill, listing):
            frames.append(replies.execution(request.req_id, fill=fill, listing=listing, server_version=server_version))
            frames.append(replies.commission_report(commission))
    return [*frames, replies.executions_end(request.req_id)]


def open_orders(exchange: Exchange, request: ask.OpenOrdersQuery, client_id: int, server_version: int) -> Answer:
    """Working orders of the client, or of all clients."""
    frames = []
    for order in exchange.open_orders():
        if request.all_clients or order.terms.client_id == client_id:
            listing = listed(exchange, order.terms.con_id)
            frames.append(order_replies.open_order(order, listing=listing, server_version=server_version))
            frames.append(replies.order_status(order))
    return [*frames, replies.open_orders_end()]


def completed_orders(exchange: Exchange, server_version: int) -> Answer:
    """Orders that are done, of all clients."""
    frames = [
        order_replies.completed_order(
            order, listing=listed(exchange, order.terms.con_id), server_version=server_version
        )
        for order in exchange.completed_orders()
    ]
    return [*frames, replies.completed_orders_end()]


def what_if(exchange: Exchange, terms: OrderTerms, server_version: int) -> bytes:
    """Margin and commission of an order that is not placed, were it filled."""
    values = exchange.account_values()
    initial, maintenance = exchange.would_margin(terms)
    listing = listed(exchange, terms.con_id)
    margin = order_replies.Margin(
        initial_before=values["InitMarginReq"],
        initial_after=values["InitMarginReq"] + initial,
        maintenance_before=values["MaintMarginReq"],
        maintenance_after=values["MaintMarginReq"] + maintenance,
        equity=values["EquityWithLoanValue"],
        commission=COMMISSION_PER_LOT * terms.lots,
        currency=listing.currency,
    )
    return order_replies.what_if(terms, listing=listing, margin=margin, server_version=server_version)


def _bars_until(exchange: Exchange, listing: Listing, *, end_ns: int, now_ns: int, days: int) -> list[DailyBar]:
    """The last bars of days before the one of the end, at the exchange; no more are made than the answer needs."""
    zone = ZoneInfo(listing.time_zone)
    end, today = (moment(time_ns).astimezone(zone).date() for time_ns in (end_ns, now_ns))
    made = exchange.daily_bars(listing.con_id, min(days + (today - end).days, MAX_BARS), now_ns)
    return [bar for bar in made if bar.date < end][-days:]


def _is_today(fill: Execution, listing: Listing, now_ns: int) -> bool:
    zone = ZoneInfo(listing.time_zone)
    return moment(fill.time_ns).astimezone(zone).date() == moment(now_ns).astimezone(zone).date()


def _passes(request: ask.ExecutionsQuery, fill: Execution, listing: Listing) -> bool:
    return (
        request.client_id in {0, fill.client_id}
        and request.account in {"", fill.account}
        and request.symbol in {"", listing.symbol}
        and request.security_type in {"", "FUT"}
        and request.exchange in {"", listing.exchange}
        and (not request.side or _SIDES.get(request.side) == fill.side.value)
    )


def _no_history(cause: str) -> Refusal:
    message = f"Historical Market Data Service error message:{cause}"
    return Refusal(code=Code.HISTORICAL_DATA, message=message)
