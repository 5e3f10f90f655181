"""What importing loads, and where chance comes from."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hydra_nb

PACKAGE = Path(hydra_nb.__file__).parent
HEAVY = ("pandas", "numpy", "plotly", "ib_async", "ipywidgets", "sqlite3", "asyncio", "typer", "nest_asyncio")
GENERATORS = {"Random", "SystemRandom"}


def global_random_uses(source: str) -> list[int]:
    """Lines on which a module draws from a generator that everyone shares, of the standard library or of numpy."""
    tree = ast.parse(source)
    aliases = {"random"}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {name.asname for name in node.names if name.name == "random" and name.asname}
        elif isinstance(node, ast.ImportFrom) and node.module == "random":
            found += [node.lineno for name in node.names if name.name not in GENERATORS]
        elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
            found += [node.lineno for name in node.names if name.name == "random"]
    imported = any(
        isinstance(node, ast.Import) and any(name.name == "random" for name in node.names) for node in ast.walk(tree)
    )
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value
        if isinstance(owner, ast.Name) and owner.id in aliases and imported and node.attr not in GENERATORS:
            found.append(node.lineno)
        if isinstance(owner, ast.Name) and owner.id in {"np", "numpy"} and node.attr == "random":
            found.append(node.lineno)
    return found


def test_importing_loads_nothing_heavy() -> None:
    """A notebook's first cell is quick, and a program that only reads errors pays for nothing else."""
    program = f"import sys, hydra_nb; print(sorted(set({HEAVY!r}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


def test_the_errors_are_as_light_as_the_package() -> None:
    """They are wanted in an ``except`` before anything was opened."""
    program = f"import sys; from hydra_nb import errors; print(sorted(set({HEAVY!r}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_room_draws_from_a_shared_generator(path: Path) -> None:
    """Every draw comes from a generator that somebody handed over, else a run could not be repeated."""
    assert global_random_uses(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.random()",
        "import random as dice\ndice.choice([1])",
        "from random import shuffle",
        "import random\nrandom.seed(7)",
        "import numpy as np\nnp.random.rand()",
        "from numpy import random",
    ],
)
def test_a_planted_draw_is_found(source: str) -> None:
    """The check above sees what it looks for."""
    assert global_random_uses(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.Random(7).random()",
        "def f(random):\n    return random.uniform(0, 1)",
        "from random import Random",
    ],
)
def test_a_generator_of_ones_own_is_no_offence(source: str) -> None:
    """Nor is a parameter of that name."""
    assert global_random_uses(source) == []
