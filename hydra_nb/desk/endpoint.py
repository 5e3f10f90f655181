"""Where a desk connects to, and the embedded gateway behind ``"sim"``."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hydra_nb.errors import GatewayUnreachable, InvalidOrder
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.gateway import SimulatedGateway
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop
from hydra_nb.sim.session import GatewayCore

DEFAULT_SEED = 7
"""Seed of the embedded market where none is given, so that a tour reads the same for everyone."""

_NAMED_PORTS = {"paper": 4002, "live": 4001}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address to connect to.

    Attributes
    ----------
    embedded
        Whether the gateway behind it is our own, of this desk alone.
    speed
        Market seconds in a second of the loop.
    stop
        Ends the embedded gateway; does nothing for any other.
    """

    host: str
    port: int
    embedded: bool
    speed: float
    is_virtual: bool
    stop: Callable[[], None]


def _nothing() -> None:
    """There is nothing to stop."""


def open_endpoint(name: str, *, seed: int | None, speed: float | str) -> Endpoint:
    """Give the address behind a name; ``"sim"`` starts a gateway first.

    Raises
    ------
    InvalidOrder
        The name or the speed cannot be understood.
    """
    rate = _rate(speed)
    if name == "sim":
        return _start_embedded(DEFAULT_SEED if seed is None else seed, speed=speed, rate=rate)
    if seed is not None:
        raise InvalidOrder(f"seed={seed} is for the embedded market only; {name!r} has its own")
    if speed == "max":
        raise InvalidOrder("speed='max' is for the embedded market only")
    host, port = _address(name)
    return Endpoint(host=host, port=port, embedded=False, speed=rate, is_virtual=False, stop=_nothing)


def _rate(speed: float | str) -> float:
    if speed == "max":
        return 1.0
    try:
        rate = float(speed)
    except (TypeError, ValueError):
        raise InvalidOrder(f"speed {speed!r} is no number; 1 is real time, 60 a minute in a second") from None
    if not 0 < rate <= 1000:
        raise InvalidOrder(f"speed {speed!r} is outside 0 to 1000")
    return rate


def _start_embedded(seed: int, *, speed: float | str, rate: float) -> Endpoint:
    if speed == "max":
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise InvalidOrder(
                "speed='max' is virtual time, for callers that own the loop: see hydra_nb.sim.run_virtual"
            )
        loop.attach(GatewayCore(Exchange(seed=seed)))
        return Endpoint(host=SIM_HOST, port=0, embedded=True, speed=rate, is_virtual=True, stop=_nothing)
    gateway = SimulatedGateway(seed=seed, speed=rate).start()
    return Endpoint(host="127.0.0.1", port=gateway.port, embedded=True, speed=rate, is_virtual=False, stop=gateway.stop)


def _address(name: str) -> tuple[str, int]:
    if name in _NAMED_PORTS:
        return "127.0.0.1", _NAMED_PORTS[name]
    host, _, port = name.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise GatewayUnreachable(
            f"endpoint {name!r} is no address; say 'sim', 'paper', 'live', or for instance '127.0.0.1:4002'"
        )
    return host.strip("[]"), int(port)
