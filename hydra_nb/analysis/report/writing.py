"""Puts the report of an order into a file."""

from pathlib import Path

from hydra_nb.analysis.history import History
from hydra_nb.analysis.report.facts import gather
from hydra_nb.analysis.report.files import begins_with, write_whole
from hydra_nb.analysis.report.page import head_of, page_of
from hydra_nb.journal import JournalReading


def write_report(
    source: JournalReading | History,
    parent_id: str,
    path: Path | str,
    *,
    overwrite: bool = False,
) -> Path:
    """Write the report of a parent order: one page of HTML, about 5 MB, that opens without a network.

    The same journal, with the same versions of the packages, gives the same bytes.

    Parameters
    ----------
    source
        The journal, live or at rest, or its `History`.
    parent_id
        Whose report; one that still works gets a page that says so.
    path
        Where to. An earlier report of the same order is replaced, any other file only with `overwrite`.
    overwrite
        Replace whatever is there.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InvalidOrder
        The journal has no such parent.
    FileExistsError
        There is another file at `path`.
    OSError
        It cannot be written.
    """
    target = Path(path)
    facts = gather(source, parent_id)
    if not overwrite and target.exists() and not begins_with(target, head_of(facts)):
        raise FileExistsError(f"{target} is no report of {parent_id} of this journal; overwrite replaces it")
    write_whole(target, page_of(facts).encode())
    return target
