"""The program: its name, its exit statuses, and how it speaks."""

import sys

import typer
from rich.console import Console

from hydra_nb.errors import HydraError

DONE, SHORT, BAD_USE = 0, 1, 2
TABLE_WIDTH = 132

app = typer.Typer(
    name="hydra-nb",
    help="Execute orders in thin commodity futures. Start with: hydra-nb demo, or hydra-nb lab.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors of the tree are one sentence and exit status 2."""
    try:
        app()
    except HydraError as error:
        complain(str(error))
        sys.exit(BAD_USE)


def say(text: str) -> None:
    """Print a sentence."""
    Console(width=TABLE_WIDTH, highlight=False).print(text)


def complain(text: str) -> None:
    """Print what went wrong, in red on standard error."""
    Console(stderr=True, width=TABLE_WIDTH, highlight=False).print(text, style="red")
