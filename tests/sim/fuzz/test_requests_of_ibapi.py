"""Whatever IB's own client writes, the gateway reads as it was put in."""

import json
import subprocess
from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.sim.framing import decode
from hydra_nb.sim.messages import parse
from tests.sim.foreign.environments import NEW_IBAPI, OLD_IBAPI, SCRIPTS, python_with

from . import rounds

WRITE_TIMEOUT_S = 240
_NUMBERS = {"quantity", "limit_price"}  # read as text, so that nothing is lost before it is judged


def value_of(request: Any, name: str) -> Any:
    """A field of a request, or of the contract in it."""
    for part in name.split("."):
        request = getattr(request, part)
    if name in _NUMBERS:
        return float(Decimal(request))
    return list(request) if isinstance(request, tuple) else request


@pytest.mark.parametrize("seed", range(rounds(1, full=12)))
@pytest.mark.parametrize(
    ("requirements", "lowest", "highest"), [(OLD_IBAPI, 157, 157), (NEW_IBAPI, 157, 178)], ids=["9.81.1", "10.46.1"]
)
def test_requests_of_ibapi_are_read_as_they_were_put_in(
    requirements: tuple[str, ...], lowest: int, highest: int, seed: int
):
    """Every kind of request with random values and optional parts, at every version that this generation agrees to."""
    count = 220 // (highest - lowest + 1)
    python = python_with(*requirements)

    done = subprocess.run(
        [python, SCRIPTS / "ibapi_writer.py", str(count), str(lowest), str(highest), str(seed)],
        capture_output=True,
        text=True,
        timeout=WRITE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    failures = []
    for line in done.stdout.splitlines():
        version, message, kind, wanted = json.loads(line)
        request = parse(decode(bytes.fromhex(message)), server_version=version)
        read = {name: value_of(request, name) for name in wanted} if type(request).__name__ == kind else request
        if read != wanted:
            failures.append((version, kind, wanted, read))

    assert failures == []
    assert len(done.stdout.splitlines()) > 20 * count * (highest - lowest + 1)
