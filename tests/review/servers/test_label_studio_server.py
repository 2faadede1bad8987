"""What a person reads when there is no Label Studio, another server, or no key. tests/tools asks the real server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stages.base.errors import UserError
from stages.review.servers.label_studio_server import KEY, LabelStudioServer, token_of

TOKEN = "0123456789abcdef"
Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Serve one answer for everything; yield the address, and what was asked with which key."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def refusal(url: str) -> str:
    with pytest.raises(UserError) as error:
        LabelStudioServer(url, TOKEN).sign_in()
    assert "\n" not in str(error.value)
    assert TOKEN not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "http://", "file:///etc/passwd", "http://host/?a=b", "http://host:x"]
)
def test_no_address(url: str) -> None:
    assert "expected the address of a Label Studio server" in refusal(url)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://host/label-studio/", "https://host/label-studio"),
    ],
)
def test_addresses(url: str, taken: str) -> None:
    assert LabelStudioServer(url, TOKEN).url == taken


def test_pictures_of_a_server_below_the_top_of_its_host() -> None:
    server = LabelStudioServer("https://host/label-studio", TOKEN)
    assert server.address_of("upload/1/0a-ü 1.png") == "/label-studio/data/upload/1/0a-%C3%BC%201.png"


def test_nobody_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refusal(f"http://127.0.0.1:{port}")
    assert said.startswith(f"http://127.0.0.1:{port}: expected a Label Studio server, found nobody who answers.")
    assert "label-studio start" in said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b"<html>not here</html>"), "found an answer (404) of something else"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "found an answer that is no JSON, at /api/version"),
        ((200, {}, b'["a list"]'), "found an answer (200) of something else"),
        ((200, {}, b'{"version": 1}'), "found an answer (200) of something else"),
    ],
)
def test_something_else_answers(answer: Answer, words: str) -> None:
    with answering(*answer) as (url, asked):
        assert words in refusal(url)
    assert asked == [("/api/version", None)]  # who is not known yet gets no key


def test_no_redirect_is_followed() -> None:
    with (
        answering(200, {}, b'{"release": "1"}') as (other, asked),
        answering(302, {"Location": f"{other}/api/version"}, b"") as (url, _),
    ):
        said = refusal(url)
    assert f"expected the server itself, found a redirection to {other}/api/version. Give that address" in said
    assert asked == []


def test_neither_proxy_nor_netrc_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with answering(200, {}, b"{}") as (proxy, through), answering(200, {}, b'{"release": "1"}') as (url, asked):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        LabelStudioServer(url, TOKEN).sign_in()
    assert through == []
    assert asked == [("/api/version", None), ("/api/current-user/whoami", f"Token {TOKEN}")]


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "kęy", "a\nb"])
def test_no_key(value: str | None) -> None:
    with pytest.raises(UserError, match=rf"^{KEY}: expected an access token, found .* Personal Access Token"):
        token_of({} if value is None else {KEY: value})


def test_a_key() -> None:
    assert token_of({KEY: f" {TOKEN}\n"}) == TOKEN
