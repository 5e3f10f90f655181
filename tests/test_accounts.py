"""Account numbers in words of others are masked."""

import pytest

from hydra_nb.domain.accounts import mask_accounts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("margin of SIM4AB7QF is short", "margin of SIM•••QF is short"),
        ("account U1234567, sub-account DU7654321", "account U•••67, sub-account DU•••21"),
        ("advisor F1234567 (DF7654321)", "advisor F•••67 (DF•••21)"),
        ("order 12345678 of ZOH7 at 371.25, code 201", "order 12345678 of ZOH7 at 371.25, code 201"),
        ("", ""),
    ],
)
def test_account_numbers_are_masked_and_nothing_else_is(text: str, shown: str) -> None:
    """Our own wherever it stands, others by their form."""
    assert mask_accounts(text, account="SIM4AB7QF") == shown


def test_an_account_that_is_not_known_yet_masks_nothing_by_itself() -> None:
    """An empty number stands in every text."""
    assert mask_accounts("nothing here", account="") == "nothing here"
