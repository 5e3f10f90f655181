"""The patches, and copies of the package that have one of them."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import hydra_nb

PATCHES = Path(__file__).parent / "patches"
PACKAGE = Path(hydra_nb.__path__[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One bug.

    Attributes
    ----------
    name
        The patch's name, such as ``"05-correction-counted-as-fill"``.
    words
        What the bug is, and whose it was.
    faults
        The only kinds of faults under which it is looked for; empty for all.
    """

    name: str
    words: str
    faults: tuple[str, ...]

    @property
    def patch(self) -> Path:
        """The patch itself."""
        return PATCHES / f"{self.name}.patch"


class PatchDoesNotApply(AssertionError):
    """The package has changed where a patch changes it: the patch must be made anew."""


def exhibits() -> tuple[Exhibit, ...]:
    """All bugs, by number."""
    return tuple(_read(path) for path in sorted(PATCHES.glob("*.patch")))


def _read(path: Path) -> Exhibit:
    words, second, *_ = path.read_text().split("\n")
    faults = second.removeprefix("Faults: ").split(",") if second.startswith("Faults: ") else ()
    return Exhibit(name=path.stem, words=words, faults=tuple(faults))


def copy_package(folder: Path) -> Path:
    """Copy the package, with what Python has compiled of it, into `folder`; gives the folder, to be put on the path."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns(".*"))
    return folder


def spoil(exhibit: Exhibit, folder: Path) -> None:
    """Apply a bug to the copy in `folder`.

    Raises
    ------
    PatchDoesNotApply
        With what git says of it.
    """
    _apply(exhibit, folder)


def must_fit(exhibit: Exhibit) -> None:
    """Look whether a bug could be applied to the package itself, without doing so; raises as `spoil` does."""
    _apply(exhibit, PACKAGE.parent, "--check")


def _apply(exhibit: Exhibit, folder: Path, *options: str) -> None:
    # One line of context on each side suffices, so that changes nearby do no harm; what is taken out must be there.
    command = ["git", "apply", "-p1", "-C1", *options, str(exhibit.patch)]
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PatchDoesNotApply(f"{exhibit.name} does not apply to the package as it is; make it anew:\n{done.stderr}")
