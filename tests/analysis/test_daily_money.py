"""What the report of a day says of money in short: the prediction against its own fills, equity since when."""

import re

from hydra_nb.analysis.daily.facts import gather
from hydra_nb.analysis.daily.sections import head
from hydra_nb.domain.orders import ParentStatus

from .story import OATS, Story, plan_for, top
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
