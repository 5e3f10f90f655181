"""Checks of the market: session, quote, and the reference that prices are measured against."""

from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.risk.case import Case, number
from hydra_nb.risk.figures import told_apart
from hydra_nb.risk.verdict import Decision

QUOTES = "broker quotes"

_OPEN = Decision(
    check="session_open",
    allowed=True,
    observed=None,
    limit=None,
    unit="",
    message="The session is open",
    source="broker sessions",
    transient=True,
)
_SANE = Decision(
    check="quote_sane",
    allowed=True,
    observed=None,
    limit=None,
    unit="",
    message="The quote is live and can be traded on",
    source=QUOTES,
    transient=True,
)


def session_open(case: Case) -> Decision:
    """A session that the broker lists is open."""
    if case.contract.is_open(case.acts_ns):
        return _OPEN
    symbol = case.contract.local_symbol
    opens = "wait for its next session" if case.contract.opens_ns(case.acts_ns) else "no next session is listed"
    return Decision(
        check="session_open",
        allowed=False,
        observed=None,
        limit=None,
        unit="",
        message=f"{symbol} is closed: {opens}",
        source="broker sessions",
        transient=True,
    )


def quote_sane(case: Case) -> Decision:
    """The quote is live, of this contract, not halted, not crossed or locked, and at least one side shows.

    Where one side is empty the reference takes its place, whose age `reference_age` limits.
    """
    quote = case.snapshot.quote
    fault = "No quote yet" if quote is None else _fault(quote, con_id=case.contract.con_id)
    if fault is None:
        return _SANE
    return Decision(
        check="quote_sane",
        allowed=False,
        observed=None,
        limit=None,
        unit="",
        message=f"{fault}: wait for a live two-sided quote",
        source=QUOTES,
        transient=True,
    )


def _fault(quote: Quote, *, con_id: int) -> str | None:
    """First thing that is wrong with a quote, in words; None where nothing is."""
    if quote.con_id != con_id:
        return "The quote is of another contract"
    if quote.feed is not FeedType.LIVE:
        return f"The quote is {quote.feed.replace('_', ' and ')}, not live"
    if quote.halted:
        return "The contract is halted"
    bid, ask = quote.bid, quote.ask
    if (bid is not None and not bid.is_finite()) or (ask is not None and not ask.is_finite()):
        return "The quote has a price that is no number"
    if quote.bid_size < 0 or quote.ask_size < 0:
        return "The quote has a negative size"
    shows_bid = bid is not None and quote.bid_size > 0
    shows_ask = ask is not None and quote.ask_size > 0
    if not shows_bid and not shows_ask:
        return "Both sides of the book are empty"
    if bid is not None and ask is not None and bid >= ask:
        return f"The book is {'locked' if bid == ask else 'crossed'}, {bid} bid and {ask} offered"
    return None


def quote_age(case: Case) -> Decision:
    """The quote is young."""
    quote = case.snapshot.quote
    limit = case.limits.max_quote_age_s
    age_s = None if quote is None else (case.snapshot.now_ns - quote.time_ns) / 1e9
    # A quote from the future is a wrong clock on one side, so its age is as unknown as the clock allows.
    allowed = age_s is not None and -case.limits.max_clock_skew_s <= age_s <= limit
    if age_s is None:
        message = "No quote yet: wait for one"
    elif allowed:
        message = f"Quote {age_s:.1f} s old"
    elif age_s > limit:
        message = f"Quote {told_apart(age_s, limit=limit, decimals=1)} s old, {limit:g} s allowed: wait for a tick"
    else:
        message = f"Quote {-age_s:.1f} s from the future: set this machine's clock"
    return Decision(
        check="quote_age",
        allowed=allowed,
        observed=age_s,
        limit=limit,
        unit="s",
        message=message,
        source=QUOTES,
        transient=True,
    )


def reference_age(case: Case) -> Decision:
    """The reference mid is known and young: younger where a side is empty than where both sides show.

    Where both sides show and the reference is old, one side is our own order; what others last showed may
    then be older, as they have seen ours and did not better it.
    """
    quote = case.snapshot.quote
    both = quote is not None and quote.has_both_sides
    limit = case.limits.max_own_touch_age_s if both else case.limits.max_reference_age_s
    age_s = None if case.reference is None else number(case.snapshot.reference_age_s)
    allowed = age_s is not None and -case.limits.max_clock_skew_s <= age_s <= limit
    if age_s is None:
        message = "No mid or settlement is known: wait for a two-sided quote"
    elif allowed:
        message = f"Mid {age_s:.1f} s old"
    elif age_s > limit:
        figure = told_apart(age_s, limit=limit, decimals=1)
        message = f"Mid {figure} s old, {limit:g} s allowed: wait for a two-sided quote"
    else:
        message = f"Mid {-age_s:.1f} s from the future: set this machine's clock"
    return Decision(
        check="reference_age",
        allowed=allowed,
        observed=age_s,
        limit=limit,
        unit="s",
        message=message,
        source=QUOTES,
        transient=True,
    )
