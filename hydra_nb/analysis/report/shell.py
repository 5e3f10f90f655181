"""What all pages have around their sections: the head with its policy, and the links to the sections."""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib import resources

from hydra_nb.analysis.report.data import DIGEST_NAME
from hydra_nb.analysis.report.parts import escape

_HERE = resources.files("hydra_nb.analysis.report")
_HEADING = re.compile(r'<h2 id="([\w-]+)-h">([^<]+)</h2>')


def head_html(title: str, *, digest: str, scripts: Sequence[str] = (), further_style: str = "") -> str:
    """Title, style, and a policy by which the browser itself loads nothing and runs no script but these.

    Parameters
    ----------
    title
        Of the page, as text.
    digest
        SHA-256 over the page's data.
    scripts
        The scripts that stand on the page, as they stand there.
    further_style
        Style sheet behind that of all pages.
    """
    own = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
    own = own or "'none'"
    policy = f"default-src 'none'; script-src {own}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"
    style = (_HERE / "report.css").read_text(encoding="utf-8") + further_style
    return (
        '<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="{DIGEST_NAME}" content="{digest}">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
    )


def contents(parts: Sequence[str]) -> str:
    """Links to the sections."""
    found = [_HEADING.search(part) for part in parts]
    links = "".join(f'<li><a href="#{one[1]}">{one[2]}</a></li>' for one in found if one is not None)
    return f'<nav aria-label="On this page"><ol>{links}</ol></nav>'
