"""Checks of the desk itself: kill switch, journal, account, connection, clock.

Each is a pure function of one case. The decisions of those that only pass or do not, with no figure
to tell, are the same object every time: the gate must not cost the time that they would take to build.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

_RESET_ZONE = ZoneInfo("America/New_York")
_RESET_S = (23 * 60 + 45) * 60
_DAY_S = 86_400


def _passes(check: str, message: str, *, source: str, transient: bool = False) -> Decision:
    return Decision(
        check=check,
        allowed=True,
        observed=None,
        limit=None,
        unit="",
        message=message,
        source=source,
        transient=transient,
    )


def _refuses(check: str, message: str, *, source: str, transient: bool = False) -> Decision:
    return Decision(
        check=check,
        allowed=False,
        observed=None,
        limit=None,
        unit="",
        message=message,
        source=source,
        transient=transient,
    )


_NOT_KILLED = _passes("kill_switch", "The kill switch is off", source="journal")
_JOURNAL_GOOD = _passes("journal_healthy", "The journal takes records", source="journal", transient=True)
_ACCOUNT_PINNED = _passes("account", "The account is the desk's", source="broker account")
_ONE_CURRENCY = _passes("currency", "The contract is in the account's currency", source="broker account")
_NOT_REPEATED = _passes("repeated_order", "No equal order today", source="journal")
_CONNECTED = _passes("connection", "Connected", source="broker connection", transient=True)
_NOT_LOCKED = _passes("contract_locked", "The contract is not locked", source="journal")
_NO_RESET = _passes("gateway_reset", "The gateway's nightly reset is not near", source="calendar", transient=True)
_RECONCILED = _passes("reconciled", "Ledger and broker agree", source="journal", transient=True)


def kill_switch(case: Case) -> Decision:
    """No order while the kill switch is on, not even one that would reduce a position."""
    killed = case.snapshot.killed
    if killed is None:
        return _NOT_KILLED
    return _refuses("kill_switch", f"Killed: {killed}. Rearm the desk to trade again", source="journal")


def journal_healthy(case: Case) -> Decision:
    """No order that could not be recorded before it is sent."""
    if case.snapshot.journal_healthy:
        return _JOURNAL_GOOD
    return _refuses(
        "journal_healthy",
        "The journal cannot be written: free the disk, and sending goes on by itself; cancels go out meanwhile",
        source="journal",
        transient=True,
    )


def contract_locked(case: Case) -> Decision:
    """Nothing about the contract's orders, fills and position is unexplained."""
    reason = case.snapshot.locked
    if reason is None:
        return _NOT_LOCKED
    symbol = case.contract.local_symbol
    return _refuses(
        "contract_locked",
        f'{symbol} is locked: {reason}. When it is explained, say await desk.unlock("{symbol}", reason=...)',
        source="journal",
    )


def account(case: Case) -> Decision:
    """The order is for the account that the desk was opened on."""
    if case.account and case.account == case.snapshot.account:
        return _ACCOUNT_PINNED
    return _refuses(
        "account", "The order is for another account than the desk's: open a desk on it", source="broker account"
    )


def currency(case: Case) -> Decision:
    """The contract is in the account's currency, or the broker told the rate of exchange, which limits in cash need."""
    ours, its, rate = case.snapshot.currency, case.contract.currency, number(case.snapshot.exchange_rate)
    if ours and ours == its:
        return _ONE_CURRENCY
    if ours and rate is not None and rate > 0:
        return Decision(
            "currency", True, rate, None, f"{ours}/{its}", "The rate of exchange is known", "broker account"
        )
    return _refuses(
        "currency",
        f"{case.contract.local_symbol} is in {its or 'an unknown currency'}, the account in "
        f"{ours or 'an unknown currency'}, and the broker has told no rate between them: hold some "
        f"{its or 'of its currency'}, so that it does",
        source="broker account",
        # Rates are forgotten with the connection, and told again before ledger and broker have been compared.
        transient=case.snapshot.connection is not ConnectionState.UP or not case.snapshot.reconciled,
    )


def repeated_order(case: Case) -> Decision:
    """No equal parent order (account, contract, side, lots, strategy, tag) on one day."""
    equal = case.snapshot.equal_parent
    if equal is None or equal == case.parent_id:
        return _NOT_REPEATED
    return _refuses(
        "repeated_order",
        f"{equal} is an equal order of today: give a tag where you mean a second one",
        source="journal",
    )


def connection(case: Case) -> Decision:
    """The way to the broker, and from the gateway to the broker's servers, is up."""
    state = case.snapshot.connection
    if state is ConnectionState.UP:
        return _CONNECTED
    why = (
        "The gateway lost the broker's servers" if state is ConnectionState.DEGRADED else "No connection to the gateway"
    )
    return _refuses("connection", f"{why}: wait until it is back", source="broker connection", transient=True)


def reconciled(case: Case) -> Decision:
    """Ledger and broker agree on orders, fills and positions."""
    if case.snapshot.reconciled:
        return _RECONCILED
    return _refuses(
        "reconciled",
        "Ledger and broker are not reconciled: wait for it, or look at the breaks",
        source="journal",
        transient=True,
    )


def gateway_reset(case: Case) -> Decision:
    """It is not about 23:45 in New York, when the gateway of the broker resets itself every night."""
    limit = case.limits.reset_window_s
    apart = _from_reset_s(case.snapshot.now_ns)
    if apart >= limit:
        return _NO_RESET
    return Decision(
        check="gateway_reset",
        allowed=False,
        observed=apart,
        limit=limit,
        unit="s",
        message=f"{told_apart(apart, limit=limit, decimals=0)} s from the gateway's nightly reset, "
        f"{limit:g} s wanted: wait until it is past",
        source="calendar",
        transient=True,
    )


def _from_reset_s(now_ns: int) -> float:
    """Seconds between now and the nearest nightly reset, before or after it."""
    clock = dt.datetime.fromtimestamp(now_ns // NS_PER_S, tz=_RESET_ZONE)
    past_midnight_s = clock.hour * 3_600 + clock.minute * 60 + clock.second + now_ns % NS_PER_S / NS_PER_S
    apart_s = abs(past_midnight_s - _RESET_S)
    return min(apart_s, _DAY_S - apart_s)


def clock_skew(case: Case) -> Decision:
    """Our market time is that of the broker."""
    skew = number(case.snapshot.clock_skew_s)
    limit = case.limits.max_clock_skew_s
    allowed = skew is not None and -limit <= skew <= limit
    if skew is None:
        message = "The broker's time is not known yet: wait for its reply"
    elif allowed:
        message = "The clock is the broker's"
    else:
        figure = told_apart(abs(skew), limit=limit, decimals=1)
        message = f"The clock is {figure} s off the broker's, {limit:g} s allowed: set this machine's clock"
    return Decision(
        check="clock_skew",
        allowed=allowed,
        observed=None if skew is None else abs(skew),
        limit=limit,
        unit="s",
        message=message,
        source="broker clock",
        transient=True,
    )
