"""What the report of a day says of money in short: the prediction against its own fills, equity since when."""

import datetime as dt
import re
from decimal import Decimal

import pandas as pd
import pytest

from hydra_nb.analysis.daily import TradingDay
from hydra_nb.analysis.daily.facts import gather
from hydra_nb.analysis.daily.sections import head
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import ParentStatus

from .story import OATS, Story, ns, plan_for, top
from .test_daily import only, report


def figures(story: Story, date: str = "2026-03-03") -> dict[str, tuple[str, str]]:
    """The key figures on the page of a day: what stands under each name, and below it."""
    shown = head(gather(story.journal, date))
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd><dd class=\"under\">(.*?)</dd>", shown)
    return {name: (value, under) for name, value, under in found}


def three_fills(*predicted: str | None) -> Story:
    """An order of three lots, one a slice, at 0.5, 1.5 and 2.5 points above its arrival: 25, 75 and 125 USD."""
    story, quote, plan = Story(), top(OATS, "370", "371"), plan_for(OATS, 1, 1, 1)
    story.submitted("P-0001", plan, quote)
    for number, one in enumerate(predicted, 1):
        price, at = str(370 + number), 10 * number
        ref = story.gated("P-0001", number, plan=plan, price=price, quote=quote, at=at, predicted=one)
        story.sent(ref, at=at)
        story.filled(ref, f"000{number}.01.01", 1, price, at=at + 1, quote=quote)
    story.over("P-0001", status=ParentStatus.FILLED, at=60)
    return story


def test_a_prediction_is_held_against_the_slippage_of_its_own_fills() -> None:
    """Two of three fills were predicted, 25 USD each, and cost 25 and 75: not the 225 of all three."""
    story = three_fills("0.5", "0.5", None)

    found = report(story)

    names = ["slippage_cash", "predicted_cash", "compared_cash", "predicted_fills"]
    for row in (only(found.summary), only(found.currencies)):
        assert [row[one] for one in names] == [225.0, 50.0, 100.0, 2]
    assert figures(story)["Predicted"] == ("+50.00 USD", "+100.00 USD paid, 2 of 3 fills")
    assert "slippage +225.00 USD, predicted +50.00 USD (+100.00 USD paid, 2 of 3 fills)" in found._repr_html_()
    assert figures(three_fills(None, None, None))["Predicted"] == ("–", "0 of 3 fills predicted")


def equity_told(story: Story, equity: int, *, at: float) -> None:
    """The broker told the account's equity, so many seconds after Tuesday 3 March, 09:00 in Chicago."""
    story.tell(
        ev.AccountReported(
            time_ns=ns(at), currency="USD", equity=Decimal(equity), realised_pnl=None, unrealised_pnl=None
        )
    )


DAY_S = 24 * 3_600


@pytest.mark.parametrize(
    ("days", "date", "since"),
    [
        (1, "2026-03-04", "over the day"),
        (2, "2026-03-05", "since Tue 03 Mar 2026"),
        (6, "2026-03-09", "since Tue 03 Mar 2026"),
        (21, "2026-03-24", "since Tue 03 Mar 2026"),
    ],
)
def test_a_difference_of_equity_that_is_older_than_the_day_says_since_when(days: int, date: str, since: str) -> None:
    """On the page, on the card and in the summary; that of the evening before is the day's own."""
    story = Story()
    equity_told(story, 100_000, at=0)
    equity_told(story, 101_500, at=days * DAY_S)

    found = report(story, date)

    row = only(found.summary)
    assert (row["pnl"], row["pnl_since"]) == (1_500.0, pd.Timestamp(ns(0), tz="UTC"))
    assert figures(story, date)[f"Equity {since}"] == ("+1,500.00 USD", "+1.50\u2009%")
    assert f"equity {since} +1,500.00 USD" in found._repr_html_()


def test_the_difference_of_a_monday_is_since_its_friday() -> None:
    """Whatever was told on the weekend; the days between are no trading days."""
    days = [TradingDay.on(dt.date(2026, 3, date)) for date in range(2, 10)]  # Monday to Monday

    before = [day.before.date.day for day in days[1:]]

    assert before == [2, 3, 4, 5, 6, 6, 6]


def test_of_a_day_in_which_no_equity_was_told_the_difference_is_not_known() -> None:
    """Positions are worth something else by then, and one figure has no difference from itself: neither is 0."""
    story = Story()
    equity_told(story, 100_000, at=0)
    story.journal.append_quote(top(OATS, "370", "371", time_ns=ns(7 * DAY_S)), "ZOK6")

    found, first = report(story, "2026-03-10"), report(story)

    assert only(found.account)["equity_end"] == 100_000.0
    assert pd.isna([one.summary.at[0, name] for one in (found, first) for name in ("pnl", "pnl_since")]).all()
    assert figures(story, "2026-03-10")["Equity over the day"] == ("–", "not told")
    assert "equity" not in found._repr_html_()
