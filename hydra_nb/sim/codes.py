"""Codes that IB's message 4 carries, as far as the wire session gives them itself.

The exchange gives its own codes for orders (201, 110, 103, 10147 and others) in `OrderRejected.code`.
"""

from dataclasses import dataclass
from enum import IntEnum


class Code(IntEnum):
    """IB's numbers for errors, warnings and notices."""

    TOO_MANY_TICKERS = 101
    HISTORICAL_DATA = 162
    NO_SUCH_CONTRACT = 200
    ORDER_REJECTED = 201
    ORDER_CANCELLED = 202
    CANNOT_READ = 320  # a message was cut short, or a field is not what it should be
    CANNOT_VALIDATE = 321
    TOO_MANY_STREAMS = 322
    CLIENT_ID_IN_USE = 326
    BAD_GOOD_TILL_DATE = 343
    NOT_SUBSCRIBED = 354
    ORDER_TYPE_NOT_SERVED = 387
    SIZE_NOT_POSITIVE = 434
    NOT_CONNECTED = 504
    UNKNOWN_MESSAGE = 505
    MARKET_DATA_FARM_OK = 2104
    HISTORICAL_FARM_OK = 2106
    DEFINITION_FARM_OK = 2158
    NO_TICK_BY_TICK = 10189
    FRACTIONAL_SIZE = 10318


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request gets an error instead of an answer."""

    code: Code
    message: str


FARM_NOTICES = (
    (Code.MARKET_DATA_FARM_OK, "Market data farm connection is OK:simfarm"),
    (Code.HISTORICAL_FARM_OK, "HMDS data farm connection is OK:simhmds"),
    (Code.DEFINITION_FARM_OK, "Sec-def data farm connection is OK:simdef"),
)
