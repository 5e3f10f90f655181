"""Makes the mutants: the faults that mutmut knows, in all of a room's source.

What a mutation is, is mutmut's: an operator turned round, a number one more, an argument left out or None, a string in
other letters. mutmut itself changes functions only, and none with a decorator; here the tables, the defaults of the
limits, properties and remembered functions are changed as well.
"""

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "hydra_nb" / "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault in one file.

    Attributes
    ----------
    file, line
        Name of the file in the room, and the line of the node that was changed.
    place
        Qualified name of the function around it, empty for what stands outside of every function.
    source
        The whole file with the fault in it.
    change
        The lines that differ, before and after.
    """

    file: str
    line: int
    place: str
    source: str
    change: str

    @property
    def name(self) -> str:
        """Where and what, in one line: no two mutants of a run have the same."""
        return f"{self.file}:{self.line} {self.place or 'module'}: {self.change}"


def controls_of(mutants: Sequence[Mutant]) -> tuple[Mutant, ...]:
    """Each file twice without a fault: as a function of it, where it has one, and as a whole."""
    places = {mutant.file: mutant.place for mutant in reversed(mutants) if mutant.place}
    places |= {mutant.file: "" for mutant in mutants if mutant.file not in places}
    return tuple(
        Mutant(file=file, line=0, place=place, source=(ROOM / file).read_text(encoding="utf-8"), change="nothing")
        for file, named in places.items()
        for place in {named, ""}
    )


class _Everything(MutationVisitor):
    """mutmut's visitor, but for its refusal of decorated functions; the decorators themselves stay."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        return False if isinstance(node, cst.FunctionDef) else super()._skip_node_and_children(node)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """All mutants of a file, in the order of its text; one that says the same as the file or another is left out."""
    text = path.read_text(encoding="utf-8")
    visitor = _Everything(
        mutation_operators,
        IgnoredCode(no_mutate_lines=set(), ignore_node_lines=set(), ignore_pattern_lines=set()),
    )
    module = MetadataWrapper(cst.parse_module(text)).visit(visitor)
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    spans, positions = wrapper.resolve(ByteSpanPositionProvider), wrapper.resolve(PositionProvider)
    functions = tuple(_functions(ast.parse(text)))
    raw, seen = text.encode(), {ast.dump(ast.parse(text))}
    for mutation in visitor.mutations:
        node = mutation.original_node
        span, line = spans.get(node), positions[node].start.line if node in positions else 0
        mutated = None
        if span is not None and _bare(module, node) == raw[span.start : span.start + span.length].decode():
            tail = raw[span.start + span.length :]
            mutated = (raw[: span.start] + _bare(module, mutation.mutated_node).encode() + tail).decode()
        if mutated is None:
            mutated = module.deep_replace(node, mutation.mutated_node).code
        said = ast.dump(ast.parse(mutated))
        if said in seen:
            continue
        seen.add(said)
        change = _change(text, mutated)
        yield Mutant(file=path.name, line=line, place=_around(functions, line), source=mutated, change=change)


def _bare(module: cst.Module, node: cst.CSTNode) -> str:
    """Text of a node without the brackets around it, which its span leaves out too."""
    if isinstance(node, cst.BaseExpression) and node.lpar:
        node = node.with_changes(lpar=(), rpar=())
    return module.code_for_node(node)


def _functions(tree: ast.AST, *, inside: str = "") -> Iterator[tuple[str, int, int]]:
    """Outermost functions and methods with their first and last lines."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, inside=f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{inside}{node.name}", node.lineno, node.end_lineno or node.lineno


def _around(functions: tuple[tuple[str, int, int], ...], line: int) -> str:
    return next((name for name, first, last in functions if first <= line <= last), "")


def _change(before: str, after: str) -> str:
    """Lines that differ, each without its indentation."""
    lines = [
        line[2:].strip() if line.startswith("- ") else f"→ {line[2:].strip()}"
        for line in difflib.ndiff(_near(before, after), _near(after, before))
        if line.startswith(("- ", "+ "))
    ]
    return " ".join(lines)


def _near(text: str, other: str) -> list[str]:
    """The lines of a text without those at its beginning and end that another text has too."""
    lines, others = text.splitlines(), other.splitlines()
    first = next((at for at, pair in enumerate(zip(lines, others, strict=False)) if pair[0] != pair[1]), 0)
    shortest = min(len(lines), len(others)) - first
    same = 0
    while same < shortest and lines[len(lines) - 1 - same] == others[len(others) - 1 - same]:
        same += 1
    return lines[first : len(lines) - same]
