"""The calibrations that a journal knows of."""

from hydra_nb.domain import events as ev
from hydra_nb.domain.calibration import SlippageCalibration

from .making import at, fold


def fitted(symbol: str, *, k: float) -> SlippageCalibration:
    """Constants of a symbol."""
    return SlippageCalibration(
        symbol=symbol,
        k=k,
        k_low=None,
        k_high=None,
        spread_factor=1.0,
        spread_factor_low=0.5,
        spread_factor_high=1.5,
        level=0.95,
        n_fills=12,
        n_orders=6,
        residual_low_ticks=-1.0,
        residual_high_ticks=1.0,
        residual_level=0.7,
        calibrated_ns=at(0),
        version="sqrt-1.fit",
    )


def changed(symbol: str, calibration: SlippageCalibration | None, *, seconds: float) -> ev.CalibrationChanged:
    """A person accepted, or dropped, one."""
    return ev.CalibrationChanged(
        time_ns=at(seconds), symbol=symbol, calibration=calibration, reason="tested", who="somebody"
    )


def test_without_any_every_symbol_is_as_assumed() -> None:
    """None, not one with assumed constants, which would look like evidence."""
    assert fold([]).calibration("ZO") is None


def test_the_last_accepted_holds_of_each_symbol_by_itself() -> None:
    """Another symbol changes nothing; the event keeps when and why."""
    first, second, other = fitted("ZO", k=0.1), fitted("ZO", k=0.2), fitted("HE", k=0.3)

    ledger = fold([changed("ZO", first, seconds=1), changed("HE", other, seconds=2), changed("ZO", second, seconds=3)])

    assert (ledger.calibration("ZO"), ledger.calibration("HE")) == (second, other)
    assert ledger.calibrations["ZO"].time_ns == at(3)


def test_one_that_was_dropped_is_gone() -> None:
    """And dropping what is not there changes nothing."""
    ledger = fold([changed("ZO", fitted("ZO", k=0.1), seconds=1), *(changed(s, None, seconds=2) for s in ("ZO", "HE"))])

    assert ledger.calibrations == {}
