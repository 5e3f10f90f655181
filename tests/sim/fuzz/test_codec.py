"""Whatever the gateway writes, three families of clients read back as it was put in."""

import json
import random
import subprocess
from typing import Any

import pytest

from tests.sim.decoding import Call, payloads, read_by_ib_async
from tests.sim.foreign.environments import NEW_IBAPI, OLD_IBAPI, SCRIPTS, python_with

from . import rounds
from .samples import Sample, every_kind

VERSIONS = range(157, 179)
DECODE_TIMEOUT_S = 240

# What the newest generation of ibapi calls otherwise; a name that is not here is the same.
_RENAMED = {
    "commissionAndFeesReport": "commissionReport",
    "commissionAndFees": "commission",
    "commissionAndFeesCurrency": "commissionCurrency",
    "wap": "average",
}


def read_by_ibapi(samples: list[tuple[int, Sample]], *, requirements: tuple[str, ...]) -> list[list[Call]]:
    """The calls of ibapi's decoder for each sample, all in one process of its own."""
    records = bytearray()
    counts = []
    for version, sample in samples:
        messages = list(payloads(sample.frames))
        counts.append(len(messages))
        for message in messages:
            records += (len(message) + 2).to_bytes(4, "big") + version.to_bytes(2, "big") + message
    done = subprocess.run(
        [python_with(*requirements), SCRIPTS / "ibapi_decoder.py"],
        input=bytes(records),
        capture_output=True,
        timeout=DECODE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    lines = iter(done.stdout.splitlines())
    return [[call for _ in range(count) for call in json.loads(next(lines))] for count in counts]


def holds(expected: Any, told: Any) -> bool:
    """Whether a value was told as expected: objects in the attributes named, lists in every item."""
    if isinstance(expected, dict):
        told = {_RENAMED.get(name, name): value for name, value in told.items()}
        return all(name in told and holds(value, told[name]) for name, value in expected.items())
    if isinstance(expected, list):
        told = told or []  # ibapi has None where there are no conditions
        return len(expected) == len(told) and all(map(holds, expected, told))
    return bool(expected == told)


def differences(expected: list[Call], heard: list[Call]) -> list[str]:
    """What was heard otherwise than expected; empty where all is well."""
    heard = [(_RENAMED.get(name, name), _without_extras(name, arguments)) for name, arguments in heard]
    if [name for name, _ in expected] != [name for name, _ in heard]:
        return [f"expected {expected}, heard {heard}"]
    return [
        f"{name}: expected {wanted}, heard {told}"
        for (name, wanted), (_, told) in zip(expected, heard, strict=True)
        if not holds(wanted, told)
    ]


def _without_extras(name: str, arguments: list[Any]) -> list[Any]:
    """An error as request id, code and text: the newest ibapi puts a time before the code, others a JSON at the end."""
    if name != "error":
        return arguments
    is_timed = len(arguments) > 2 and isinstance(arguments[2], int)
    return [arguments[0], *arguments[2:4]] if is_timed else arguments[:3]


def drawn(count: int, *, versions: range, seed: int) -> list[tuple[int, Sample]]:
    """So many samples of every kind at every version."""
    rng = random.Random(seed)  # noqa: S311  The seed decides the test, no secret hangs on it.
    return [
        (version, sample) for version in versions for _ in range(count) for sample in every_kind(rng, version=version)
    ]


@pytest.mark.parametrize("seed", range(rounds(2, full=50)))
def test_ib_async_reads_back_what_was_put_in(seed: int):
    """Every kind of message with random values, at every version."""
    failures = [
        (version, sample.kind, difference)
        for version, sample in drawn(8, versions=VERSIONS, seed=seed)
        for difference in differences(sample.by_ib_async, read_by_ib_async(sample.frames, version=version))
    ]

    assert failures == []


@pytest.mark.parametrize("seed", range(rounds(1, full=12)))
@pytest.mark.parametrize(
    ("requirements", "versions"),
    [(OLD_IBAPI, range(157, 158)), (NEW_IBAPI, VERSIONS)],
    ids=["9.81.1", "10.46.1"],
)
def test_ibapi_reads_back_what_was_put_in(requirements: tuple[str, ...], versions: range, seed: int):
    """Every kind of message with random values, at every version that this generation agrees to."""
    samples = drawn(440 // len(versions), versions=versions, seed=seed)

    heard = read_by_ibapi(samples, requirements=requirements)
    failures = [
        (version, sample.kind, difference)
        for (version, sample), calls in zip(samples, heard, strict=True)
        for difference in differences(sample.by_ibapi, calls)
    ]

    assert failures == []
