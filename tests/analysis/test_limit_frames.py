"""The frame of limits, from a journal at rest or with the limits that hold now."""

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.domain import events as ev
from hydra_nb.risk.limit_changes import own_limits
from hydra_nb.risk.limits import BOUNDS, Limits

from .story import Story, ns

WHO = "a-name-that-nobody-else-has"


def opened(limits: Limits) -> ev.LimitsOpened:
    """A desk was opened with these limits."""
    values = [ev.LimitValue(symbol=key[0], limit=key[1], value=value) for key, value in own_limits(limits).items()]
    return ev.LimitsOpened(time_ns=ns(0), values=tuple(values), who=WHO)


def changed(symbol: str, limit: str, old: float | None, new: float | None, *, at: float) -> ev.LimitsChanged:
    """One limit became another."""
    return ev.LimitsChanged(
        time_ns=ns(at), limit=limit, symbol=symbol, old=old, new=new, reason="wider spreads", who=WHO
    )


def test_limits_of_all_come_first_then_those_that_symbols_have_of_their_own() -> None:
    """Each with its unit, default and direction; what was never changed has no time of change."""
    story = Story()
    story.tell(opened(Limits(collar_ticks=60, symbols={"ZO": {"max_lots_per_order": 5}})))
    story.tell(changed("*", "collar_ticks", 60, 40, at=5))

    table = frames.limits(story.journal)

    assert list(table["limit"]) == [*BOUNDS, "max_lots_per_order"]
    assert list(table["symbol"]) == [*["*"] * len(BOUNDS), "ZO"]
    collar = table[table["limit"] == "collar_ticks"].iloc[0]
    assert (collar["value"], collar["unit"], collar["default"], collar["tighter"]) == (40, "ticks", 120, "lower")
    assert collar["changed"] == pd.Timestamp(ns(5), tz="UTC")
    assert table["changed"].notna().sum() == 1
    assert (table.iloc[-1]["value"], table.iloc[-1]["default"]) == (5, 20)
    assert table.set_index("limit").loc["reset_window_s", "tighter"] == "higher"


def test_who_changed_a_limit_is_in_the_journal_and_not_in_the_frame() -> None:
    """Frames are saved with notebooks, and shown to others."""
    story = Story()
    story.tell(opened(Limits()))
    story.tell(changed("*", "collar_ticks", 120, 40, at=5))

    text = frames.limits(story.journal).to_csv()

    assert "collar_ticks" in text
    assert WHO not in text
    assert [event.who for _, event in story.journal.events() if isinstance(event, ev.LimitsChanged)] == [WHO]


def test_what_holds_now_may_be_told_where_the_journal_is_ahead() -> None:
    """A loosened limit is journalled before it holds."""
    story = Story()
    story.tell(opened(Limits(collar_ticks=40)))
    story.tell(changed("*", "collar_ticks", 40, 120, at=5))

    table = frames.limits(story.journal, in_force=Limits(collar_ticks=40))

    assert table.set_index("limit").loc["collar_ticks", "value"] == 40


def test_a_limit_of_another_version_is_shown_as_far_as_it_is_known() -> None:
    """Its name and its value; unit, default and direction are not known here."""
    story = Story()
    past = ev.LimitValue(symbol="*", limit="max_moonshine", value=3)
    story.tell(ev.LimitsOpened(time_ns=ns(0), values=(past,), who=WHO))

    [row] = frames.limits(story.journal).to_dict("records")

    assert (row["limit"], row["value"]) == ("max_moonshine", 3)
    assert pd.isna(row["unit"])
    assert pd.isna(row["default"])
