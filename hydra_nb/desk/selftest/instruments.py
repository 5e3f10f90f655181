"""Holds what the broker lists of twelve thin futures against a table of our own."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from hydra_nb.broker.port import BrokerPort
from hydra_nb.clock import Clock
from hydra_nb.desk.selftest.finding import Finding, Findings
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import UnknownInstrument
from hydra_nb.sim.instruments import Instrument, read_instruments


async def try_contracts(findings: Findings, *, broker: BrokerPort, clock: Clock) -> None:
    """One row a symbol: tick by the market rule, multiplier, magnifier, time zone, and a session to come."""
    for ours in read_instruments():
        expected = _expected(ours)

        async def look(ours: Instrument = ours, expected: str = expected) -> Finding:
            try:
                listed = await broker.contracts(ours.symbol)
            except UnknownInstrument as unknown:
                return Finding(holds=None, expected=expected, observed="not listed", message=str(unknown))
            return compare(listed, ours=ours, now_ns=clock.now_ns())

        await findings.take(f"contract {ours.symbol}", look, expected=expected)


def compare(listed: Sequence[FutureContract], *, ours: Instrument, now_ns: int) -> Finding:
    """Say what differs in any of the listed months."""
    differs = list(dict.fromkeys(words for contract in listed for words in _differences(contract, ours)))
    if not any(contract.is_open(now_ns) or contract.opens_ns(now_ns) is not None for contract in listed):
        differs.append("no session to come is listed")
    first = listed[0]
    observed = _terms(first.exchange, first.tick, first.multiplier, first.price_magnifier, first.time_zone)
    message = f"{'; '.join(differs)}. Orders go by what the broker tells: compare with the exchange" if differs else ""
    return Finding(
        holds=not differs, expected=_expected(ours), observed=f"{len(listed)} months: {observed}", message=message
    )


def _differences(contract: FutureContract, ours: Instrument) -> Iterator[str]:
    pairs = (
        ("exchange", contract.exchange, ours.exchange),
        ("tick", contract.tick, ours.min_tick),
        ("multiplier", contract.multiplier, Decimal(ours.multiplier)),
        ("magnifier", contract.price_magnifier, ours.price_magnifier),
        ("currency", contract.currency, ours.currency),
        ("time zone", contract.time_zone, ours.time_zone),
    )
    for what, told, expected in pairs:
        if told != expected:
            yield f"{contract.local_symbol}: {what} {told}, {expected} in our table"


def _expected(ours: Instrument) -> str:
    return _terms(ours.exchange, ours.min_tick, Decimal(ours.multiplier), ours.price_magnifier, ours.time_zone)


def _terms(exchange: str, tick: Decimal, multiplier: Decimal, magnifier: int, zone: str) -> str:
    return f"{exchange}, tick {tick.normalize():f}, × {multiplier.normalize():f} / {magnifier}, {zone}"
