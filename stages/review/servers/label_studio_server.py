"""Talks to a Label Studio server over its REST API (https://api.labelstud.io), and says in a line what it refused.

Nothing goes anywhere but to the address that was given: no redirect is followed, no proxy or netrc of the environment
is used. The key is a personal access token, for which the server hands out short-lived ones, or a legacy token.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import requests

from stages.base.errors import UserError, problem

KEY = "LABEL_STUDIO_API_KEY"
_DOTS = 2  # of a personal token, which is a JWT; a legacy token has none
_WAIT = (10.0, 300.0)  # seconds to connect, and for an answer: an import of a large task takes long
_MAKE = f"In Label Studio: Account & Settings > Personal Access Token > Create; then: export {KEY}=..."
_LONGEST = 300  # letters of what the server says
_REDIRECTS = range(300, 400)


def token_of(environment: Mapping[str, str]) -> str:
    """Return the access token in `environment`; raise `UserError` when there is none."""
    token = environment.get(KEY, "").strip()
    if not token:
        raise problem("label_studio_server.access_token", KEY, make=_MAKE)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise problem("label_studio_server.access_token_other_letters", KEY, make=_MAKE)
    return token


class LabelStudioServer:
    """A Label Studio server at `url`, and who we are there; every method raises `UserError` for what it refuses."""

    def __init__(self, url: str, token: str) -> None:
        parts = _parts(url)
        if parts is None:
            raise problem("label_studio_server.address_label_studio", "--url", found=repr(url))
        self.path = parts.path.rstrip("/")  # of a server that does not lie at the top of its host
        self.url = f"{parts.scheme}://{parts.netloc}{self.path}"
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._is_personal = token.count(".") == _DOTS
        self._header = f"Token {token}"

    def get(self, path: str, **query: str | int) -> Any:
        """Return what the server answers to GET, as JSON."""
        return self._json("GET", path, params=query)

    def post(self, path: str, content: Any, **query: str | int) -> Any:
        """Send `content` as JSON, and return the answer."""
        return self._json("POST", path, json=content, params=query)

    def patch(self, path: str, content: Any) -> Any:
        """Send `content` as JSON, which changes what is there, and return the answer."""
        return self._json("PATCH", path, json=content)

    def upload(self, path: str, file: Path | bytes, *, name: str, **query: str | int) -> Any:
        """Send a file, called `name`, and return the answer."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        return self._json("POST", path, files={"file": (name, content)}, params=query)

    def address_of(self, stored: str) -> str:
        """Return the address, without the host, of a picture that the server has stored as `stored`."""
        return f"{self.path}/data/{quote(stored)}"

    def sign_in(self) -> None:
        """Make sure that there is a Label Studio, and that it knows our key."""
        answer = self._send("GET", "/api/version", headers={})  # who is not known yet gets no key
        if answer.status_code in _REDIRECTS:
            raise self._refused(answer, "/api/version")
        version = self._read(answer, "/api/version") if answer.ok else None
        if not isinstance(version, dict) or "release" not in version:
            raise self._no_label_studio(f"an answer ({answer.status_code}) of something else")
        if self._is_personal:
            self._renew()
        self.get("/api/current-user/whoami")

    def _renew(self) -> None:
        """Get a short-lived token for the personal one."""
        answer = self._send("POST", "/api/token/refresh/", json={"refresh": self._token}, headers={})
        if answer.status_code in (requests.codes.unauthorized, requests.codes.bad_request, requests.codes.forbidden):
            raise self._unknown_key(_said(answer))
        if not answer.ok:
            raise self._refused(answer, "/api/token/refresh/")
        self._header = f"Bearer {self._read(answer, '/api/token/refresh/')['access']}"

    def _json(self, method: str, path: str, **content: Any) -> Any:
        answer = self._send(method, path, **content)
        if answer.status_code == requests.codes.unauthorized and self._is_personal:
            self._renew()  # it lives for minutes, an upload longer
            answer = self._send(method, path, **content)
        if answer.status_code == requests.codes.unauthorized:
            raise self._unknown_key(_said(answer))
        if not answer.ok or answer.status_code in _REDIRECTS:
            raise self._refused(answer, path)
        return self._read(answer, path)

    def _send(self, method: str, path: str, **content: Any) -> requests.Response:
        content.setdefault("headers", {"Authorization": self._header})
        try:
            return self._session.request(method, f"{self.url}{path}", timeout=_WAIT, allow_redirects=False, **content)
        except requests.exceptions.SSLError as error:
            raise problem("label_studio_server.certificate_known", self.url, found=_short(error)) from error
        except requests.exceptions.Timeout as error:
            raise problem("label_studio_server.answer", self.url, wait=_WAIT[1]) from error
        except requests.exceptions.RequestException as error:
            raise self._no_label_studio("nobody who answers") from error

    def _read(self, answer: requests.Response, path: str) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise self._no_label_studio(f"an answer that is no JSON, at {path}") from error

    def _no_label_studio(self, found: str) -> UserError:
        return problem("label_studio_server.label_studio_server", self.url, found=found)

    def _unknown_key(self, said: str) -> UserError:
        # A legacy token is off unless the organization allows it; the server says so in `said`.
        return problem("label_studio_server.token_server_knows", f"{KEY} at {self.url}", said=said, make=_MAKE)

    def _refused(self, answer: requests.Response, path: str) -> UserError:
        if answer.status_code in _REDIRECTS:
            found = f"a redirection to {answer.headers.get('location', '?')}"
            return problem("label_studio_server.server_itself", self.url, found=found)
        if answer.status_code == requests.codes.forbidden:
            return problem("label_studio_server.allowed_there", f"{self.url}{path}", found=_said(answer))
        return problem(
            "label_studio_server.label_studio_takes",
            f"{self.url}{path}",
            status_code=answer.status_code,
            said=_said(answer),
        )


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a server's address, which may come without its scheme; None for something else."""
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:  # a port that is none
        return None
    return parts if sound and not parts.query and not parts.fragment and "@" not in parts.netloc else None


def _said(answer: requests.Response) -> str:
    """Return what the server says is wrong, in one line."""
    try:
        content = answer.json()
    except ValueError:
        return answer.reason or str(answer.status_code)
    if isinstance(content, dict):
        details = content.get("validation_errors") or content.get("detail") or content
        content = details if details else content
    return _short(content)


def _short(what: object) -> str:
    return " ".join(str(what).split())[:_LONGEST]
