"""Checks of the contract and its calendar: month, close-out window, the end of the session, an unusual spread."""

from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.close_out import close_out_of, exchange_date, months_ahead
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

_DETAILS = "contract details"
_PERSON = "contract facts"


def contract_month(case: Case) -> Decision:
    """The contract has not expired, and its last trade is no more months ahead than the limit."""
    last, limit = case.contract.last_trade_date, case.limits.max_months_ahead
    today = exchange_date(case.acts_ns, zone=case.contract.time_zone)
    ahead = months_ahead(case.contract, now_ns=case.acts_ns)
    symbol = case.contract.local_symbol
    if last < today:
        message = f"{symbol} expired: its last trade was on {last}; take a later month"
    elif ahead > limit:
        message = f"{symbol} trades last {ahead} months ahead, {limit} allowed: take a nearer month"
    else:
        return Decision("contract_month", True, ahead, limit, "months", "A month that may be traded", _DETAILS)
    return Decision("contract_month", False, ahead, limit, "months", message, _DETAILS)


def close_out(case: Case) -> Decision:
    """The contract is outside its close-out window, or the order only reduces the position.

    A physically delivered future is closed out by the broker before first notice (longs) or last trade. The window
    begins `notice_days` before a first notice day that a person has told, else `close_out_days` before the last trade.
    """
    snapshot, contract = case.snapshot, case.contract
    window = close_out_of(contract, first_notice=snapshot.notice_date, now_ns=case.acts_ns, limits=case.limits)
    days, limit, source = window.days, window.limit, _PERSON if window.is_notice else _DETAILS
    if not window.is_inside:
        return Decision("close_out", True, days, limit, "days", "Outside the close-out window", source)
    position = snapshot.position_lots
    if position is None:
        words = f"{contract.local_symbol} is in its close-out window, and the position is not known: wait for it"
        return Decision("close_out", False, days, limit, "days", words, source, None, True)
    against = max(0, -case.side.sign * position)
    working = snapshot.working_buy_lots if case.side.sign > 0 else snapshot.working_sell_lots
    left = against - working
    if case.open_lots <= left:
        return Decision("close_out", True, days, limit, "days", "Reduces the position before it is closed out", source)
    message = (
        f"{contract.local_symbol} is {days} days before {window.event}, more than {limit} wanted: "
        "only what reduces passes; take a later month"
    )
    return Decision("close_out", False, days, limit, "days", message, source, left if left > 0 else None)


def session_left(case: Case) -> Decision:
    """The session goes on for so long at least: what rests over a break is held, and meets another market."""
    now_ns, limit = case.acts_ns, case.limits.min_session_left_s
    closes_ns = case.contract.closes_ns(now_ns)
    if closes_ns is None:
        words = "The session is closed"
        return Decision(
            "session_left", False, None, limit, "s", f"{words}: wait for the next", "broker sessions", None, True
        )
    left_s = (closes_ns - now_ns) / NS_PER_S
    allowed = left_s >= limit
    message = (
        "The session goes on"
        if allowed
        else f"The session ends in {told_apart(left_s, limit=limit, decimals=0)} s, {limit:g} s wanted: "
        "wait for the next"
    )
    return Decision("session_left", allowed, left_s, limit, "s", message, "broker sessions", None, True)


def spread_width(case: Case) -> Decision:
    """The spread is no wider than so many times what this contract showed for half of the last time.

    Before enough was seen there is no usual spread, and the check passes and says so.
    """
    quote, limit = case.snapshot.quote, case.limits.max_spread_multiple
    usual = number(case.snapshot.usual_spread_ticks)
    if quote is None or quote.bid is None or quote.ask is None or usual is None or usual <= 0:
        words = "No usual spread is known yet, or a side is empty"
        return Decision("spread_width", True, None, limit, "× usual", words, "broker quotes", None, True)
    ticks = float((quote.ask - quote.bid) / case.contract.tick)
    multiple = ticks / usual
    allowed = multiple <= limit
    message = (
        "The spread is usual"
        if allowed
        else f"The spread is {ticks:g} ticks, {told_apart(multiple, limit=limit, decimals=1)} times its usual "
        f"{usual:g}, {limit:g} times allowed: wait"
    )
    return Decision("spread_width", allowed, multiple, limit, "× usual", message, "broker quotes", None, True)
