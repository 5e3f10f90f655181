"""The look of every card and view: style sheets joined into one element, for both themes, without JavaScript.

Colours are ``--hy-*`` variables under the class ``hy``: JupyterLab's own first, a literal second, so that a card is
readable in a saved page too. Dark values hold where JupyterLab says that its theme is dark; where there is no
JupyterLab, the reader's system decides.
"""

import re
from importlib import resources

SHEETS = ("base.css", "ticket.css", "execution.css", "desk.css")
"""The sheets, in the order in which they are joined."""

_STATIC = resources.files("hydra_nb.widgets") / "static"


def read_static(name: str) -> str:
    """Text of a file that the widgets bring to the page."""
    return (_STATIC / name).read_text(encoding="utf-8")


def _joined() -> str:
    """All sheets without their comments, as one style element."""
    text = "".join(read_static(name) for name in SHEETS)
    return f"<style>{re.sub(r'/[*].*?[*]/', '', text, flags=re.DOTALL)}</style>"


STYLE = _joined()
"""The style sheet as an HTML element; once on a page is enough, more do no harm."""
