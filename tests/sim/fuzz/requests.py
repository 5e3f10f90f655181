"""What clients might send: requests as ib_async writes them, and everything that can be wrong with them."""

import random
from collections.abc import Callable

import ib_async
from ib_async.client import Client
from ib_async.wrapper import Wrapper

from hydra_nb.sim.framing import encode, frame
from hydra_nb.sim.records import Listing

GREETING = b"API\0" + frame(b"v157..178")

# Fields that have broken readers before: too long for int(), beyond Decimal's exponents, zones that are folders,
# times at the edges of the calendar, digits that are not ASCII, counts that lead back.
NASTY = (
    "",
    "-1",
    "0",
    "1",
    "true",
    "9" * 5000,
    "-" + "9" * 4300,
    "9" * 4300,
    str(2**31),
    str(2**63),
    "1e999999999",
    "-1E+99999999999999999999",
    "1e-999999999",
    "1." + "0" * 3000 + "1",
    "nan",
    "sNaN",
    "-Infinity",
    "1.7976931348623157E308",
    "0x10",
    "1_000",
    " 7 ",
    "٣",
    "²",
    "20260310 14:00:01 America",
    "20260310 14:00:01 " + "x" * 5000,
    "20260310 14:00:01 ../../etc/passwd",
    "00010101-00:00:00",
    "00010101 00:00:00 Asia/Tokyo",
    "99991231-23:59:59",
    "99991231 23:59:59 America/Chicago",
    "20260229-24:61:61",
    "٢٠٢٦٠٣١٠-14:00:01",
    "9999 Y",
    "0 D",
    "BAG",
    "FUT",
    "LMT",
    "BUY",
    "GTD",
    "MIDPOINT",
    "1 day",
    "ZO",
    "\\x41\\u0000",
    "\ud7ff\U0001f400",
    "%s%n{0}",
)


class Scribe(Client):
    """ib_async's client, whose messages are kept as lists of fields."""

    def __init__(self, version: int) -> None:
        super().__init__(Wrapper(ib_async.IB()))
        self.connState = Client.CONNECTED
        self._serverVersion = version
        self.written: list[list[str]] = []

    def sendMsg(self, msg: str) -> None:  # noqa: N802  The name is ib_async's.
        """Keep the fields."""
        self.written.append(msg.split("\0")[:-1])


def well_formed(version: int, *, listing: Listing) -> list[list[str]]:
    """One of each request that the gateway serves, but for the two that reach into other connections."""
    scribe = Scribe(version)
    contract = ib_async.Future(conId=listing.con_id, exchange=listing.exchange)
    order = ib_async.LimitOrder("BUY", 1, 100.0, tif="GTD", goodTillDate="20991231-00:00:00")
    what_if = ib_async.LimitOrder("SELL", 2, 100.0, tif="DAY", whatIf=True)
    asks: tuple[Callable[[], None], ...] = (
        lambda: scribe.placeOrder(7, contract, order),
        lambda: scribe.placeOrder(8, contract, what_if),
        lambda: scribe.cancelOrder(7),
        lambda: scribe.reqMktData(9, contract, "", False, False, []),
        lambda: scribe.cancelMktData(9),
        lambda: scribe.reqContractDetails(10, contract),
        lambda: scribe.reqHistoricalData(11, contract, "", "30 D", "1 day", "TRADES", True, 1, False, []),
        lambda: scribe.reqExecutions(12, ib_async.ExecutionFilter(time="20260310-00:00:00")),
        lambda: scribe.reqPnL(13, "", ""),
        lambda: scribe.reqPnLSingle(14, "", "", listing.con_id),
        lambda: scribe.reqAccountSummary(15, "All", "NetLiquidation"),
        lambda: scribe.reqAccountUpdates(True, ""),
        lambda: scribe.reqAccountUpdatesMulti(16, "", "", True),
        lambda: scribe.reqMarketRule(listing.market_rule_id),
        lambda: scribe.reqMarketDataType(3),
        scribe.reqPositions,
        scribe.reqOpenOrders,
        scribe.reqAllOpenOrders,
        lambda: scribe.reqCompletedOrders(False),
        scribe.reqCurrentTime,
        lambda: scribe.reqIds(1),
        scribe.reqManagedAccts,
        lambda: scribe.reqAutoOpenOrders(True),
        lambda: scribe.reqHistoricalTicks(17, contract, "", "", 10, "TRADES", True, False, []),
        lambda: scribe.send(71, 2, 99, ""),
    )
    for ask in asks:
        ask()
    return scribe.written


def garble(fields: list[str], *, dice: random.Random) -> bytes:
    """One request with something wrong with it, as a frame or as bytes that are none."""
    fields = list(fields)
    how = dice.randrange(8)
    if how <= 2:
        for _ in range(dice.randint(1, 3)):
            fields[dice.randrange(1, len(fields)) if len(fields) > 1 else 0] = dice.choice(NASTY)
    elif how == 3:
        del fields[dice.randrange(len(fields)) :]
    elif how == 4:
        position = dice.randrange(len(fields))
        fields[position:position] = [dice.choice(NASTY) for _ in range(dice.randint(1, 4))]
    elif how == 5:
        fields = [dice.choice((*map(str, range(110)), *NASTY)), *dice.choices(NASTY, k=dice.randint(0, 30))]
        fields = ["0", *fields[1:]] if fields[0] == "58" else fields
    data = encode(fields) if fields else frame(b"\0")
    if how == 6:
        raw = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            raw[dice.randrange(4, len(raw))] = dice.randrange(256)
        data = bytes(raw)
    elif how == 7:
        data = frame(dice.randbytes(dice.randint(1, 200)))
    return data


def noise(dice: random.Random) -> bytes:
    """Bytes of a connection that may never become a client: greetings, lengths and versions gone wrong."""
    opening = dice.choice((b"", b"API\0", b"API", b"GET / HTTP/1.1\r\n\r\n", GREETING))
    version = b"v" + dice.choice((b"157..178", b"9" * 5000, b"..", b"\xd9\xa3", b"178..157", b"157.." + b"9" * 4400))
    tail = dice.choice((frame(version), dice.randbytes(dice.randint(0, 64)), b"\xff\xff\xff\xff", bytes(4), b""))
    return opening + tail
