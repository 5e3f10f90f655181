"""Recorded quotes as rows of a tape: one contract, times in nanoseconds, NaN where unknown."""

import math
from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.analysis.columns import QUOTES, make_frame
from hydra_nb.analysis.replay import replay_rows
from hydra_nb.errors import InvalidFrame
from hydra_nb.sim.models.tape_rows import read_tape

START_NS = 1_800_000_000_000_000_001
ROW = {"bid": 350.0, "bid_size": 3, "ask": 351.0, "ask_size": 2, "last": None, "last_size": None, "volume": 10}


def quotes(*symbols: str) -> pd.DataFrame:
    """A quote of each symbol, a second apart, the volume growing by one each time."""
    return make_frame(
        QUOTES,
        (
            {**ROW, "time": START_NS + n * 10**9, "local_symbol": symbol, "last": 350.5, "volume": 10 + n}
            for n, symbol in enumerate(symbols)
        ),
    )


def test_quotes_of_a_desk_make_a_tape() -> None:
    """To the nanosecond, with what is unknown as NaN, and readable by the tape itself."""
    frame = quotes("ZOH7", "ZOK7", "ZOH7")
    frame.loc[2, "ask"] = math.nan

    rows = replay_rows(frame, local_symbol="ZOH7")
    tape = read_tape(rows, tick=Decimal("0.25"))

    assert [one[0] for one in rows] == [START_NS, START_NS + 2 * 10**9]
    assert math.isnan(rows[1][3])
    assert (tape[0].bid_ticks, tape[0].ask_ticks, tape[1].ask_ticks, tape[1].printed_lots) == (1400, 1404, None, 2)


UNUSABLE = [
    ("lack ask_size", lambda frame: frame.drop(columns="ask_size")),
    ("ZOH7, ZOK7; name it", lambda frame: frame),
    ("of none", lambda frame: frame.iloc[:0]),
    ("no time zone", lambda frame: frame.assign(local_symbol="ZOH7", time=frame["time"].dt.tz_localize(None))),
    ("no numbers", lambda frame: frame.assign(local_symbol="ZOH7", bid="x")),
]


@pytest.mark.parametrize(("message", "spoil"), UNUSABLE)
def test_frames_that_are_no_tape_are_refused(message: str, spoil: object) -> None:
    """Each with what it lacks."""
    assert callable(spoil)

    with pytest.raises(InvalidFrame, match=message):
        replay_rows(spoil(quotes("ZOH7", "ZOK7")))
