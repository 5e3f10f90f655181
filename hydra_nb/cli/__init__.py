"""The command line; ``hydra-nb --help`` lists its commands.

Exit status: 0 done, 1 refused or short, 2 bad use. Heavy modules are imported by the command that needs them.
"""

from hydra_nb.cli import days, records, running, selftest, trading  # noqa: F401  they add their commands to the program
from hydra_nb.cli.program import app, main

__all__ = ["app", "main"]
