"""When the runner of a cell that is run again is the one at work, and when it is another."""

import functools
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from hydra_nb.desk.runner.settings import Settings
from tests.runner.scenes import oats


class Model:
    """What a person keeps a number in."""

    def __init__(self, lots: int) -> None:
        self.lots = lots

    def targets(self, _day: object) -> pd.DataFrame:
        """Of this model."""
        return oats(self.lots)

    def __call__(self, _day: object) -> pd.DataFrame:
        """The same."""
        return oats(self.lots)


def lots_of(lots: int, _day: object) -> pd.DataFrame:
    """To be bound to a number."""
    return oats(lots)


def closing_over(lots: int) -> Callable[[object], pd.DataFrame]:
    """A function that holds a number."""
    return lambda _day: oats(lots)


def with_default(lots: int) -> Callable[..., pd.DataFrame]:
    """A function that holds a number otherwise."""

    def targets(_day: object, lots: int = lots) -> pd.DataFrame:
        return oats(lots)

    return targets


def with_attribute(lots: int) -> Callable[..., pd.DataFrame]:
    """And in yet another way."""

    def targets(_day: object) -> pd.DataFrame:
        return oats(1)

    targets.__dict__["lots"] = lots
    return targets


def of_a_module(lots: int) -> Any:
    """The same lines, in a module of its own that has another number."""
    names: dict[str, Any] = {"LOTS": lots}
    exec("def targets(day):\n    return LOTS\n", names)  # noqa: S102  as an import does
    return names["targets"]


def settings(function: Any) -> Settings:
    """All but the function as ever."""
    return Settings(
        function=function,
        at="08:45",
        calendar="ZO",
        dry_run=False,
        catch_up="skip",
        time_limit_s=60,
        on_refusal="continue",
        name="daily",
        reports=None,
        how={},
    )


@pytest.mark.parametrize(
    "making",
    [
        lambda lots: Model(lots).targets,
        Model,
        lambda lots: functools.partial(lots_of, lots),
        closing_over,
        with_default,
        with_attribute,
        of_a_module,
    ],
    ids=["method", "object", "partial", "closure", "default", "attribute", "module"],
)
@pytest.mark.parametrize("other", [5, 10])
def test_what_holds_a_value_is_the_same_as_itself_only(making: Callable[[int], Any], other: int) -> None:
    """Else a cell with another model would leave the first at work, silently."""
    one = making(5)

    assert settings(one).is_same(settings(one))
    assert not settings(one).is_same(settings(making(other)))


def test_a_method_of_the_same_object_is_the_same() -> None:
    """Although Python makes a new one each time that it is asked for."""
    model = Model(5)

    assert settings(model.targets).is_same(settings(model.targets))
    assert not settings(model.targets).is_same(settings(model.__call__))
