"""What a person is told of a limit that is none: where it stands, what is wrong, and what to write instead."""

from pathlib import Path
from typing import Any

import pytest

from hydra_nb.errors import LimitsError
from hydra_nb.risk.limit_names import unknown_limit
from hydra_nb.risk.limits import Limits, check_limit, check_symbol

SECTIONS = "the sections are [limits], and one for each symbol with limits of its own, such as [symbols.ZO]"
LINES = "write lines such as collar_ticks = 20, each limit once"
ADVICE = "see docs/checks.md for the limits there are"
CAPITALS = "write the broker's symbol in capitals, such as ZO"

FILES = {
    "[limit]\ncollar_ticks = 1\n": f"{{path}}:1: unknown section [limit]; {SECTIONS}",
    "collar_ticks = 1\n[XYZ]\ncollar_ticks = 1\n": f"{{path}}:2: unknown section [XYZ]; {SECTIONS}",
    "": f"limits file {{path}} sets no limit; {LINES}, or leave limits= out for the defaults",
    "[limits]\n": f"{{path}}:1: section [limits] sets no limit; {LINES}, or take the section out",
    "limits = 1\n": f"{{path}}:1: [limits] must be a section; {SECTIONS}",
    "[symbols]\ncollar_ticks = 1\n": f"{{path}}:2: 'collar_ticks' is no symbol's section; {SECTIONS}",
    "[symbols]\nZO = { KE = { a = 1 } }\n": f"{{path}}:2: unknown section [symbols.ZO.KE]; {SECTIONS}",
    "limits = { KE = { a = 1 } }\n": f"{{path}}:1: unknown section [limits.KE]; {SECTIONS}",
    "symbols = { ZO = { KE = { a = 1 } } }\n": f"{{path}}:1: unknown section [symbols.ZO.KE]; {SECTIONS}",
    "colour = 1\n": f"{{path}}:1: unknown limit 'colour'; {ADVICE}",
    "# collar_ticks = 7\n\ncollar_ticks = -1\n": (
        "{path}:3: limit collar_ticks = -1 ticks is outside 0 to 10000; give a whole number from 0 to 10000"
    ),
    "#collar_ticks = 7\ncollar_ticks = true\n": (
        "{path}:2: limit collar_ticks = True is of type bool; give a whole number from 0 to 10000 (ticks)"
    ),
    "'collar_ticks' = -1\n": "{path}:1: limit collar_ticks = -1 ticks is outside 0 to 10000; "
    "give a whole number from 0 to 10000",
    '"collar_percent" = "1"\n': "{path}:1: limit collar_percent = '1' is of type str; give a number from 0 to 100 (%)",
    "[symbols.ZO]\ncollar_ticks = 1\nmax_daily_loss = 1\n": (
        "{path}:3: limit max_daily_loss cannot be that of ZO alone, as all contracts of the account share what "
        "it limits; set it for all"
    ),
    "collar_ticks = 1\n[limits]\ncollar_ticks = 1\n": (
        "{path}:3: collar_ticks stands at {path}:1 too; give each limit once"
    ),
    '"collar\\u005fticks" = -1\n': (
        "{path}: limit collar_ticks = -1 ticks is outside 0 to 10000; give a whole number from 0 to 10000"
    ),
}
"""The last has an escape, which the second look at the text does not read: the file is told without a line."""


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_file_is_told_where_and_what_and_how(tmp_path: Path, text: str) -> None:
    """File and line, the key, the remedy; word by word."""
    path = tmp_path / "limits.toml"
    path.write_text(text)

    with pytest.raises(LimitsError) as refusal:
        Limits.from_toml(path)

    assert str(refusal.value) == FILES[text].format(path=path)


def test_of_a_long_line_that_is_not_toml_the_beginning_is_told(tmp_path: Path) -> None:
    """Sixty letters of it, and where the parser stopped."""
    path = tmp_path / "limits.toml"
    path.write_text(f"max_adv_percent = 1\n  collar_ticks = {'y' * 100}  \n")

    with pytest.raises(LimitsError) as refusal:
        Limits.from_toml(path)

    assert str(refusal.value).startswith(f"{path}:2: 'collar_ticks = {'y' * 45}' is not TOML here: ")
    assert str(refusal.value).endswith(f"; {LINES}")


def test_a_file_is_utf_8_on_every_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine writes by itself does not count."""
    path = tmp_path / "limits.toml"
    path.write_bytes("# größer, 大\ncollar_ticks = 24\n".encode())
    asked = []

    def read_text(self: Path, encoding: str | None = None) -> str:
        asked.append(encoding)
        return self.read_bytes().decode(encoding or "ascii")

    monkeypatch.setattr(Path, "read_text", read_text)

    assert Limits.from_toml(path) == Limits(collar_ticks=24)
    assert len(asked) == 1


UNITS = {"max_daily_loss": "cash", "collar_ticks": "ticks", "collar_percent": "%", "max_quote_age_s": "s"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("max_dayly_loss", "unknown limit 'max_dayly_loss'; did you mean max_daily_loss (cash)?"),
        ("Collar-Ticks", "unknown limit 'Collar-Ticks'; the limit is collar_ticks (ticks) or collar_percent (%)"),
        ("collar", "unknown limit 'collar'; the limit is collar_ticks (ticks) or collar_percent (%)"),
        ("max_quote_age_ms", "unknown limit 'max_quote_age_ms'; the limit is max_quote_age_s (s)"),
        ("colour", f"unknown limit 'colour'; {ADVICE}"),
        ("", f"unknown limit ''; {ADVICE}"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, words: str) -> None:
    """Or with all that only the unit parts from it; or with where they are written."""
    assert unknown_limit(name, units=UNITS) == words


@pytest.mark.parametrize(
    "unit",
    [
        "ns",
        "us",
        "ms",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "min",
        "mins",
        "minute",
        "minutes",
        "h",
        "hour",
        "hours",
        "d",
        "day",
        "days",
        "pct",
        "perc",
        "percent",
        "bp",
        "bps",
        "fraction",
        "ratio",
        "tick",
        "ticks",
        "point",
        "points",
        "lot",
        "lots",
        "contract",
        "contracts",
        "cash",
        "usd",
        "eur",
        "gbp",
        "dollar",
        "dollars",
        "message",
        "messages",
    ],
)
def test_a_name_with_another_unit_is_known(unit: str) -> None:
    """Whatever unit a person thinks in: the number must be given in the one told."""
    assert unknown_limit(f"max_daily_loss_{unit}", units=UNITS) == (
        f"unknown limit 'max_daily_loss_{unit}'; the limit is max_daily_loss (cash)"
    )


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("", f"'' is no symbol; {CAPITALS}"),
        ("  ", f"'  ' is no symbol; {CAPITALS}"),
        (7, f"7 is no symbol; {CAPITALS}"),
        ("zo", "'zo' is no symbol; write ZO"),
        (" ZO ", "' ZO ' is no symbol; write ZO"),
        ("*", f"'*' is no symbol; {CAPITALS}"),
        ("ZOH7", "'ZOH7' is a month; limits hold for all months of a symbol: write ZO"),
        ("10YZ6", "'10YZ6' is a month; limits hold for all months of a symbol: write 10Y"),
    ],
)
def test_what_is_no_symbol_is_told_what_is(symbol: Any, words: str) -> None:
    """In capitals, and not a single month."""
    with pytest.raises(LimitsError) as refusal:
        check_symbol(symbol)

    assert str(refusal.value) == words


@pytest.mark.parametrize("month", "FGHJKMNQUVXZ")
def test_every_month_is_a_month(month: str) -> None:
    """The twelve letters of the exchanges."""
    with pytest.raises(LimitsError, match="write ZO"):
        check_symbol(f"ZO{month}6")


TICKS, PERCENT = "give a whole number from 0 to 10000", "give a number from 0 to 100"


@pytest.mark.parametrize(
    ("name", "value", "symbol", "words"),
    [
        ("collar_ticks", 2.5, None, f"limit collar_ticks = 2.5 is of type float; {TICKS} (ticks)"),
        ("collar_ticks", -1, "ZO", f"limit collar_ticks of ZO = -1 ticks is outside 0 to 10000; {TICKS}"),
        ("collar_percent", None, "ZO", f"limit collar_percent of ZO = None is of type NoneType; {PERCENT} (%)"),
        ("collar_percent", float("nan"), None, f"limit collar_percent = nan % is outside 0 to 100; {PERCENT}"),
    ],
)
def test_a_value_that_is_none_is_told_what_may_be(name: str, value: object, symbol: str | None, words: str) -> None:
    """Value, bounds, kind and unit."""
    with pytest.raises(LimitsError) as refusal:
        check_limit(name, value, symbol=symbol)

    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        (None, 'symbols = None is no mapping; give such as {"ZO": {"max_lots_per_order": 5}}'),
        ({"ZO": {}}, "ZO sets no limit; give such as {'max_lots_per_order': 5}, or leave it out"),
        ({"ZO": 5}, "ZO sets no limit; give such as {'max_lots_per_order': 5}, or leave it out"),
    ],
)
def test_limits_of_symbols_that_are_no_mapping_are_told_one(symbols: Any, words: str) -> None:
    """With an example that could be typed."""
    with pytest.raises(LimitsError) as refusal:
        Limits(symbols=symbols)

    assert str(refusal.value) == words


def test_what_holds_for_a_symbol_is_no_part_of_what_limits_look_like() -> None:
    """Neither of their text nor of their equality, nor can it be given."""
    limits = Limits(symbols={"ZO": {"collar_ticks": 5}})

    assert "_by_symbol" not in repr(limits)
    assert "collar_ticks" in repr(limits)
    with pytest.raises(TypeError, match="_by_symbol"):
        Limits(_by_symbol={})  # type: ignore[call-arg]
