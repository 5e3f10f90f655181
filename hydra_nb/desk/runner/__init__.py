"""A daily cycle on the notebook's loop: a function that says what is wanted, and orders that come of it."""

from hydra_nb.desk.runner.asking import Day

__all__ = ["Day"]
