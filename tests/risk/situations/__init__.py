"""Situations for every check, whose figures differ on purpose; what is decided in each is in decisions.txt."""

from hydra_nb.risk.case import Case

from .of_desk import OF_DESK
from .of_price import OF_PRICE
from .of_size import OF_SIZE
from .of_traffic import OF_TRAFFIC

SITUATIONS: dict[str, dict[str, Case]] = {**OF_DESK, **OF_SIZE, **OF_PRICE, **OF_TRAFFIC}
"""By check, in the order of the table of checks, and by what is so."""
