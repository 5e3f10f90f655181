"""The notebooks: committed without outputs, told in short cells, safe by default, and running from top to bottom."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cells.stories import executed_file

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; pip install 'hydra_nb[test]'")
pytest.importorskip("nbclient", reason="nbclient is not installed; pip install 'hydra_nb[test]'")
pytest.importorskip("ipykernel", reason="ipykernel is not installed; pip install 'hydra_nb[test]'")

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_CELL_LINES = 10
MAX_RUN_S = 60.0
OWN_MARKET = "f'127.0.0.1:{market.port}'"
"""How a notebook names a simulated gateway that it has started itself, to give it faults."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def code_cells(path: Path) -> list[str]:
    """Sources of the code cells of a notebook."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_is_a_tour() -> None:
    """The notebook that the first command opens is there."""
    assert "tour.ipynb" in [path.name for path in NOTEBOOKS]


@each_notebook
def test_a_notebook_is_valid_and_committed_without_outputs(path: Path) -> None:
    """No output, no execution count and no cell metadata is kept."""
    notebook = nbformat.read(path, as_version=4)

    nbformat.validate(notebook)

    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@each_notebook
def test_a_notebook_is_a_story_in_short_cells(path: Path) -> None:
    """Every code cell is under ten lines, and follows a cell that explains it."""
    cells = nbformat.read(path, as_version=4).cells

    assert cells[0].cell_type == "markdown"
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) < MAX_CELL_LINES, cell.source
            assert before.cell_type == "markdown", f"nothing explains {cell.source!r}"


@each_notebook
def test_a_notebook_connects_to_nothing_but_the_embedded_gateway(path: Path) -> None:
    """No cell opens a paper or a live account; a gateway with faults is one that the notebook itself started."""
    sources = code_cells(path)

    trees = [
        compile(source, path.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT) for source in sources
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    connects = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "connect"]

    assert connects
    for call in connects:
        assert [ast.unparse(argument) for argument in call.args] in ([], ["'sim'"], [OWN_MARKET])
        assert not {keyword.arg for keyword in call.keywords} & {"account", "confirm_live"}
        journals = [ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg == "journal"]
        assert journals in ([], [":memory:"])
    if OWN_MARKET in "\n".join(ast.unparse(tree) for tree in trees):
        assert re.search(r"^market = hydra_nb\.SimulatedGateway\(", "\n".join(sources), re.MULTILINE)
    assert not re.search(r"confirm_live|4001|7496", "\n".join(sources))


@pytest.mark.timeout(180)
@each_notebook
def test_a_notebook_runs_from_top_to_bottom(path: Path) -> None:
    """A fresh kernel runs every cell without an error, in under a minute."""
    ran = executed_file(path.name)

    cells = [cell for cell in ran.saved["cells"] if cell["cell_type"] == "code"]
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    assert all(cell["execution_count"] for cell in cells)
    assert ran.took_s < MAX_RUN_S
