"""Reads a TOML file of limits as entries that know where they stand; what may be a limit is not decided here.

The parser of the standard library gives no positions. A second, simple look at the text finds the line of a key by its
section and name, which is all that a message needs.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra_nb.errors import LimitsError

_SECTIONS = "the sections are [limits], and one for each symbol with limits of its own, such as [symbols.ZO]"
_ADVICE = "write lines such as collar_ticks = 20, each limit once"
_PLACE = re.compile(r"at line (\d+)")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s"'.=\[\]]+))\s*""")

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the file: ``name = value``, of a symbol or, where it is None, of all; `where` is file and line."""

    symbol: str | None
    name: str
    value: object
    where: str


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Read all entries of a file, at the top level, in ``[limits]`` or in sections such as ``[symbols.ZO]``.

    Raises
    ------
    LimitsError
        The file cannot be read, is not TOML, has an unknown section, or one that sets nothing; the message holds
        the file, the line where it can be found, the key, and the remedy.
    """
    text = _text(path)
    sheet = _Sheet(path=path, table=_table(text, path=path), lines=_lines(text))
    entries: dict[tuple[str | None, str], Entry] = {}
    for entry in sheet.entries():
        known = entries.setdefault((entry.symbol, entry.name), entry)
        if known is not entry:
            raise LimitsError(f"{entry.where}: {entry.name} stands at {known.where} too; give each limit once")
    if not entries:
        raise LimitsError(f"limits file {path} sets no limit; {_ADVICE}, or leave limits= out for the defaults")
    return tuple(entries.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A parsed file, and the lines on which its keys stand."""

    path: Path
    table: Mapping[str, Any]
    lines: Mapping[Keys, int]

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of the file's sections."""
        for key, value in self.table.items():
            if key == "limits":
                yield from self._section(value, symbol=None, keys=(key,))
            elif key == "symbols":
                for symbol, own in self._listed(value, keys=(key,)).items():
                    if not isinstance(own, dict):
                        raise self._wrong(key, symbol, words=f"{symbol!r} is no symbol's section; {_SECTIONS}")
                    yield from self._section(own, symbol=symbol, keys=(key, symbol))
            elif isinstance(value, dict):
                raise self._wrong(key, words=f"unknown section [{key}]; {_SECTIONS}")
            else:
                yield Entry(symbol=None, name=key, value=value, where=self._at((key,)))

    def _section(self, value: object, *, symbol: str | None, keys: Keys) -> Iterator[Entry]:
        for name, limit in self._listed(value, keys=keys).items():
            if isinstance(limit, dict):
                raise self._wrong(*keys, name, words=f"unknown section [{'.'.join((*keys, name))}]; {_SECTIONS}")
            yield Entry(symbol=symbol, name=name, value=limit, where=self._at((*keys, name)))

    def _listed(self, value: object, *, keys: Keys) -> Mapping[str, Any]:
        """What a section holds, which must be something."""
        section = f"[{'.'.join(keys)}]"
        if not isinstance(value, dict):
            raise self._wrong(*keys, words=f"{section} must be a section; {_SECTIONS}")
        if not value:
            raise self._wrong(*keys, words=f"section {section} sets no limit; {_ADVICE}, or take the section out")
        return value

    def _wrong(self, *keys: str, words: str) -> LimitsError:
        return LimitsError(f"{self._at(keys)}: {words}")

    def _at(self, keys: Keys) -> str:
        """File and line of a key; of what holds it, where it has no line of its own; else the file."""
        for length in range(len(keys), 0, -1):
            line = self.lines.get(keys[:length])
            if line is not None:
                return f"{self.path}:{line}"
        return str(self.path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LimitsError(f"limits file {path} is not UTF-8 text ({error}); save it as UTF-8") from error
    except (OSError, ValueError) as error:  # the second where the path itself is none
        raise LimitsError(f"limits file {path} cannot be read: {error}; give the path of a TOML file") from error


def _table(text: str, *, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError also of a number with thousands of digits
        found = _PLACE.search(str(error))
        if found is None:
            raise LimitsError(f"limits file {path} is not TOML: {error}; {_ADVICE}") from error
        number = int(found[1])
        line = text.split("\n")[number - 1].strip()[:60]
        raise LimitsError(f"{path}:{number}: {line!r} is not TOML here: {error}; {_ADVICE}") from error


def _lines(text: str) -> dict[Keys, int]:
    """Line of every key and section that begins a line, by its full name."""
    found: dict[Keys, int] = {}
    section: Keys = ()
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.strip()
        if words.startswith("["):
            section = _keys(words.lstrip("["))
            found.setdefault(section, number)
        elif words and not words.startswith("#"):
            found.setdefault((*section, *_keys(words)), number)
    return found


def _keys(words: str) -> Keys:
    """Parts of the dotted name at the beginning of some text."""
    parts: list[str] = []
    at = 0
    while found := _PART.match(words, at):
        parts.append(next(part for part in found.groups() if part is not None))
        at = found.end()
        if words[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts)
