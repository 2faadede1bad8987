"""Who may ask the page's server for what: this machine's browser, with the token, from the page itself."""

import secrets
from collections.abc import Mapping

ADDRESS = "127.0.0.1"
_NAMES = (ADDRESS, "localhost")
# The page loads from its own server alone; no name of a class or a sheet can become a script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def cookie_name(port: int) -> str:
    """Return the cookie's name: browsers keep one jar for all ports, and two projects may be open at once."""
    return f"yoloop-{port}"


def cookie(port: int, token: str) -> str:
    """Return the value of `Set-Cookie` that lets the page in."""
    return f"{cookie_name(port)}={token}; Path=/; HttpOnly; SameSite=Strict"


def objection(headers: Mapping[str, str], *, port: int, entering: bool, writing: bool) -> str | None:
    """Return why a request cannot come from our page, or None; the token is looked at by `has_token`.

    `entering`: the page itself is asked for, and a link in a terminal or a mail may have led to it.

    A foreign name in `Host` is a page elsewhere whose name was bound to this machine; a foreign `Origin`, a page
    elsewhere that sends here.
    """
    hosts = {f"{name}:{port}" for name in _NAMES}
    if headers.get("Host") not in hosts:
        return "This server answers on 127.0.0.1 only."
    if not entering and headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return "This request came from another page."
    origin = headers.get("Origin")
    if (writing or origin is not None) and origin != f"http://{headers.get('Host')}":
        return "This request came from another page."
    return None


def has_token(headers: Mapping[str, str], token: str, *, port: int) -> bool:
    """Say whether the cookie is there that the first URL set.

    All ports of this machine share one jar: whatever else a program here has set stands beside ours, and is no mistake.
    """
    pairs = (one.strip().partition("=") for one in headers.get("Cookie", "").split(";"))
    return any(name == cookie_name(port) and is_token(value, token) for name, _, value in pairs)


def is_token(given: str, token: str) -> bool:
    """Compare without telling by the time how much of it was right."""
    return secrets.compare_digest(given.encode(), token.encode())
