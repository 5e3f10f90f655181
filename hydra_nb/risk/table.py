"""Prints ``docs/checks.md``: ``python -m hydra_nb.risk.table > docs/checks.md``."""

import sys

from hydra_nb.risk.checks import table

if __name__ == "__main__":
    sys.stdout.write(table())
