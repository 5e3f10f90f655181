"""Pieces of HTML that the sections of a report share. Whatever comes from outside is escaped here."""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra_nb.analysis.report import words

Row = Mapping[str, Any]


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One column of a table: its head, how a row is written in it, and whether it holds numbers or sentences."""

    head: str
    write: Callable[[Row], str]
    style: str = ""


NUMBER, SENTENCE = "number", "sentence"


def escape(text: str) -> Html:
    """Text that may stand anywhere in HTML; HTML stays as it is."""
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


def text(name: str, head: str | None = None, *, style: str = "") -> Shown:
    """A column of words, as they are in the frame."""

    def write(row: Row) -> str:
        value = row[name]
        return words.UNKNOWN if words.is_unknown(value) or value == "" else str(value)

    return Shown(head=name.replace("_", " ") if head is None else head, write=write, style=style)


def amount(name: str, head: str | None = None, *, decimals: int = 0, signed: bool = False) -> Shown:
    """A column of numbers."""
    return Shown(
        head=name.replace("_", " ") if head is None else head,
        write=lambda row: words.number(row[name], decimals=decimals, signed=signed),
        style=NUMBER,
    )


def times(name: str, head: str, *, time_zone: str, in_seconds: bool = False) -> tuple[Shown, Shown]:
    """Two columns of a time: at the exchange, and in UTC; to the millisecond, or `in_seconds`."""
    end = len("2027-01-12 09:25:41") if in_seconds else None

    def local(row: Row) -> str:
        shown = words.at_exchange(row[name], time_zone=time_zone)
        if shown == words.UNKNOWN:
            return shown
        return Html(f'<time datetime="{words.machine_time(row[name])}">{shown[:end]}</time>')

    def utc(row: Row) -> str:
        shown = words.in_utc(row[name])
        same_day = shown[:10] == words.at_exchange(row[name], time_zone=time_zone)[:10]
        return shown[11:end] if same_day and shown != words.UNKNOWN else shown[:end]

    return Shown(head=head, write=local), Shown(head="UTC", write=utc)


def table(caption: str, columns: Sequence[Shown], rows: Iterable[Row]) -> Html:
    """Rows as a table with a caption, whose first column heads each row; where there are none, a sentence."""
    listed = list(rows)
    if not listed:
        return Html(f'<p class="none">{escape(caption)}: none.</p>')
    heads = "".join(f'<th scope="col"{_class(one.style)}>{escape(one.head)}</th>' for one in columns)
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in listed)
    return Html(
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(columns: Sequence[Shown], row: Row) -> str:
    first, *others = columns
    head = f'<th scope="row"{_class(first.style)}>{escape(first.write(row))}</th>'
    return head + "".join(f"<td{_class(one.style)}>{escape(one.write(row))}</td>" for one in others)


def _class(style: str) -> str:
    return f' class="{style}"' if style else ""


def pairs(facts: Iterable[tuple[str, str, str]], *, style: str) -> Html:
    """Names with their values, and what stands under each, such as a unit or an explanation."""
    listed = "".join(
        f'<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd><dd class="under">{escape(under)}</dd></div>'
        for name, value, under in facts
    )
    return Html(f'<dl class="{style}">{listed}</dl>')


def paragraph(*sentences: str) -> Html:
    """Sentences as a paragraph."""
    return Html(f"<p>{' '.join(escape(one) for one in sentences)}</p>")


def section(name: str, title: str, *content: str) -> Html:
    """A part of the page under a heading of the second level, which the contents link to."""
    inside = "".join(content)
    return Html(f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{title}</h2>{inside}</section>')
