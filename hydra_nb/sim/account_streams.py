"""Account values, positions and P&L as streams: all of it first, then whatever has changed."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from hydra_nb.sim import replies
from hydra_nb.sim.contract_search import listed
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import Position
from hydra_nb.sim.wire_time import NS_PER_S, moment

ACCOUNT_PERIOD_NS = 180 * NS_PER_S  # IB sends account values every three minutes, and after each fill
PNL_PERIOD_NS = 5 * NS_PER_S

FrameSource = Callable[[int], Mapping[str, bytes]]

_ZERO = Decimal(0)


class AccountStream:
    """Sends the frames of a source that differ from those sent before.

    Parameters
    ----------
    source
        Frames as of a time in nanoseconds, by a key that names what each frame is about.
    period_ns
        Market time between refreshes; fills refresh at once.
    end
        The frame that closes the first, whole answer.
    """

    __slots__ = ("_end", "_period_ns", "_sent", "_source", "due_ns")

    def __init__(self, *, source: FrameSource, period_ns: int, end: bytes = b"") -> None:
        self._source = source
        self._period_ns = period_ns
        self._end = end
        self._sent: dict[str, bytes] = {}
        self.due_ns = 0

    def first(self, now_ns: int) -> bytes:
        """The whole answer."""
        return self.changes(now_ns) + self._end

    def changes(self, now_ns: int) -> bytes:
        """What is new since the last call."""
        self.due_ns = now_ns + self._period_ns
        out = b""
        for key, message in self._source(now_ns).items():
            if self._sent.get(key) != message:
                self._sent[key] = message
                out += message
        return out


def account_updates(exchange: Exchange) -> AccountStream:
    """Values and portfolio, as messages 6, 7 and 8, closed by 54."""

    def frames(now_ns: int) -> dict[str, bytes]:
        out = {
            key: replies.account_value(key, value=value, currency=currency, account=exchange.account)
            for key, (value, currency) in _values(exchange).items()
        }
        for held in _positions(exchange):
            out[f"position {held.con_id}"] = _portfolio(exchange, held)
        out["time"] = replies.account_time(moment(now_ns).strftime("%H:%M"))
        return out

    end = replies.account_download_end(exchange.account)
    return AccountStream(source=frames, period_ns=ACCOUNT_PERIOD_NS, end=end)


def account_updates_multi(exchange: Exchange, *, req_id: int, model: str) -> AccountStream:
    """Values as messages 73, closed by 74."""

    def frames(_now_ns: int) -> dict[str, bytes]:
        return {
            key: replies.account_value_multi(
                req_id, account=exchange.account, model=model, key=key, value=value, currency=currency
            )
            for key, (value, currency) in _values(exchange).items()
        }

    return AccountStream(source=frames, period_ns=ACCOUNT_PERIOD_NS, end=replies.account_multi_end(req_id))


def account_summary(exchange: Exchange, *, req_id: int, tags: tuple[str, ...]) -> AccountStream:
    """The named values as messages 63, closed by 64; tags without a value here are left out."""

    def frames(_now_ns: int) -> dict[str, bytes]:
        values = _values(exchange)
        return {
            tag: replies.account_summary(
                req_id, account=exchange.account, tag=tag, value=values[tag][0], currency=values[tag][1]
            )
            for tag in tags
            if tag in values
        }

    return AccountStream(source=frames, period_ns=ACCOUNT_PERIOD_NS, end=replies.account_summary_end(req_id))


def positions(exchange: Exchange) -> AccountStream:
    """Positions as messages 61, closed by 62; one that was closed today is reported with 0 lots."""

    def frames(_now_ns: int) -> dict[str, bytes]:
        return {
            str(held.con_id): replies.position(held, listing=listed(exchange, held.con_id), account=exchange.account)
            for held in _positions(exchange)
        }

    return AccountStream(source=frames, period_ns=ACCOUNT_PERIOD_NS, end=replies.positions_end())


def profit_and_loss(exchange: Exchange, *, req_id: int, con_id: int | None) -> AccountStream:
    """P&L of the account as messages 94, or of one contract as messages 95."""

    def of_account(_now_ns: int) -> dict[str, bytes]:
        unrealised = sum((_unrealised(exchange, held) for held in _positions(exchange)), _ZERO)
        realised = _realised(exchange, con_id=None)
        daily = unrealised + realised
        return {"": replies.profit_and_loss(req_id, daily=daily, unrealised=unrealised, realised=realised)}

    def of_contract(_now_ns: int) -> dict[str, bytes]:
        message = b""
        for held in _positions(exchange):
            if held.con_id == con_id:
                unrealised, realised = _unrealised(exchange, held), _realised(exchange, con_id=con_id)
                message = replies.profit_and_loss_single(
                    req_id,
                    lots=held.lots,
                    daily=unrealised + realised,
                    unrealised=unrealised,
                    realised=realised,
                    value=_value(exchange, held),
                )
        return {"": message}

    return AccountStream(source=of_account if con_id is None else of_contract, period_ns=PNL_PERIOD_NS)


def _values(exchange: Exchange) -> dict[str, tuple[str, str]]:
    """Value and currency of every key, those included that are no money."""
    values = {"AccountType": ("INDIVIDUAL", ""), "AccountCode": (exchange.account, "")}
    values.update((key, (replies.plain(value), "USD")) for key, value in exchange.account_values().items())
    return values


def _positions(exchange: Exchange) -> list[Position]:
    """Positions held, and those closed in a contract that was traded, with 0 lots."""
    held = {position.con_id: position for position in exchange.positions()}
    for fill, _ in exchange.executions():
        if fill.con_id not in held:
            held[fill.con_id] = Position(con_id=fill.con_id, lots=0, average_cost=_ZERO)
    return list(held.values())


def _portfolio(exchange: Exchange, held: Position) -> bytes:
    return replies.portfolio(
        held,
        listing=listed(exchange, held.con_id),
        account=exchange.account,
        price=_price(exchange, held),
        unrealised=_unrealised(exchange, held),
        realised=_realised(exchange, con_id=held.con_id),
    )


def _price(exchange: Exchange, held: Position) -> Decimal:
    return exchange.market_price(held.con_id) or _ZERO


def _value(exchange: Exchange, held: Position) -> Decimal:
    listing = listed(exchange, held.con_id)
    return replies.contract_value(listing, price=_price(exchange, held)) * held.lots


def _unrealised(exchange: Exchange, held: Position) -> Decimal:
    return _value(exchange, held) - held.average_cost * held.lots


def _realised(exchange: Exchange, *, con_id: int | None) -> Decimal:
    latest = {fill.exec_id.rpartition(".")[0]: (fill, commission) for fill, commission in exchange.executions()}
    return sum(
        (
            commission.realised_pnl
            for fill, commission in latest.values()
            if commission.realised_pnl is not None and con_id in {None, fill.con_id}
        ),
        _ZERO,
    )
