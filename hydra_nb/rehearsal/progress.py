"""How far a rehearsal is: a bar in a notebook or a terminal, or whatever the caller wants told."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hydra_nb.rehearsal.running import Tell


@contextmanager
def shown(progress: "bool | Tell") -> Iterator[Tell]:
    """Give what tells of the progress, and take the bar away at the end.

    Parameters
    ----------
    progress
        True shows a bar where one can be seen, False shows nothing; else it is called with the paths done and all.
    """
    if callable(progress):
        yield progress
    elif progress and "ipykernel" in sys.modules:
        with _widget() as tell:
            yield tell
    elif progress and sys.stderr.isatty():
        with _terminal() as tell:
            yield tell
    else:
        yield lambda _done, _total: None


@contextmanager
def _widget() -> Iterator[Tell]:
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(description="Rehearsing", layout=ipywidgets.Layout(width="32em"))
    words = ipywidgets.Label()
    box = ipywidgets.HBox([bar, words])
    display(box)  # type: ignore[no-untyped-call]

    def tell(done: int, total: int) -> None:
        bar.max, bar.value, words.value = total, done, f"{done:,} of {total:,} paths"

    try:
        yield tell
    finally:
        box.close()


@contextmanager
def _terminal() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Rehearsing", total=None)
        yield _updating(bar.update, task)


def _updating(update: Callable[..., None], task: object) -> Tell:
    return lambda done, total: update(task, completed=done, total=total)
