"""A quiet market that takes down what it is asked and when, a stranger's order on it, and the orders still at work."""

import asyncio
import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ib_async

from hydra_nb.desk.desk import Desk
from hydra_nb.sim import requests as ask
from hydra_nb.sim.connection import Session
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.gateway import SimulatedGateway
from hydra_nb.sim.session import GatewayCore
from tests.whole_stack import ScriptedExchange, steady

OWN = "hy:"
STRANGER, FOREIGN = 9, "somebody-else"
SEED = 7

ORDERS = """
import asyncio, time, logging, hydra_nb
desk = await hydra_nb.connect("127.0.0.1:{port}", journal="journal.sqlite")
parents = []
for symbol in ("ZO", "KE", "PL"):
    plan = await desk.preview("BUY", 1, symbol, strategy="limit_patience", seed=1)
    parents.append(await desk.submit(plan))
while sum(desk.orders()["state"] == "working") < len(parents):
    await asyncio.sleep(0.02)
print(desk.kill_address)
"""
"""A cell that leaves three orders of our own at work and prints the address of the button."""


async def rest_three(desk: Desk) -> None:
    """Leave three orders of our own at work."""
    for symbol in ("ZO", "KE", "PL"):
        await desk.submit(await desk.preview("BUY", 1, symbol, strategy="limit_patience", seed=1))
    while sum(desk.orders()["state"] == "working") < 3:  # noqa: ASYNC110  a test looks from outside
        await asyncio.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came in: seconds of the host's clock, who, what."""

    at_s: float
    client_id: int | None
    request: ask.Request


class _WitnessCore(GatewayCore):
    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.asked: list[Asked] = []

    def handle(self, session: Session, request: ask.Request, now_ns: int) -> None:
        self.asked.append(Asked(at_s=time.monotonic(), client_id=session.client_id, request=request))
        super().handle(session, request, now_ns)


class Floor:
    """A gateway in this process, for kernels in others."""

    def __init__(self, *, speed: float) -> None:
        self.gateway = SimulatedGateway(seed=SEED, speed=speed)
        self.gateway._exchange = ScriptedExchange(seed=SEED, script=steady("370.00", "372.00"))
        self.gateway._core = self.core = _WitnessCore(self.gateway.exchange)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.gateway.port

    def at_work(self, prefix: str = OWN) -> list[str]:
        """References of the orders that work at the exchange itself, of those that begin so."""
        open_now = self.gateway.call(self.gateway.exchange.open_orders)
        return sorted(one.terms.order_ref for one in open_now if one.terms.order_ref.startswith(prefix))

    def asked_since(self, at_s: float, kind: type[ask.Request]) -> list[Asked]:
        """Requests of one kind that came in after a moment."""
        return [one for one in list(self.core.asked) if one.at_s > at_s and isinstance(one.request, kind)]

    def seconds_until(self, condition: Callable[[], bool], *, at_most_s: float) -> float:
        """Host seconds until something holds; AssertionError where it does not in time."""
        began_s = time.monotonic()
        while not condition():
            assert time.monotonic() - began_s < at_most_s, f"not within {at_most_s} s; at work: {self.at_work('')}"
            time.sleep(0.005)
        return time.monotonic() - began_s


@contextlib.contextmanager
def floor(*, speed: float = 1.0) -> Iterator[Floor]:
    """Open a gateway with an order of a stranger resting on it, whose order it has to remain."""
    made = Floor(speed=speed)
    with made.gateway, _stranger(made):
        yield made


@contextlib.contextmanager
def _stranger(made: Floor) -> Iterator[None]:
    """Another client, in a thread of its own, with one order that rests far from the market."""
    resting, leave = threading.Event(), threading.Event()

    async def trade() -> None:
        ib = ib_async.IB()
        await ib.connectAsync("127.0.0.1", made.port, clientId=STRANGER)
        (oats,) = (await ib.reqContractDetailsAsync(ib_async.Future("ZO", exchange="CBOT")))[:1]
        order = ib_async.LimitOrder("BUY", 1, 365.0, tif="DAY", orderRef=FOREIGN, account=made.gateway.account)
        ib.placeOrder(oats.contract, order)
        while not made.at_work(FOREIGN):  # noqa: ASYNC110  the exchange calls nobody
            await asyncio.sleep(0.01)
        resting.set()
        while not leave.is_set():  # noqa: ASYNC110  it is of another thread
            await asyncio.sleep(0.05)
        ib.disconnect()

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(trade())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert resting.wait(timeout=30), "the stranger's order never rested"
    try:
        yield
    finally:
        leave.set()
        thread.join(timeout=5)


def press(address: str, *, method: str = "POST", host: str | None = None) -> int:
    """Do what the button in the browser does; gives the status of the answer."""
    request = urllib.request.Request(address, method=method, data=b"" if method == "POST" else None)  # noqa: S310
    if host is not None:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  an address of loopback
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
