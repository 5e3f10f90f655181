"""Limits: what they may be, and how they are read from a file."""

import dataclasses
import math
from pathlib import Path

import pytest

from hydra_nb.errors import LimitsError
from hydra_nb.risk.limits import BOUNDS, Limits


def test_every_limit_has_bounds():
    """No limit escapes validation because its bounds were forgotten."""
    names = [field.name for field in dataclasses.fields(Limits)]

    assert list(BOUNDS) == names


@pytest.mark.parametrize("name", list(BOUNDS))
@pytest.mark.parametrize("wrong", ["below", "above", "nan", "text", "bool"])
def test_a_limit_that_could_not_limit_is_refused_by_name_with_its_bounds(name, wrong):
    """Below, above, NaN, text and truth values are no limits; the message says what is one."""
    bounds = BOUNDS[name]
    value = {"below": -1, "above": int(bounds.high) + 1, "nan": math.nan, "text": "20", "bool": True}[wrong]

    with pytest.raises(LimitsError) as refusal:
        Limits(**{name: value})

    assert name in str(refusal.value)
    assert f"from {bounds.low:g} to {bounds.high:g}" in str(refusal.value)


@pytest.mark.parametrize("name", list(BOUNDS))
def test_a_limit_at_either_bound_is_accepted(name):
    """The bounds themselves are allowed."""
    bounds = BOUNDS[name]
    kind = int if bounds.whole else float

    low, high = Limits(**{name: kind(bounds.low)}), Limits(**{name: kind(bounds.high)})

    assert getattr(low, name) == bounds.low
    assert getattr(high, name) == bounds.high


def test_a_fraction_of_a_lot_is_no_limit():
    """Limits in lots are whole numbers."""
    with pytest.raises(LimitsError, match=r"max_lots_per_order = 2\.5 is of type float; give a whole number"):
        Limits(max_lots_per_order=2.5)  # the type checker would refuse it, a notebook would not


@pytest.mark.parametrize(
    "text", ["collar_ticks = 24\nmax_daily_loss = 2500\n", "[limits]\ncollar_ticks = 24\nmax_daily_loss = 2500.0\n"]
)
def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path, text):
    """At the top level or in one table; whole numbers are fine where any number is."""
    path = tmp_path / "limits.toml"
    path.write_text(text)

    limits = Limits.from_toml(path)

    assert limits == Limits(collar_ticks=24, max_daily_loss=2500.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("collar_ticks = 24\nmax_dayly_loss = 1\n", ["limits.toml:2", "unknown limit 'max_dayly_loss'"]),
        ("\ncollar_ticks = 24.5\n", ["limits.toml:2", "collar_ticks", "whole number"]),
        ('max_daily_loss = "1000"\n', ["limits.toml:1", "max_daily_loss", "type str"]),
        ("max_adv_percent = 101\n", ["limits.toml:1", "max_adv_percent", "0 to 100"]),
        ("collar_ticks = true\n", ["limits.toml:1", "collar_ticks", "type bool"]),
        ("[limits]\ncollar_ticks = -1\n", ["limits.toml:2", "collar_ticks"]),
        ("[limit]\ncollar_ticks = 1\n", ["unknown limit 'limit'"]),
        ("limits = 3\n", ["limits.toml:1", "unknown limit 'limits'"]),
        ("collar_ticks 24\n", ["limits.toml is not TOML", "line 1"]),
    ],
)
def test_a_wrong_file_is_refused_by_key_and_line(tmp_path: Path, text, words):
    """A typing error must not leave a limit at its default unseen."""
    path = tmp_path / "limits.toml"
    path.write_text(text)

    with pytest.raises(LimitsError) as refusal:
        Limits.from_toml(path)

    assert all(word in str(refusal.value) for word in words), str(refusal.value)


def test_a_file_that_is_not_there_is_an_error_of_limits(tmp_path: Path):
    """Not the default limits."""
    with pytest.raises(LimitsError, match="cannot be read"):
        Limits.from_toml(tmp_path / "none.toml")
