"""Which listings a client means by the fields of its contract."""

from collections.abc import Iterable

from hydra_nb.sim.codes import Code, Refusal
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import Listing
from hydra_nb.sim.requests import ContractQuery
from hydra_nb.sim.wire_time import date_text


def matching(listings: Iterable[Listing], *, query: ContractQuery) -> list[Listing]:
    """Listings that fit every field the query fills, nearest last trade date first.

    A contract id decides alone, but for kind and exchange, which must not contradict it. A query that names neither an
    id nor a symbol, a local symbol or a trading class matches nothing.
    """
    if not (query.con_id or query.symbol or query.local_symbol or query.trading_class):
        return []
    fits = _fits_id if query.con_id else _fits_fields
    return sorted((one for one in listings if fits(one, query)), key=lambda listing: listing.last_trade_date)


def the_one(listings: Iterable[Listing], *, query: ContractQuery) -> Listing | Refusal:
    """The single listing that fits, as orders and market data need it."""
    found = matching(listings, query=query)
    if len(found) == 1:
        return found[0]
    if found:
        months = ", ".join(listing.local_symbol for listing in found)
        message = f"The contract description specified for {query.symbol} is ambiguous: {months}"
        return Refusal(code=Code.NO_SUCH_CONTRACT, message=message)
    return Refusal(code=Code.NO_SUCH_CONTRACT, message="No security definition has been found for the request")


def listed(exchange: Exchange, con_id: int) -> Listing:
    """The listing of a contract id that an order, fill or position carries.

    Raises
    ------
    KeyError
        If it is not listed.
    """
    listing = exchange.listing(con_id)
    if listing is None:
        raise KeyError(con_id)
    return listing


def _fits_id(listing: Listing, query: ContractQuery) -> bool:
    return (
        listing.con_id == query.con_id
        and query.security_type in {"", "FUT"}
        and query.exchange in {"", listing.exchange}
    )


def _fits_fields(listing: Listing, query: ContractQuery) -> bool:
    return (
        query.security_type in {"", "FUT"}
        and query.symbol in {"", listing.symbol}
        and query.local_symbol in {"", listing.local_symbol}
        and query.trading_class in {"", listing.trading_class}
        and query.exchange in {"", listing.exchange}
        and query.currency in {"", listing.currency}
        and query.multiplier in {"", listing.multiplier}
        and query.month in {"", listing.contract_month, date_text(listing.last_trade_date)}
    )
