"""Which codes of the broker reject an order message."""

import pytest

from hydra_nb.domain.broker_codes import is_rejection


@pytest.mark.parametrize("code", [103, 105, 110, 201, 203, 321, 388, 435, 10311])
def test_codes_that_refuse_are_rejections(code: int) -> None:
    """They came with the id of an order of ours."""
    assert is_rejection(code)


@pytest.mark.parametrize("code", [0, 104, 135, 136, 161, 202, 399, 404, 2102, 2104, 2109, 10147, 10148, 10349])
def test_notices_and_answers_to_our_own_cancels_are_none(code: int) -> None:
    """Nothing was refused that we wanted: 104 came to a modify of an order that had filled meanwhile."""
    assert not is_rejection(code)
