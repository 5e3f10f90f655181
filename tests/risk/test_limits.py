"""Limits: what they may be, and how they are read from a file."""

import copy
import dataclasses
import math
import pickle
from pathlib import Path

import pytest

from hydra_nb.domain.values import replace
from hydra_nb.errors import LimitsError
from hydra_nb.risk.limits import BOUNDS, Limits


def test_every_limit_has_bounds():
    """No limit escapes validation because its bounds were forgotten."""
    names = [field.name for field in dataclasses.fields(Limits) if field.name not in ("symbols", "_by_symbol")]

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


WHOLE = {field.name for field in dataclasses.fields(Limits) if field.type in (int, "int")}


@pytest.mark.parametrize("name", list(BOUNDS))
def test_limits_that_count_are_whole_and_others_may_be_fractions(name):
    """Lots, orders, messages, ticks of the collar, days: half of one is a typing error."""
    half = BOUNDS[name].low + 0.5

    if name in WHOLE:
        with pytest.raises(LimitsError, match="give a whole number"):
            Limits(**{name: half})
    else:
        assert getattr(Limits(**{name: half}), name) == half


def test_bounds_answer_with_yes_or_no():
    """Whether whole, and whether a symbol may have its own."""
    assert {type(flag) for one in BOUNDS.values() for flag in (one.whole, one.per_symbol)} == {bool}


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
        ("[limits]\ncollar_ticks = -1\n", ["limits.toml:2", "collar_ticks = -1 ticks", "0 to 10000"]),
        ("[limits]\ncollar_ticks = 1\n[limit]\n", ["limits.toml:3", "unknown section [limit]", "[symbols.ZO]"]),
        ("limits = 3\n", ["limits.toml:1", "[limits] must be a section"]),
        ("collar_ticks 24\n", ["limits.toml:1", "'collar_ticks 24' is not TOML here", "write lines such as"]),
        ("collar_ticks = 24\n\n[symbols", ["limits.toml", "is not TOML"]),
        ("max_quote_age_ms = 30000\n", ["limits.toml:1", "'max_quote_age_ms'", "the limit is max_quote_age_s (s)"]),
        ("collar_pct = 1\n", ["limits.toml:1", "the limit is collar_ticks (ticks) or collar_percent (%)"]),
        ("max_drawdown = 5\n", ["limits.toml:1", "the limit is max_drawdown_percent (%)"]),
        ("Collar-Ticks = 5\n", ["limits.toml:1", "the limit is collar_ticks (ticks)"]),
        ("max_dayly_loss = 1\n", ["limits.toml:1", "did you mean max_daily_loss (cash)?"]),
        ("colour = 1\n", ["limits.toml:1", "unknown limit 'colour'", "docs/checks.md"]),
        ("collar_percent = nan\n", ["limits.toml:1", "collar_percent = nan"]),
        ("collar_percent = inf\n", ["limits.toml:1", "collar_percent = inf"]),
        (f"collar_ticks = 1{'0' * 400}\n", ["limits.toml:1", "collar_ticks"]),
        (f"collar_ticks = 1{'0' * 5000}\n", ["limits.toml is not TOML"]),
        (f"collar_ticks = {'[' * 5000}\n", ["limits.toml is not TOML"]),
        ("collar_ticks = [24]\n", ["limits.toml:1", "type list"]),
        ("collar_ticks = 2026-03-03\n", ["limits.toml:1", "type date"]),
        ("collar_ticks = 24\ncollar_ticks = 25\n", ["limits.toml:2", "'collar_ticks = 25'", "each limit once"]),
        ("collar_ticks = 24\n[limits]\ncollar_ticks = 24\n", ["limits.toml:3", "limits.toml:1", "each limit once"]),
        ("", ["limits.toml sets no limit", "leave limits= out"]),
        ("# nothing but words\n\n", ["limits.toml sets no limit"]),
        ("[limits]\n", ["limits.toml:1", "[limits] sets no limit"]),
        ("collar_ticks = 24\n[symbols]\n", ["limits.toml:2", "[symbols] sets no limit"]),
        ("collar_ticks = 24\n\n[symbols.ZO]\n", ["limits.toml:3", "[symbols.ZO] sets no limit"]),
        ("[symbols]\ncollar_ticks = 24\n", ["limits.toml:2", "'collar_ticks' is no symbol's section"]),
        ("symbols = 24\n", ["limits.toml:1", "[symbols] must be a section"]),
        ("[[symbols]]\ncollar_ticks = 24\n", ["limits.toml:1", "[symbols] must be a section"]),
        ("[ZO]\ncollar_ticks = 24\n", ["limits.toml:1", "unknown section [ZO]", "[symbols.ZO]"]),
        ("[limits.ZO]\ncollar_ticks = 24\n", ["limits.toml:1", "unknown section [limits.ZO]", "[symbols.ZO]"]),
        ("[symbols.ZO.more]\ncollar_ticks = 24\n", ["limits.toml:1", "unknown section [symbols.ZO.more]"]),
        ("[symbols.zo]\ncollar_ticks = 24\n", ["limits.toml:2", "'zo' is no symbol; write ZO"]),
        ('[symbols." ZO"]\ncollar_ticks = 24\n', ["limits.toml:2", "' ZO' is no symbol; write ZO"]),
        ('[symbols.""]\ncollar_ticks = 24\n', ["limits.toml:2", "'' is no symbol", "such as ZO"]),
        ('[symbols."*"]\ncollar_ticks = 24\n', ["limits.toml:2", "'*' is no symbol", "such as ZO"]),
        ("[symbols.ZOH7]\ncollar_ticks = 24\n", ["limits.toml:2", "'ZOH7' is a month", "write ZO"]),
        ("[symbols.ZO]\n\nmax_daily_loss = 5\n", ["limits.toml:3", "max_daily_loss", "of ZO alone", "set it for all"]),
        ("[symbols.ZO]\ncollar_ticks = -1\n", ["limits.toml:2", "collar_ticks of ZO = -1 ticks", "0 to 10000"]),
        ("symbols.ZO.collar_ticks = 2.5\n", ["limits.toml:1", "collar_ticks of ZO", "whole number"]),
        ("\nsymbols = { ZO = { collar_ticks = -1 } }\n", ["limits.toml:2", "collar_ticks of ZO"]),
    ],
)
def test_a_wrong_file_is_refused_by_key_and_line(tmp_path: Path, text, words):
    """A typing error must not leave a limit at its default unseen."""
    path = tmp_path / "limits.toml"
    path.write_text(text)

    with pytest.raises(LimitsError) as refusal:
        Limits.from_toml(path)

    assert all(word in str(refusal.value) for word in words), str(refusal.value)


@pytest.mark.parametrize("path", ["none.toml", "folder", "latin-1.toml", "nul\0.toml"])
def test_a_file_that_cannot_be_read_is_an_error_of_limits(tmp_path: Path, path: str):
    """Not there, a folder, not UTF-8, not even a path: none of them means the default limits."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin-1.toml").write_bytes("# größer\ncollar_ticks = 24\n".encode("latin-1"))

    with pytest.raises(LimitsError, match=r"limits file .*(cannot be read|not UTF-8).*; (give|save)"):
        Limits.from_toml(tmp_path / path)


def test_a_file_gives_symbols_limits_of_their_own(tmp_path: Path):
    """In sections, beside limits of all at the top level or in a section; comments and dotted keys are TOML too."""
    path = tmp_path / "limits.toml"
    path.write_text(
        """# my limits
        [limits]
        collar_ticks = 24

        [symbols.ZO] # oats
        max_lots_per_order = 5
        collar_ticks = 40
        [symbols]
        KE.max_adv_percent = 1
        """
    )

    limits = Limits.from_toml(path)

    assert limits == Limits(
        collar_ticks=24,
        symbols={"ZO": {"max_lots_per_order": 5, "collar_ticks": 40}, "KE": {"max_adv_percent": 1}},
    )


SYMBOLS = {"ZO": {"max_lots_per_order": 5, "collar_ticks": 40}, "KE": {"collar_percent": 0.5}}


def test_a_symbol_has_its_own_limits_and_those_of_all_for_the_rest():
    """What `for_symbol` gives is whole, knows no symbols any more, and is the same object each time it is asked."""
    limits = Limits(collar_ticks=60, symbols=SYMBOLS)

    assert limits.for_symbol("ZO") == Limits(collar_ticks=40, max_lots_per_order=5)
    assert limits.for_symbol("KE") == Limits(collar_ticks=60, collar_percent=0.5)
    assert limits.for_symbol("PA") == Limits(collar_ticks=60)
    assert limits.for_symbol("ZO") is limits.for_symbol("ZO")
    assert limits.for_symbol("ZO").for_symbol("KE") is limits.for_symbol("ZO")
    assert Limits().for_symbol("ZO") == Limits()


def test_limits_with_symbols_are_values():
    """Equal in whatever order they were given, of one hash, copied, changed and kept as any value; never changed."""
    given = {"ZO": dict(SYMBOLS["ZO"]), "KE": dict(SYMBOLS["KE"])}
    limits = Limits(symbols=given)
    turned = Limits(symbols=dict(reversed(given.items())))

    given["ZO"]["collar_ticks"] = 10_000

    assert limits == turned
    assert hash(limits) == hash(turned)
    assert repr(limits) == repr(turned)
    assert limits != Limits()
    assert limits.for_symbol("ZO").collar_ticks == 40
    assert pickle.loads(pickle.dumps(limits)) == copy.deepcopy(limits) == limits  # noqa: S301  our own bytes
    assert dataclasses.replace(limits, collar_ticks=5).for_symbol("KE") == Limits(collar_ticks=5, collar_percent=0.5)
    assert replace(limits, symbols={}).for_symbol("ZO") == Limits()
    with pytest.raises(TypeError):
        limits.symbols["ZO"]["collar_ticks"] = 10_000


@pytest.mark.parametrize("name", [name for name, bounds in BOUNDS.items() if not bounds.per_symbol])
def test_a_limit_of_the_whole_account_is_no_symbol_s(name):
    """Equity, clocks, messages and the nightly reset are one for all contracts."""
    with pytest.raises(LimitsError, match=f"{name} cannot be that of ZO alone, as all contracts .* set it for all"):
        Limits(symbols={"ZO": {name: getattr(Limits(), name)}})


@pytest.mark.parametrize("name", [name for name, bounds in BOUNDS.items() if bounds.per_symbol])
def test_any_other_limit_may_be_a_symbol_s(name):
    """Each of them reaches the limits that hold for the symbol, and no other symbol's."""
    low = int(BOUNDS[name].low)

    limits = Limits(symbols={"ZO": {name: low}})

    assert getattr(limits.for_symbol("ZO"), name) == low != getattr(limits.for_symbol("KE"), name)


@pytest.mark.parametrize("symbols", [None, 5, [("ZO", 5)], {"ZO": 5}, {"ZO": {}}, {"": {"collar_ticks": 5}}, {7: {}}])
def test_what_is_no_mapping_of_limits_by_symbol_is_refused(symbols):
    """With an error of limits, not one of Python."""
    with pytest.raises(LimitsError):
        Limits(symbols=symbols)


@pytest.mark.parametrize("symbol", ["ZO", "M2K", "6E", "ESTX50", "SR3", "K200", "10Y", "HHI.HK", "BRK B"])
def test_symbols_of_the_broker_are_symbols(symbol):
    """Digits, dots and spaces occur in them, and none of these is taken for a month."""
    limits = Limits(symbols={symbol: {"collar_ticks": 7}})

    assert limits.for_symbol(symbol).collar_ticks == 7


def test_account_wide_limits_and_what_is_tighter_are_those_that_people_expect():
    """A wider window around the nightly reset is tighter; of lots, cash, distances and ages less is."""
    account_wide = {name for name, bounds in BOUNDS.items() if not bounds.per_symbol}
    upward = {name for name, bounds in BOUNDS.items() if bounds.tighter == "higher"}
    shared = {"max_daily_loss", "max_drawdown_percent", "max_parent_loss", "max_messages_per_second"}

    assert account_wide >= {*shared, "max_clock_skew_s", "reset_window_s"}
    assert account_wide.isdisjoint({"collar_ticks", "max_lots_per_order", "max_position_lots", "max_quote_age_s"})
    assert "reset_window_s" in upward
    assert not any(name.startswith(("max_", "collar_")) for name in upward)


def test_tighter_is_strictly_less_or_strictly_more():
    """A limit is no tighter than itself."""
    assert BOUNDS["collar_ticks"].is_tighter(40, than=41)
    assert not BOUNDS["collar_ticks"].is_tighter(41, than=41)
    assert BOUNDS["reset_window_s"].is_tighter(301, than=300)
    assert not BOUNDS["reset_window_s"].is_tighter(300, than=300)
