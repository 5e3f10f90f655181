# ruff: noqa: N802, N803  The client library calls its wrapper by these names.
# The client library leaves many of its functions without types.
# mypy: allow-untyped-calls
"""Between ib_async and the domain: its objects read, ours written. camelCase ends here.

Sentinels of the wire (−1, NaN, infinities, the largest double) become None; doubles become exact decimals.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ib_async import IB, BarData, CommissionReport, Contract, ContractDetails, Execution, LimitOrder, Order, OrderState
from ib_async.decoder import Decoder
from ib_async.objects import PriceIncrement
from ib_async.wrapper import Wrapper

from hydra_nb.broker.completed import CompletedOrder
from hydra_nb.broker.daily import DailyBar
from hydra_nb.broker.executions import split_execution_id
from hydra_nb.broker.hours import parse_hours, with_zone, zone_name
from hydra_nb.broker.inbox import Inbox
from hydra_nb.broker.instruments import ContractQuery, ListedMonth
from hydra_nb.broker.quotes import exact_price
from hydra_nb.broker.wire_values import decimal, known, outward_lots, quoted, read_good_till, whole_lots
from hydra_nb.domain.events import (
    CommissionReported,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
)
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import ChildOrder, MarginQuestion, content_hash
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import BrokerError, InvariantBroken, RequestRefused, SendRefused
from hydra_nb.risk.snapshot import MarginTold

_SIDES = {"BOT": Side.BUY, "BUY": Side.BUY, "SLD": Side.SELL, "SELL": Side.SELL}
_EXECUTION_TIME_FIELD = 15
_NOTICES = range(2100, 2200)


def good_till(time_ns: int) -> str:
    """UTC time of the wire, to the second: ``20270112-14:30:00``."""
    return dt.datetime.fromtimestamp(time_ns // NS_PER_S, tz=dt.UTC).strftime("%Y%m%d-%H:%M:%S")


def wire_contract(contract: FutureContract) -> Contract:
    """What names a listed month on the wire; the contract id decides."""
    symbol, exchange, currency = contract.symbol, contract.exchange, contract.currency
    return Contract(secType="FUT", conId=contract.con_id, symbol=symbol, exchange=exchange, currency=currency)


def wire_query(query: ContractQuery) -> Contract:
    """What asks for contract details."""
    return Contract(
        secType="FUT",
        conId=query.con_id,
        symbol=query.symbol,
        localSymbol=query.local_symbol,
        lastTradeDateOrContractMonth=query.contract_month,
        exchange=query.exchange,
        currency=query.currency,
        multiplier=query.multiplier,
        tradingClass=query.trading_class,
    )


def read_query(contract: Contract) -> ContractQuery:
    """What an ib_async contract asks for."""
    return ContractQuery(
        con_id=contract.conId,
        symbol=contract.symbol,
        local_symbol=contract.localSymbol,
        contract_month=contract.lastTradeDateOrContractMonth,
        exchange=contract.exchange,
        currency=contract.currency,
        multiplier=contract.multiplier,
        trading_class=contract.tradingClass,
    )


def wire_order(child: ChildOrder) -> LimitOrder:
    """A fresh limit order of a child, with account, time in force and expiry said.

    Raises
    ------
    SendRefused
        Where price, lots or expiry are nothing that may reach a wire, or the price does not survive as a double.
    """
    price, tick = child.limit_price, child.contract.tick
    if not price.is_finite() or not child.contract.is_on_tick(price):
        raise SendRefused(f"{child.order_ref}: limit price {price} is off the {tick} tick")
    if exact_price(float(price), tick=tick) != price:
        raise SendRefused(f"{child.order_ref}: limit price {price} cannot be written to the wire exactly")
    if not isinstance(child.lots, int) or child.lots <= 0:
        raise SendRefused(f"{child.order_ref}: {child.lots} lots are not a positive whole number")
    if child.expires_ns % NS_PER_S or child.expires_ns <= 0:
        raise SendRefused(f"{child.order_ref}: expiry {child.expires_ns} ns is not on a whole second")
    return LimitOrder(
        child.side.value,
        child.lots,
        float(price),
        orderId=child.order_id,
        account=child.account,
        tif="GTD",
        goodTillDate=good_till(child.expires_ns),
        orderRef=child.order_ref,
        outsideRth=False,
        transmit=True,
    )


def hash_of_frame(contract: Contract, order: Order) -> str:
    """The content hash of an order about to be written, from the very objects that the client library writes."""
    return content_hash(
        order.orderRef,
        order.orderId,
        account=order.account,
        con_id=contract.conId,
        side=order.action,
        lots=whole_lots(float(order.totalQuantity)),
        limit_price=Decimal(repr(order.lmtPrice)),
        expires_ns=read_good_till(order.goodTillDate),
    )


def wire_what_if(question: MarginQuestion, *, account: str) -> LimitOrder:
    """An order that asks what it would change and is not placed: the flag says so, and so does its lack of a name."""
    return LimitOrder(
        question.side.value,
        question.lots,
        float(question.limit_price),
        account=account,
        tif="DAY",
        outsideRth=False,
        whatIf=True,
    )


def margin_told(state: OrderState, *, lots: int) -> MarginTold | None:
    """Initial margin now and its change, of the answer to a what-if; None where a figure is missing."""
    before, change = (_text_number(text) for text in (state.initMarginBefore, state.initMarginChange))
    return None if before is None or change is None else MarginTold(lots=lots, before=before, change=change)


def _text_number(text: object) -> float | None:
    try:
        return known(float(str(text)))
    except ValueError:
        return None


def open_order(
    order: Order, state: OrderState, *, contract: Contract, tick: Decimal | None, time_ns: int
) -> OpenOrderReported:
    """Terms of an order as the broker has them."""
    price = decimal(None if order.lmtPrice is None else float(order.lmtPrice))
    return OpenOrderReported(
        time_ns=time_ns,
        order_ref=order.orderRef,
        order_id=order.orderId,
        perm_id=order.permId,
        status=state.status,
        lots=whole_lots(float(order.totalQuantity)),
        limit_price=Decimal(0) if price is None else exact_price(float(price), tick=tick),
        expires_ns=read_good_till(order.goodTillDate),
        con_id=contract.conId,
        local_symbol=contract.localSymbol or contract.symbol,
    )


def completed_order(order: Order, state: OrderState, *, contract: Contract) -> CompletedOrder:
    """An order that the broker calls over; it names no order id and no client id, and of a cancelled one the fills."""
    filled = known(float(order.filledQuantity))
    return CompletedOrder(
        order_ref=order.orderRef,
        perm_id=order.permId,
        con_id=contract.conId,
        local_symbol=contract.localSymbol or contract.symbol,
        status=state.status,
        filled_lots=None if filled is None else whole_lots(filled),
        expires_ns=read_good_till(order.goodTillDate),
    )


def execution(report: Execution, *, con_id: int, tick: Decimal | None, time_ns: int) -> ExecutionReported:
    """One execution, without the quote and with the reference as the wire has it.

    Raises
    ------
    ValueError
        Where it names no side, no price or broken lots.
    """
    price = known(report.price)
    if price is None or report.side not in _SIDES:
        raise ValueError(f"execution {report.execId} has side {report.side!r} and price {report.price}")
    family, revision = split_execution_id(report.execId)
    return ExecutionReported(
        time_ns=time_ns,
        order_ref=report.orderRef,
        order_id=report.orderId if known(report.orderId) is not None and report.orderId < 2**31 - 1 else 0,
        perm_id=report.permId,
        exec_id=report.execId,
        family=family,
        revision=revision,
        con_id=con_id,
        side=_SIDES[report.side],
        lots=whole_lots(report.shares),
        price=exact_price(price, tick=tick),
        executed_ns=int(report.time.timestamp()) * NS_PER_S,
        quote=None,
    )


def commission(report: CommissionReport, *, time_ns: int) -> CommissionReported:
    """Fees of an execution."""
    return CommissionReported(
        time_ns=time_ns,
        exec_id=report.execId,
        commission=decimal(report.commission) or Decimal(0),
        currency=report.currency,
        realised_pnl=decimal(report.realizedPNL),
    )


def listed_month(details: ContractDetails) -> ListedMonth:
    """A listed month of its contract details, with the number of its market rule.

    Raises
    ------
    BrokerError
        Where tick, multiplier, last trade date or time zone cannot be read.
    """
    contract = details.contract
    if contract is None:
        raise BrokerError("contract details without a contract")
    zone = zone_name(details.timeZoneId)
    try:
        days = [day for day in (contract.lastTradeDateOrContractMonth, details.realExpirationDate) if len(day) == 8]
        last = min(dt.datetime.strptime(day, "%Y%m%d").replace(tzinfo=dt.UTC).date() for day in days)
        month = FutureContract(
            con_id=contract.conId,
            symbol=contract.symbol,
            local_symbol=contract.localSymbol,
            name=details.longName,
            exchange=contract.exchange,
            currency=contract.currency,
            tick=quoted(Decimal(repr(details.minTick)), magnifier=details.priceMagnifier or 1),
            multiplier=Decimal(contract.multiplier),
            price_magnifier=details.priceMagnifier or 1,
            contract_month=details.contractMonth or f"{last:%Y%m}",
            last_trade_date=last,
            time_zone=zone,
            sessions=parse_hours(details.tradingHours, zone=zone),
        )
    except (ValueError, InvalidOperation, InvariantBroken) as error:
        raise BrokerError(f"contract details of {contract.localSymbol or contract.conId} cannot be read") from error
    rules = dict(zip(details.validExchanges.split(","), details.marketRuleIds.split(","), strict=False))
    rule = rules.get(contract.exchange, "")
    return ListedMonth(contract=month, market_rule=int(rule) if rule.isdecimal() else None)


def rule_tick(increments: Sequence[PriceIncrement]) -> Decimal | None:
    """The price increment of a market rule, as told: the widest, which every price level allows; None without any."""
    widths = [Decimal(repr(increment.increment)) for increment in increments if increment.increment > 0]
    return max(widths, default=None)


def daily_bars(bars: Sequence[BarData]) -> tuple[DailyBar, ...]:
    """Daily bars; −1 and 0 mean that the broker has no figure."""
    read = []
    for bar in bars:
        day = bar.date.date() if isinstance(bar.date, dt.datetime) else bar.date
        volume = known(bar.volume)
        read.append(DailyBar(date=day, volume=None if volume is None or volume < 0 else volume, close=known(bar.close)))
    return tuple(read)


class RawWrapper(Wrapper):
    """Hears the raw messages, before the client library makes anything of them.

    Its own books of orders, fills, positions and tickers are not fed: an unlisted error code ends an order in
    them, a correction is added to what it corrects, a commission that comes first is dropped, and the sentinel of
    an unknown P&L is overwritten. What it does for requests (their futures, and the errors that end them) is kept.
    """

    def __init__(self, ib: IB, *, inbox: Inbox, logger: logging.Logger) -> None:
        self.inbox = inbox
        super().__init__(ib, _logger=logger)

    def orderStatus(self, *args: Any, **_: Any) -> None:
        """Message 3."""
        order_id, status, filled, remaining, _average, perm_id, _parent, _last, client_id, *_rest = args
        report = OrderStatusReported(
            time_ns=self.inbox.now_ns(),
            order_ref="",
            order_id=order_id,
            perm_id=perm_id,
            status=status,
            filled_lots=whole_lots(filled),
            remaining_lots=whole_lots(remaining),
        )
        self.inbox.order_status(report, client_id=client_id)

    def openOrder(self, orderId: int, contract: Contract, order: Order, orderState: OrderState) -> None:
        """Message 5; the ids that we give out stay above every order id seen, as those of other clients count too."""
        self.ib.client.updateReqId(orderId + 1)
        if order.whatIf:
            self._endReq(orderId, margin_told(orderState, lots=whole_lots(float(order.totalQuantity))))
            return
        tick = self.inbox.tick_of(contract.conId)
        report = open_order(order, orderState, contract=contract, tick=tick, time_ns=self.inbox.now_ns())
        self.inbox.open_order(report, client_id=order.clientId, account=order.account)

    def openOrderEnd(self) -> None:
        """Message 53."""
        self.inbox.open_orders.end()

    def completedOrder(self, contract: Contract, order: Order, orderState: OrderState) -> None:
        """Message 101."""
        self.inbox.completed_order(completed_order(order, orderState, contract=contract), account=order.account)

    def completedOrdersEnd(self) -> None:
        """Message 102."""
        self.inbox.completed.end()

    def execDetails(self, reqId: int, contract: Contract, report: Execution) -> None:  # noqa: ARG002  news and replies alike
        """Message 11."""
        tick = self.inbox.tick_of(contract.conId)
        told = execution(report, con_id=contract.conId, tick=tick, time_ns=self.inbox.now_ns())
        self.inbox.execution(told, client_id=report.clientId, account=report.acctNumber)

    def commissionReport(self, report: CommissionReport) -> None:
        """Message 59."""
        self.inbox.commission(commission(report, time_ns=self.inbox.now_ns()))

    def position(self, account: str, contract: Contract, posSize: float, avgCost: float) -> None:
        """Message 61."""
        report = PositionReported(
            time_ns=self.inbox.now_ns(),
            con_id=contract.conId,
            local_symbol=contract.localSymbol,
            symbol=contract.symbol,
            lots=whole_lots(posSize) if contract.secType in ("FUT", "") else outward_lots(posSize),
            average_cost=decimal(avgCost) or Decimal(0),
        )
        self.inbox.position(report, account=account)

    def positionEnd(self) -> None:
        """Message 62."""
        self.inbox.positions_complete()
        super().positionEnd()

    def updateAccountValue(self, tag: str, val: str, currency: str, account: str) -> None:
        """Message 6."""
        if account == self.inbox.account:
            self.inbox.holdings.set_value(tag, value=val, currency=currency)

    def updatePortfolio(self, *args: Any, **_: Any) -> None:
        """Message 7; positions are read from message 61, which comes without a delay."""

    def currentTime(self, time: int) -> None:
        """Message 49."""
        self.inbox.times.heard(time)

    def error(self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str) -> None:
        """Message 4; whoever waits for a request gets it raised, also where the client library sees a mere warning."""
        has_asker = reqId in self._futures
        message = " ".join(filter(None, (errorString, advancedOrderRejectJson)))
        if has_asker and errorCode not in _NOTICES:
            self._endReq(reqId, RequestRefused(message, code=errorCode), success=False)
        self.inbox.error(reqId, code=errorCode, message=message, has_asker=has_asker)

    def connectionClosed(self) -> None:
        """Fail the requests under way; the client library would tell every other connection of the process as well."""
        for future in self._futures.values():
            if not future.done():
                future.set_exception(ConnectionError("the socket is closed"))
        self.reset()

    def marketDataType(self, reqId: int, marketDataId: int) -> None:
        """Message 58."""
        self.inbox.board_of(reqId).feed_type(reqId, marketDataId)

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        """Message 1."""
        self.inbox.board_of(reqId).price_tick(reqId, tickType, price, size)

    def tickSize(self, reqId: int, tickType: int, size: float) -> None:
        """Message 2."""
        self.inbox.board_of(reqId).size_tick(reqId, tickType, size)

    def tickGeneric(self, reqId: int, tickType: int, value: float) -> None:
        """Message 45."""
        self.inbox.board_of(reqId).generic_tick(reqId, tickType, value)

    def tcpDataArrived(self) -> None:
        """A network batch begins; the client library would stamp its own tickers, which are not fed."""

    def tcpDataProcessed(self) -> None:
        """All messages of one network batch were handled."""
        self.inbox.batch_done()


class RawDecoder(Decoder):
    """Reads messages, saves executions whose time cannot be read, and tells of what else cannot be read.

    The client library writes the failure of a message to its logger only, so that is where we listen.
    """

    def __init__(self, wrapper: RawWrapper, *, logger: logging.Logger) -> None:
        super().__init__(wrapper, 0)
        self.inbox = wrapper.inbox
        self.logger = logger

    def execDetails(self, fields: list[str]) -> None:
        """Message 11; a fill must not be lost for its time, which the time of receipt can stand for."""
        told = fields[_EXECUTION_TIME_FIELD]
        zoned = with_zone(told)
        if zoned is None:
            now = dt.datetime.fromtimestamp(self.inbox.now_ns() // NS_PER_S, tz=dt.UTC)
            zoned = f"{now:%Y%m%d %H:%M:%S} UTC"
            self.inbox.note(f"time {told!r} of an execution could not be read; its receipt stands for it")
        super().execDetails([*fields[:_EXECUTION_TIME_FIELD], zoned, *fields[_EXECUTION_TIME_FIELD + 1 :]])
