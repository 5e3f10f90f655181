"""How an account number is shown: never whole, neither on a screen nor in a message."""

import re

MASK = "•••"

_NUMBERS = re.compile(r"\b[DFU]{1,2}\d{5,9}\b")  # as the broker writes them in its messages


def mask_account(account: str) -> str:
    """Account number for people: ``U1234567`` as ``U•••67``, ``DU7654321`` as ``DU•••21``.

    Of the letters in front two are kept at most (all of ``SIM``), of the end two characters. A text too short to
    hide at least three characters becomes the mask alone.
    """
    letters = len(account) - len(account.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    shown = 3 if account.startswith("SIM") else min(letters, 2)
    if len(account) < shown + 5:
        return MASK
    return f"{account[:shown]}{MASK}{account[-2:]}"


def mask_accounts(text: str, *, account: str) -> str:
    """Text with this account, and whatever else looks like an account number, masked."""
    hidden = text.replace(account, mask_account(account)) if account else text
    return _NUMBERS.sub(lambda found: mask_account(found[0]), hidden)
