"""Plans in the same markets: differences path by path, how surely, and what cannot be compared."""

import math
from dataclasses import replace

import pytest

from hydra_nb.analysis import rehearsal_columns
from hydra_nb.domain.units import Side
from hydra_nb.errors import AnalysisError
from hydra_nb.rehearsal.comparison import COMPARED, Comparison
from hydra_nb.rehearsal.rehearsal import Rehearsal
from tests.rehearsal.made_up import drawn, fill, outcome, refused, rehearsal
from tests.rehearsal.test_rehearsal import has_columns


def plan(label: str, *, paths: int = 200, first: int = 0, bonus_ticks: float = 0.0, **changes: float) -> Rehearsal:
    """A plan in the markets of these seeds, so many ticks a lot cheaper than the others."""
    outcomes = [drawn(seed, bonus_ticks=bonus_ticks) for seed in range(first, first + paths)]
    return rehearsal(*outcomes, label=label, **changes)


def test_a_difference_that_every_market_shares_is_sure() -> None:
    """Half a tick in each market is half a tick; each plan by itself is known to a quarter of a tick at best."""
    told = plan("eager").compare(plan("patient", bonus_ticks=0.5))

    assert has_columns(told, rehearsal_columns.PAIRED)
    assert told["quantity"].tolist() == list(COMPARED)
    row = told.set_index("quantity").loc["slippage_ticks"]
    assert (row["plan"], row["against"], row["paths"]) == ("patient", "eager", 200)
    assert row["difference"] == pytest.approx(-0.5)
    assert (row["low"], row["high"]) == (pytest.approx(-0.5), pytest.approx(-0.5))
    assert (row["less_share"], row["equal_share"]) == (1.0, 0.0)
    alone = plan("eager").summary().set_index("quantity").loc["slippage_ticks", "mean_error"]
    assert alone > 0.25


def test_markets_in_which_one_plan_has_no_cost_are_left_out_and_counted() -> None:
    """Three markets; one in which the second plan filled nothing, one in which both cost the same."""
    first = rehearsal(*(outcome(seed, fill(slippage_ticks=4.0)) for seed in (1, 2, 3)))
    second = rehearsal(
        outcome(1, fill(slippage_ticks=1.0)), outcome(2, fill(slippage_ticks=4.0)), outcome(3), label="other"
    )

    told = first.compare([second]).set_index("quantity")

    row = told.loc["slippage_ticks"]
    assert (row["paths"], row["unknown"], row["difference"]) == (2, 1, -1.5)
    assert (row["less_share"], row["equal_share"]) == (0.5, 0.5)
    assert told.loc["shortfall_lots", "difference"] == pytest.approx(1 / 3)
    assert told.loc["all_lots_ticks", ["paths", "unknown"]].tolist() == [3, 0]


def test_plans_of_other_markets_or_contracts_are_refused() -> None:
    """Other seeds, the same in another order, another model, contract or side; none at all."""
    first = plan("first", paths=3)
    turned = rehearsal(*reversed(first.outcomes), label="turned")

    for other in (plan("other", paths=3, first=10), plan("more", paths=4), turned):
        with pytest.raises(AnalysisError, match=f"{other.rehearsed.label} was rehearsed in other markets than first"):
            first.compare(other)
    with pytest.raises(AnalysisError, match=r"than first: 4 paths, not 3; .*rehearse\(plans\)"):
        first.compare(plan("more", paths=4))
    with pytest.raises(AnalysisError, match="than first: paths of other seeds, or in another order;"):
        first.compare(turned)
    with pytest.raises(AnalysisError, match="than first: seed 8, not 5;"):
        replace(first, seed=5).compare(replace(plan("other", paths=3, first=10), seed=8))
    with pytest.raises(AnalysisError, match="than first: begun at another instant or price, world another, not ;"):
        first.compare(rehearsal(*first.outcomes, label="second", world="another"))
    with pytest.raises(AnalysisError, match=r"rehearse\(plans\), all by one fidelity"):
        first.compare(rehearsal(*first.outcomes, label="second", world="another", fidelity="wire"))
    with pytest.raises(AnalysisError, match="than first: model 'another model', not 'a market that was made up';"):
        first.compare(rehearsal(*first.outcomes, label="second", model="another model"))
    with pytest.raises(AnalysisError, match="is SELL ZOH7, first BUY ZOH7"):
        first.compare(rehearsal(*first.outcomes, label="second", side=Side.SELL))
    with pytest.raises(AnalysisError, match="second is BUY LBRH7"):
        first.compare(rehearsal(*first.outcomes, label="second", local_symbol="LBRH7"))
    with pytest.raises(AnalysisError, match="no rehearsal to compare"):
        Comparison(rehearsals=())


def test_summaries_stand_below_each_other_and_equal_labels_are_told_apart() -> None:
    """Each plan has all quantities; two of one name get a number."""
    both = Comparison(rehearsals=(plan("mine", paths=20), plan("mine", paths=20)))

    told = both.summary()

    assert has_columns(told, rehearsal_columns.COMPARISON_SUMMARY)
    assert told["plan"].unique().tolist() == ["mine (1)", "mine (2)"]
    assert told.groupby("plan").size().nunique() == 1
    assert repr(both) == "<Comparison of mine (1), mine (2): 20 common markets>"


def test_the_frontier_takes_the_cost_of_all_lots_and_of_the_filled_where_that_is_unknown() -> None:
    """What lots without a fill missed is part of the cost, unless no path of a plan knows it."""
    known = plan("known", paths=30, patience_s=60.0)
    unknown = rehearsal(
        *(outcome(seed, fill(), opportunity_ticks=math.nan) for seed in range(30)), label="unknown", patience_s=600.0
    )

    whole, filled = Comparison(rehearsals=(known,)).frontier(), Comparison(rehearsals=(known, unknown)).frontier()

    assert has_columns(filled, rehearsal_columns.FRONTIER)
    assert whole["cost"].tolist() == ["all_lots_ticks"]
    assert filled["cost"].tolist() == ["slippage_ticks", "slippage_ticks"]
    assert filled["cost_ticks"].iloc[1] == 2.0
    assert filled["patience_s"].tolist() == [60.0, 600.0]
    assert (filled["low_ticks"] <= filled["cost_ticks"]).all()


def test_the_card_has_a_row_a_plan_with_the_paired_difference() -> None:
    """Of the first there is none; the second is half a tick cheaper in every market."""
    both = Comparison(
        rehearsals=(plan("eager"), plan("pa<tient", bonus_ticks=0.5), rehearsal(*map(refused, range(200))))
    )

    card = both._repr_html_()

    assert '<td class="">−0.5</td>' in card
    assert "pa&lt;tient" in card
    assert card.count('<tr class="">') == 3
