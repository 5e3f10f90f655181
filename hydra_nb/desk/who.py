"""Who sits before the notebook, for the journal; screens and frames do not show it."""

import getpass
import os
import sys

IN_VIRTUAL_TIME = "virtual time"
"""Stands for a user where one seed must give one journal, on whatever computer."""


def user_name() -> str:
    """Name of the user whose process this is, as the operating system knows it."""
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # which that system does not have

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return f"user {os.getuid()}"
