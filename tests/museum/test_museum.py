"""The checker is checked: each bug of the museum applies, and breaks a rule of the simulation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.museum.exhibits import Exhibit, PatchDoesNotApply, copy_package, exhibits, must_fit, spoil
from tests.museum.hunting import Sound, hunt, hunt_all, table

FEWEST_BUGS = 30
MOST_CHANGED_LINES = 16
FULL_SEEDS = range(1, 61)
QUICK_SEEDS = range(1, 6)
QUICK = (
    "04-notice-10147-ends-order",
    "21-expiry-in-local-time",
    "34-sent-before-the-commit",
    "37-global-cancel",
    "40-position-without-side",
)
"""Bugs that the first seeds catch."""

IMPORTING = """
import os, sys
import ib_async, ipywidgets, pandas, plotly
for folder in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        sys.path.insert(0, folder)
        import hydra_nb.desk.connect
        os.write(1, os.path.dirname(hydra_nb.__path__[0]).encode() + bytes([10]))
        os._exit(0)
    os.waitpid(child, 0)
"""
"""Imports the package of each folder in a process of its own, after what all of them import, and prints the folder."""


@pytest.fixture(scope="module")
def sound() -> Sound:
    """What the package itself passes, found out once for all."""
    return Sound(QUICK_SEEDS.start)


def test_there_are_enough_bugs_and_each_says_what_it_is() -> None:
    """The museum shows at least 30 bugs, numbered without a gap, each with its sentence."""
    shown = exhibits()

    numbers = [int(one.name.split("-")[0]) for one in shown]

    assert numbers == list(range(1, len(shown) + 1))
    assert len(shown) >= FEWEST_BUGS
    assert all(len(one.words) > 60 and one.words.endswith(".") for one in shown)


@pytest.mark.parametrize("exhibit", exhibits(), ids=lambda exhibit: exhibit.name)
def test_a_patch_is_small_and_fits_the_package_of_today(exhibit: Exhibit) -> None:
    """Each patch goes onto the package as it is, and changes it by a few lines."""
    must_fit(exhibit)

    lines = exhibit.patch.read_text().splitlines()
    changed = [line for line in lines if line[:1] in ("+", "-") and not line.startswith(("+++", "---"))]
    assert 0 < len(changed) <= MOST_CHANGED_LINES


@pytest.mark.skipif(not os.environ.get("HYDRA_FULL"), reason="the whole museum takes minutes: set HYDRA_FULL=1")
def test_every_spoilt_copy_can_be_imported(tmp_path: Path) -> None:
    """A bug is wrong in what it does, and not in how it is written: every copy still imports."""
    folders = [str(tmp_path / exhibit.name) for exhibit in exhibits()]
    for exhibit in exhibits():
        spoil(exhibit, copy_package(tmp_path / exhibit.name))

    done = subprocess.run([sys.executable, "-c", IMPORTING, *folders], capture_output=True, text=True, check=False)

    assert done.stdout.split() == folders, done.stderr


def test_a_patch_that_does_not_fit_any_more_says_so(tmp_path: Path) -> None:
    """Where the package has moved on from a patch, the patch fails loudly, with its name."""
    exhibit = exhibits()[0]
    copy = copy_package(tmp_path)
    spoil(exhibit, copy)

    with pytest.raises(PatchDoesNotApply, match=exhibit.name):
        spoil(exhibit, copy)


@pytest.mark.parametrize("name", QUICK)
def test_the_first_seeds_catch_a_plain_bug(name: str, sound: Sound) -> None:
    """A handful of seeds is enough for these, and the package itself passes them."""
    exhibit = next(one for one in exhibits() if one.name == name)

    catch = hunt(exhibit, seeds=QUICK_SEEDS, sound=sound)

    assert catch.seeds is not None, f"{name} was not caught within {len(QUICK_SEEDS)} seeds"


@pytest.mark.skipif(not os.environ.get("HYDRA_FULL"), reason="the whole museum takes minutes: set HYDRA_FULL=1")
@pytest.mark.timeout(3_600)
def test_every_bug_is_caught() -> None:
    """Every bug of the museum breaks a rule, in seeds in which the package itself breaks none."""
    catches = list(hunt_all(exhibits(), seeds=FULL_SEEDS))

    print(f"\n{table(catches)}")
    missed = [row.exhibit.name for row in catches if row.seeds is None]
    assert not missed, f"not caught within {len(FULL_SEEDS)} seeds: {', '.join(missed)}"
