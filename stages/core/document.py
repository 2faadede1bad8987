"""The frame of every page: one HTML document that asks for nothing outside, and runs no script."""

from stages.core.markup import text
from stages.core.page_style import STYLE

# Whatever a name may hold: no script runs, and nothing is fetched.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, body: str, *, style: str = "") -> str:
    """Return the document; `title` is text, `body` HTML, `style` CSS of this page alone."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><link rel="icon" href="data:,">'
        f"<title>{text(title)}</title><style>{STYLE}{style}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{body}\n</main></body></html>\n'
