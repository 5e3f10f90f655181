"""Facts about contracts from a person's file: what is read, what is refused, and what they hold back on a desk."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

import hydra_nb
from hydra_nb.desk.contract_facts import read_contract_facts
from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.errors import LimitsError
from hydra_nb.risk.verdict import Decision
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

HEADER = "local_symbol,first_notice,daily_limit\n"
OATS = steady("370.00", "372.00")


@pytest.fixture
def write(tmp_path: Path):
    """Write a file of facts and give its path."""

    def to(text: str, *, encoding: str = "utf-8") -> Path:
        path = tmp_path / "facts.csv"
        path.write_text(text, encoding=encoding, newline="")
        return path

    return to


class TestReading:
    """A good file is read whole; of a bad one the first bad line is named, with what to write."""

    def test_a_good_file_is_read_by_local_symbol(self, write) -> None:
        """Case and blanks do not matter, and what is left empty is not known."""
        path = write(HEADER + "ZOH7,2027-02-26,20.00\n zrh7 , , 1.15 \nHEJ7,,\n")

        assert read_contract_facts(path) == {
            "ZOH7": ContractFacts(first_notice=dt.date(2027, 2, 26), daily_limit=Decimal("20.00")),
            "ZRH7": ContractFacts(first_notice=None, daily_limit=Decimal("1.15")),
            "HEJ7": ContractFacts(),
        }

    def test_the_example_of_the_readme_is_read(self, write) -> None:
        """As it stands there."""
        readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
        path = write(readme.split("```csv\n", 1)[1].split("```", 1)[0])

        assert read_contract_facts(path) == {
            "ZOK7": ContractFacts(
                first_notice=dt.date(2027, 4, 30), daily_limit=Decimal("20.00"), settles=dt.time(13, 15)
            ),
            "HEM7": ContractFacts(first_notice=None, daily_limit=Decimal("4.75")),
        }

    @pytest.mark.parametrize("columns", ["local_symbol", "daily_limit,local_symbol", "local_symbol,first_notice"])
    def test_columns_may_be_left_out_or_stand_in_any_order(self, write, columns: str) -> None:
        """But for the one that names the contract."""
        fields = {"local_symbol": "ZOH7", "first_notice": "2027-02-26", "daily_limit": "20"}
        path = write(f"{columns}\n{','.join(fields[name] for name in columns.split(','))}\n")

        [(symbol, facts)] = read_contract_facts(path).items()

        assert symbol == "ZOH7"
        assert (facts.first_notice is not None) is ("first_notice" in columns)
        assert (facts.daily_limit is not None) is ("daily_limit" in columns)

    def test_a_file_as_spreadsheets_save_it_is_read(self, write) -> None:
        """With a mark in front of its first byte, and line ends of another system."""
        path = write(HEADER.replace("\n", "\r\n") + "ZOH7,2027-02-26,20.00\r\n", encoding="utf-8-sig")

        assert list(read_contract_facts(path)) == ["ZOH7"]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", [":1:", "none", "write local_symbol, first_notice, daily_limit"]),
            (HEADER, ["name no contract", "leave the argument out"]),
            ("symbol,first_notice\nZO,\n", [":1:", "'symbol'", "write local_symbol"]),
            ("first_notice\n2027-02-26\n", [":1:", "'first_notice'", "write local_symbol"]),
            ("local_symbol,local_symbol\nZOH7,ZOH7\n", [":1:", "write local_symbol"]),
            ("local_symbol;first_notice\nZOH7;\n", [":1:", "'local_symbol;first_notice'", "write local_symbol"]),
            (HEADER + "ZOH7,,\nZOK7,26.02.2027,\n", [":3:", "first_notice", "'26.02.2027'", "2027-02-26"]),
            (HEADER + "ZOH7,2027-02-30,\n", [":2:", "first_notice", "'2027-02-30'", "2027-02-26"]),
            ("local_symbol,settles\nZOH7,quarter past\n", [":2:", "settles", "'quarter past'", "13:15"]),
            ("local_symbol,settles\nZOH7,13:15-06:00\n", [":2:", "settles", "names a zone", "13:15"]),
            (HEADER + "ZOH7,,twenty\n", [":2:", "daily_limit", "'twenty'", "20.00"]),
            (HEADER + "ZOH7,,0\n", [":2:", "daily_limit", "'0'", "above 0"]),
            (HEADER + "ZOH7,,-20\n", [":2:", "daily_limit", "'-20'", "above 0"]),
            (HEADER + "ZOH7,,NaN\n", [":2:", "daily_limit", "'NaN'", "above 0"]),
            (HEADER + "ZOH7,,Infinity\n", [":2:", "daily_limit", "above 0"]),
            (HEADER + "ZOH7,,\nzoh7,,20\n", [":3:", "local_symbol", "'ZOH7'", "has a line already"]),
            (HEADER + ",2027-02-26,\n", [":2:", "local_symbol", "write it as ZOH7"]),
            (HEADER + "ZO,2027-02-26,\n", [":2:", "local_symbol", "'ZO'", "names no month", "write it as ZOH7"]),
            (HEADER + "ZOH7,2027-02-26,20,00\n", [":2:", "more fields than columns"]),
        ],
    )
    def test_a_bad_file_is_refused_with_its_line_and_the_remedy(self, write, text: str, words: list[str]) -> None:
        """A fact that was passed over would hold nothing back, and nobody would know."""
        path = write(text)

        with pytest.raises(LimitsError) as refusal:
            read_contract_facts(path)

        message = str(refusal.value)
        assert str(path) in message
        assert [word for word in words if word not in message] == [], message

    def test_a_file_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        """One that is not there, a folder, and one that is no text."""
        image = tmp_path / "facts.png"
        image.write_bytes(b"\x89PNG\xff\xfe")

        for path in (tmp_path / "none.csv", tmp_path, image):
            with pytest.raises(LimitsError, match="cannot be read"):
                read_contract_facts(path)


def previewed(facts: Path, name: str, *, side: str = "BUY", **how: object) -> Decision:
    """One decision of the preview of a lot of oats, on a desk that was given the file."""

    async def scenario(stack: Stack) -> Decision:
        plan = await stack.desk.preview(side, 1, "ZOH7", **how)
        [decision] = [one for one in plan.decisions if one.check == name]
        return decision

    return on_a_desk(scenario, exchange=ScriptedExchange(script=OATS), contract_facts=facts)


def test_a_notice_day_closes_the_contract_on_a_desk(write) -> None:
    """The source tells that a person's file decided, and the limit is that of the notice."""
    today = on_a_desk(_today)
    near, far = (today + dt.timedelta(days=days) for days in (3, 4))

    closed = previewed(write(HEADER + f"ZOH7,{near},\n"), "close_out")
    open_yet = previewed(write(HEADER + f"ZOH7,{far},\n"), "close_out")

    assert (closed.allowed, closed.observed, closed.limit, closed.source) == (False, 3, 3, "contract facts")
    assert (open_yet.allowed, open_yet.observed, open_yet.source) == (True, 4, "contract facts")


async def _today(stack: Stack) -> dt.date:
    zone = dt.timezone(dt.timedelta(hours=-6))  # Chicago in winter, where the simulated market begins its year
    return dt.datetime.fromtimestamp(stack.desk.now_ns() / 1e9, tz=zone).date()


def test_a_daily_limit_bounds_the_price_on_a_desk(write) -> None:
    """Points around the settlement, of 371.00 here, in the quoted unit."""
    narrow = previewed(write(HEADER + "ZOH7,,0.25\n"), "daily_limit", limit="380.00")
    wide = previewed(write(HEADER + "ZOH7,,20.00\n"), "daily_limit", limit="380.00")

    assert not narrow.allowed
    assert narrow.would_pass == 371.25
    assert wide.allowed


def test_facts_of_contracts_that_nobody_trades_change_nothing(write) -> None:
    """A file may hold a whole year of all markets; what it does not name is known by contract details alone."""
    decision = previewed(write(HEADER + "ZOK7,2026-03-10,0.25\nXXZ9,2026-03-10,\n"), "close_out")

    assert decision.source == "contract details"


def test_a_bad_file_opens_no_desk_and_closes_none(write) -> None:
    """It is read before anything is opened; a desk that is open goes on."""
    path = write(HEADER + "ZOH7,26.02.2027,\n")

    async def whole(_loop: VirtualLoop) -> None:
        async with hydra_nb.connect(seed=7, speed="max", journal=":memory:") as desk:
            with pytest.raises(LimitsError, match=":2: first_notice"):
                await hydra_nb.connect(seed=7, speed="max", journal=":memory:", contract_facts=path, fresh=True)
            assert desk.status["connection"] == "up"

    run_virtual(whole)
