"""The promises of the project itself: who may send, who imports whom, what the pages say, what is installed."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hydra_nb

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hydra_nb"
SENDERS = ("broker/translate.py", "broker/gateway.py")
RESERVED = ("ib_async", "placeOrder", "MarketOrder")

needs_checkout = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="the pages of the project are read from a checkout"
)
pytestmark = needs_checkout


def reserved_names(package: Path) -> list[str]:
    """List every use of a reserved name outside the two files that may, as ``file:line: name``.

    Imports, names, attributes and strings that are nothing but such a name count; prose that mentions one does not.
    """
    found = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package).as_posix()
        if relative in SENDERS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found += [f"{relative}:{node.lineno}: {name}" for name in _names(node) if name.split(".")[0] in RESERVED]
    return found


def _names(node: ast.AST) -> list[str]:
    """Names that a node of the syntax tree uses."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names):
            return [module or "", *(alias.name for alias in names)]
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.Constant(value=str(text)):
            return [text]
    return []


def copy_package(to: Path) -> Path:
    """Copy the package and its configuration; gives the copied package."""
    shutil.copy(ROOT / "pyproject.toml", to)
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PACKAGE, to / "hydra_nb", ignore=ignored))


def plant(path: Path, line: str) -> None:
    """Put a line behind the docstring of a module."""
    source = path.read_text(encoding="utf-8")
    docstring = ast.parse(source).body[0]
    lines = source.splitlines()
    lines.insert(docstring.end_lineno or 0, line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """Hold the package that lies in a folder against the contracts of its pyproject."""
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run([*words, "--no-cache"], cwd=project, capture_output=True, text=True, timeout=120, check=False)


def test_only_two_files_know_the_client_and_how_to_place() -> None:
    """No ``ib_async``, ``placeOrder`` or ``MarketOrder`` outside the two files that may."""
    assert reserved_names(PACKAGE) == []


@pytest.mark.parametrize(
    ("room", "line", "name"),
    [
        ("algos/routing.py", "import ib_async", "ib_async"),
        ("desk/desk.py", "from ib_async.order import Order", "ib_async.order"),
        ("cli/program.py", "from importlib import import_module; import_module('ib_async')", "ib_async"),
        ("order_manager/shell.py", "send = lambda ib, contract, order: ib.placeOrder(contract, order)", "placeOrder"),
        ("reconcile/look.py", "send = lambda ib: getattr(ib, 'placeOrder')", "placeOrder"),
        ("broker/port.py", "from anywhere import MarketOrder", "MarketOrder"),
    ],
)
def test_a_planted_name_is_found(tmp_path: Path, room: str, line: str, name: str) -> None:
    """Each way of reaching past the two files shows, with file and name."""
    package = copy_package(tmp_path)

    plant(package / room, line)

    found = reserved_names(package)
    assert found
    assert all(item.startswith(f"{room}:") and item.endswith(f": {name}") for item in found)


def test_no_file_names_a_market_order() -> None:
    """Not even the two files that may place orders know another kind than the limit order."""
    for file in SENDERS:
        names = {
            name for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))) for name in _names(node)
        }

        assert not names & {"MarketOrder", "StopOrder", "StopLimitOrder", "MKT", "STP"}


def test_the_copied_package_passes_the_import_contracts(tmp_path: Path) -> None:
    """The contracts hold for the package as it is, so that a planted breach below is what breaks them."""
    copy_package(tmp_path)

    result = lint_imports(tmp_path)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "line", "broken"),
    [
        ("algos/routing.py", "import ib_async", "hydra_nb.algos.routing -> ib_async"),
        ("risk/limits.py", "import sqlite3", "hydra_nb.risk.limits -> sqlite3"),
        ("sim/book.py", "from hydra_nb.domain import units", "hydra_nb.sim.book -> hydra_nb.domain"),
        ("cost.py", "from hydra_nb.journal import Journal", "hydra_nb.cost -> hydra_nb.journal"),
    ],
)
def test_a_planted_import_breaks_a_contract(tmp_path: Path, room: str, line: str, broken: str) -> None:
    """The client in a strategy, a database in a check, the domain in the market, the disk in a formula: all fail."""
    package = copy_package(tmp_path)
    plant(package / room, line)

    result = lint_imports(tmp_path)

    assert result.returncode != 0
    assert broken in result.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import hydra_nb` reads its own file and no more, and every public name is still there to be asked for."""
    heavy = ("pandas", "numpy", "plotly", "ipywidgets", "ib_async", "asyncio", "sqlite3", "typer")
    program = f"import sys, hydra_nb; print([name for name in {heavy} if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert result.stdout.strip() == "[]"


def test_every_public_name_can_be_loaded() -> None:
    """The table of names and the modules behind it agree."""
    for name in hydra_nb.__all__:
        assert getattr(hydra_nb, name) is not None


def test_binder_installs_what_the_package_and_its_lab_need() -> None:
    """`binder/requirements.txt` is the list of pyproject, since postBuild installs the package without dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {*project["dependencies"], *project["optional-dependencies"]["lab"]}

    listed = set((ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").split("\n")) - {""}

    assert listed == wanted


def test_the_changelog_has_this_version_and_says_how_risk_behaves() -> None:
    """A trader finds the installed version, and under it what changed in the behaviour of risk."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    latest = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]

    assert latest.startswith(hydra_nb.__version__)
    assert "### Risk behaviour" in latest


def test_every_decision_is_in_the_list_of_decisions() -> None:
    """In order of their numbers, each once."""
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))

    listed = re.findall(
        r"^\| \[\d+\]\(([^)]+)\)", (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )

    assert listed == pages


@pytest.mark.parametrize(
    "page",
    [path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]],
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Every relative link and picture of a page is a file of the project."""
    text = (ROOT / page).read_text(encoding="utf-8")

    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"
