"""A Python file that holds a runner's function, and constants beside it."""

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra_nb.desk.runner.asking import Function
from hydra_nb.desk.runner.blame import error_words
from hydra_nb.errors import InvalidOrder

FUNCTIONS = ("targets", "orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a file gives: its function, and ``AT``, ``CALENDAR``, ``NAME`` and ``HOW`` where it has them."""

    function: Function
    at: Any
    calendar: str
    name: str
    how: Mapping[str, Any]


def read_program(path: Path) -> Program:
    """Run a file and take what it gives; the folder of the file is searched for its imports, as Python's own way is.

    Raises
    ------
    InvalidOrder
        It cannot be read or run, or lacks the function; the message names its line.
    """
    if not path.is_file():
        raise InvalidOrder(f"{path} is no file; name a Python file with a function {' or '.join(FUNCTIONS)}")
    module = _module(path)
    found = [name for name in FUNCTIONS if callable(getattr(module, name, None))]
    if len(found) != 1:
        has = "defines both targets(day) and orders(day)" if found else "defines neither targets(day) nor orders(day)"
        raise InvalidOrder(f"{path.name} {has}; define one of them")
    how = getattr(module, "HOW", {})
    if not isinstance(how, Mapping):
        raise InvalidOrder(f"HOW of {path.name} is a {type(how).__name__}; write a dict, such as HOW = dict(slices=5)")
    return Program(
        function=getattr(module, found[0]),
        at=getattr(module, "AT", "08:45"),
        calendar=getattr(module, "CALENDAR", "ZO"),
        name=getattr(module, "NAME", path.stem),
        how=how,
    )


def _module(path: Path) -> ModuleType:
    name = f"hydra_nb_program_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidOrder(f"{path.name} is no Python file; its name ends with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as dataclasses and pickle look there
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InvalidOrder(f"{path.name} cannot be run: {error_words(error)}") from error
    return module
