"""How an account number is shown: never whole, neither on a screen nor in a message."""

MASK = "•••"


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
