"""Gateways and traders in processes of their own, and a client that looks at the gateway from outside."""

import asyncio
import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO

import ib_async

HYDRA_NB = "from hydra_nb.cli import main; main()"
OTHER_CLIENT = 77
ANSWER_S = 30


class Lines:
    """What a process prints, line by line, with an end to every wait."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: Queue[str | None] = Queue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line.strip())
        self._lines.put(None)

    def next(self, *, timeout_s: float = ANSWER_S) -> str:
        """The next line; AssertionError where none comes in time, or ever."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except Empty:
            raise AssertionError(f"no line within {timeout_s} s") from None
        assert line is not None, "the process ended without another line"
        return line


@contextlib.contextmanager
def gateway(*, speed: float, seed: int = 7) -> Iterator[int]:
    """A simulated gateway as a program of its own; gives its port."""
    words = [sys.executable, "-c", HYDRA_NB, "gateway", "--port", "0", "--speed", str(speed), "--seed", str(seed)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", Lines(process.stdout).next())
            assert found is not None
            yield int(found[1])
        finally:
            process.kill()


@dataclass(frozen=True, kw_only=True)
class SeenOrder:
    """An order as the gateway tells anyone who asks."""

    order_ref: str
    lots: float
    limit_price: float
    is_open: bool


class Onlooker:
    """A bare client of another hand, with another client id."""

    def __init__(self, ib: ib_async.IB) -> None:
        self._ib = ib

    async def wait_until(self, time_ns: int) -> None:
        """Wait until the gateway's own time, which it tells in whole seconds, is past this."""
        while True:
            now = await self._ib.reqCurrentTimeAsync()
            if int(now.timestamp()) * 1_000_000_000 > time_ns:
                return
            await asyncio.sleep(0.05)

    async def orders(self) -> list[SeenOrder]:
        """Every order that the gateway ever accepted, of all clients, open or done."""
        # The open ones first: an order that ends between the two questions is then in both answers, and never in none.
        open_now = await self._ib.reqAllOpenOrdersAsync()
        done = await self._ib.reqCompletedOrdersAsync(apiOnly=True)
        open_refs = {trade.order.orderRef for trade in open_now}
        done_refs = {trade.order.orderRef for trade in done}
        return [
            SeenOrder(
                order_ref=trade.order.orderRef,
                lots=trade.order.totalQuantity,
                limit_price=trade.order.lmtPrice,
                is_open=trade.order.orderRef in open_refs - done_refs,
            )
            for trade in [*open_now, *done]
        ]

    async def fills(self) -> dict[str, tuple[str, float, float]]:
        """Every execution since midnight by its id: orderRef, lots, price."""
        found = await self._ib.reqExecutionsAsync(ib_async.ExecutionFilter())
        return {f.execution.execId: (f.execution.orderRef, f.execution.shares, f.execution.price) for f in found}


@contextlib.asynccontextmanager
async def onlooker(port: int) -> AsyncIterator[Onlooker]:
    """Connect a client that only looks."""
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=OTHER_CLIENT, timeout=ANSWER_S)
    try:
        yield Onlooker(ib)
    finally:
        ib.disconnect()
        await asyncio.sleep(0)


@contextlib.contextmanager
def traders(port: int, *, speed: float, journal: Path) -> Iterator[tuple[IO[str], Lines]]:
    """The program that makes trading processes; gives its input and what it prints."""
    words = [sys.executable, str(Path(__file__).with_name("trader.py")), str(port), str(speed), str(journal)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = Lines(process.stdout)
        try:
            assert lines.next() == "ready"
            yield process.stdin, lines
        finally:
            process.kill()
