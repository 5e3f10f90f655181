"""The README says what the code does: set-up commands, the example, the default limits, the command line."""

import ast
import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command

from hydra_nb import Limits
from hydra_nb.cli import app
from hydra_nb.desk.desk import Desk
from hydra_nb.risk.limits import BOUNDS
from hydra_nb.sim.loop import run_virtual
from tests.whole_stack import on_a_desk

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(table_after: str) -> list[list[str]]:
    """Cells of the first table behind a line of the README."""
    lines = README.split(table_after, 1)[1].strip().splitlines()
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in list(table)[2:]]


def code_blocks(language: str) -> list[str]:
    """Fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def shown(value: float, *, unit: str) -> str:
    """A limit as the README writes it: thousands parted by commas, then its unit."""
    return f"{value:,g} {unit}" if abs(value) < 1_000 else f"{value:,.0f} {unit}"


def test_the_table_of_limits_is_the_code_s() -> None:
    """Every limit is listed once, in order, with its default and unit."""
    defaults = Limits()

    listed = [(name.strip("`"), default) for name, default, _ in rows("compares this table with the code -->")]

    assert listed == [(name, shown(getattr(defaults, name), unit=bounds.unit)) for name, bounds in BOUNDS.items()]


def test_there_are_exactly_two_set_up_commands() -> None:
    """A stranger runs one line to trade on the simulated market, and one to test."""
    assert code_blocks("bash") == ['pip install -e ".[lab]" && hydra-nb lab\n', 'pip install -e ".[test]" && pytest\n']


def test_the_extras_of_the_set_up_commands_exist() -> None:
    """What the commands ask pip for is what the project offers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    for block in code_blocks("bash"):
        extra = re.search(r"\[(\w+)\]", block)
        assert extra is not None
        assert extra[1] in project["optional-dependencies"]


@pytest.mark.parametrize("block", code_blocks("python"))
def test_python_blocks_are_python_and_short(block: str) -> None:
    """Every example compiles with top-level await, as in a notebook, and is no longer than 15 lines."""
    compile(block, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    assert len(block.splitlines()) <= 15


async def example() -> pd.DataFrame:
    """Run the first example of the README under virtual time, and give its frame of fills."""
    source = code_blocks("python")[0]
    source = source.replace("speed=120", 'speed="max", journal=":memory:"').replace(
        "\nexecution.fills", "\nfills = execution.fills"
    )
    names: dict[str, Any] = {}
    code = compile(source, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(code, names)  # noqa: S307  the text of our own README
    fills: pd.DataFrame = names["fills"]
    return fills


def test_the_first_example_does_what_it_says() -> None:
    """Connect, preview, submit, wait, fills, close: 13 lots are bought and the desk ends clean."""
    fills = run_virtual(lambda _loop: example())

    assert fills["lots"].sum() == 13
    assert set(fills["side"]) == {"BUY"}


def test_the_example_of_a_limits_file_is_one(tmp_path: Path) -> None:
    """It loads, and gives oats limits of their own."""
    [text] = code_blocks("toml")
    file = tmp_path / "limits.toml"
    file.write_text(text, encoding="utf-8")

    limits = Limits.from_toml(file)

    assert (limits.max_lots_per_order, limits.for_symbol("ZO").max_lots_per_order) == (10, 5)


def test_the_example_of_changing_limits_does_what_it_says() -> None:
    """Tightened, loosened with a reason, and shown."""
    [source] = [block for block in code_blocks("python") if "set_limits" in block]

    async def change(desk: Desk) -> Limits:
        code = compile(source, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, {"desk": desk})  # noqa: S307  the text of our own README
        return desk.limits

    limits = on_a_desk(lambda stack: change(stack.desk))

    assert limits == Limits(symbols={"ZO": {"max_lots_per_order": 3}})


def test_every_command_is_listed() -> None:
    """The table of commands and the program's own help name the same commands."""
    listed = {re.match(r"`hydra-nb ([\w-]+)", first)[1] for first, _ in rows("## Command line\n")}  # type: ignore[index]

    assert listed == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_picture_is_there_and_small() -> None:
    """The README begins with a picture of the real thing, under 300 kB."""
    picture = re.search(r"!\[.*?\]\((.*?)\)", README)

    assert picture is not None
    assert 10_000 < (ROOT / picture[1]).stat().st_size < 300_000
