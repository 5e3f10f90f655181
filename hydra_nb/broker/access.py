"""Which account is traded, decided by what the gateway reports and never by its port."""

from collections.abc import Sequence

from hydra_nb.domain.accounts import mask_account
from hydra_nb.errors import AccountRefused, LiveNotAllowedHere, LiveNotConfirmed

CONFIRMED_CHARACTERS = 4


def is_simulated(account: str) -> bool:
    """Whether the account belongs to the simulated gateway."""
    return account.startswith("SIM")


def is_paper(account: str) -> bool:
    """Whether the account trades on paper."""
    return account.startswith("D")


def is_live(account: str) -> bool:
    """Whether the account trades real money: it is neither simulated nor paper."""
    return not is_simulated(account) and not is_paper(account)


def choose_account(
    listed: Sequence[str], *, account: str | None, confirm_live: str | None, live_obstacle: str | None = None
) -> str:
    """Give the account to trade on.

    Parameters
    ----------
    listed
        Accounts that the gateway reports.
    account
        The account asked for; needed where several are listed, and for a live one.
    confirm_live
        Last four characters of a live account.
    live_obstacle
        Why a live account is not opened here, whatever confirms it, in words; None where it may be.

    Raises
    ------
    AccountRefused
        Where the account is not listed, or several are and none was named.
    LiveNotConfirmed
        For a live account without `account` and a matching `confirm_live`.
    LiveNotAllowedHere
        For a live account with a `live_obstacle`.
    """
    shown = ", ".join(map(mask_account, listed)) or "none"
    if account is None and len(listed) != 1:
        raise AccountRefused(f"the gateway lists {len(listed)} accounts ({shown}); say account= to choose one")
    if account is not None and account not in listed:
        raise AccountRefused(f"account {mask_account(account)} is not one of the gateway's: {shown}")
    chosen = account or listed[0]
    if is_live(chosen) and live_obstacle is not None:
        raise LiveNotAllowedHere(
            f"{mask_account(chosen)} is a live account, and {live_obstacle}. Nothing was asked of it"
        )
    if is_live(chosen) and (account is None or confirm_live != chosen[-CONFIRMED_CHARACTERS:]):
        raise LiveNotConfirmed(
            f"{mask_account(chosen)} is a live account; give account= and confirm_live= its last"
            f" {CONFIRMED_CHARACTERS} characters. Nothing was asked of it"
        )
    return chosen
