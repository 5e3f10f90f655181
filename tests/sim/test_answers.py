"""Daily bars up to an end in the past, asked of the exchange directly."""

import pytest

from hydra_nb.sim import requests as ask
from hydra_nb.sim.answers import historical_data
from hydra_nb.sim.codes import Code, Refusal
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.framing import decode
from hydra_nb.sim.wire_time import NS_PER_S, good_till_text

DAY_NS = 86_400 * NS_PER_S


def dates_of_bars(exchange: Exchange, *, end: str, duration: str = "3 D") -> list[str] | Code:
    """Days of the bars that a question gets, or the code of its refusal."""
    contract = ask.ContractQuery(con_id=exchange.listings[0].con_id)
    request = ask.HistoricalData(
        req_id=1,
        contract=contract,
        end=end,
        bar_size="1 day",
        duration=duration,
        what="TRADES",
        keep_up_to_date=False,
    )
    answer = historical_data(exchange, request, exchange.start_ns)
    return answer.code if isinstance(answer, Refusal) else decode(answer[0][4:])[5::8]


def test_bars_end_on_the_day_before_the_end_asked_for():
    """Whether that lies before the market's first day or at its present."""
    exchange = Exchange(seed=7)
    long_ago = good_till_text(exchange.start_ns - 30 * DAY_NS)

    latest = dates_of_bars(exchange, end="", duration="40 D")
    earlier = dates_of_bars(exchange, end=long_ago)

    assert isinstance(latest, list)
    assert isinstance(earlier, list)
    assert len(latest) == 40
    assert earlier == [date for date in latest if date < long_ago[:8]][-3:]


@pytest.mark.parametrize("end", ["19800101-00:00:00", "00010101-00:00:00", "99991231 23:59:59 America/Chicago"])
def test_an_end_beyond_all_bars_is_refused(end: str):
    """162, for a day without bars as for one that no calendar has."""
    assert dates_of_bars(Exchange(seed=7), end=end) is Code.HISTORICAL_DATA
