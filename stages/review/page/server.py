"""A small server for the page: on this machine alone, for who has the token, one request after another on disk."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

from stages.base.errors import UserError, problem
from stages.review.page import access
from stages.review.page.desk import Desk, Refused
from stages.review.page.memory import Memory, forget, remember
from stages.review.page.pictures import picture

STATIC = Path(__file__).parent / "static"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LARGEST = 4_000_000  # bytes of a request
_SILENCE = 60.0  # seconds that a connection may say nothing
_JSON = "application/json"


class PageServer(ThreadingHTTPServer):
    """Serves one packet at `url`; `finished` is set once the person has ended the review."""

    daemon_threads = True
    allow_reuse_address = True  # the port of a server that was just killed

    def __init__(self, desk: Desk, memory: Memory, *, port: int) -> None:
        super().__init__((access.ADDRESS, port), _Handler)
        self.desk, self.finished, self._place = desk, threading.Event(), threading.Lock()
        self.memory = memory._replace(port=self.server_address[1])
        # Only files that were here at the start are served, by name: no path is ever put together from a request.
        self.files = {f"/{file.relative_to(STATIC).as_posix()}": file for file in STATIC.rglob("*") if file.is_file()}
        remember(desk.root, self.memory)

    @property
    def url(self) -> str:
        """Where the page is, with the token that lets it in."""
        return f"http://{access.ADDRESS}:{self.memory.port}/?token={self.memory.token}"

    def move_to(self, order: int) -> None:
        """Remember which sheet is open."""
        with self._place:
            self.memory = self.memory._replace(order=self.desk.known(order).order)
            remember(self.desk.root, self.memory)

    def end(self) -> None:
        """Let who waits for the review go on."""
        forget(self.desk.root)
        self.finished.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that hung up; anything else is a bug and keeps its traceback."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def serving(desk: Desk, memory: Memory, *, port: int) -> Iterator[PageServer]:
    """Serve the page in the block; `port` 0 takes the one of before if it is free, else any.

    Raises `UserError` when `port` is taken.
    """
    server = _listening(desk, memory, port=port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listening(desk: Desk, memory: Memory, *, port: int) -> PageServer:
    wanted = [port] if port else [memory.port, 0]
    for number in wanted:
        try:
            return PageServer(desk, memory, port=number)
        except OSError as error:
            if number == wanted[-1]:
                raise problem("server.free_port", f"port {number}", found=str(error.strerror)) from error
    raise AssertionError


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "yoloop", ""
    timeout = _SILENCE

    @property
    def page(self) -> PageServer:
        return cast(PageServer, self.server)

    def do_GET(self) -> None:
        self._answer(writing=False)

    def do_PUT(self) -> None:
        self._answer(writing=True)

    def do_POST(self) -> None:
        self._answer(writing=True)

    def _answer(self, *, writing: bool) -> None:
        """Answer a request that may be answered; whatever goes wrong is told to the page in one sentence."""
        path, _, query = self.path.partition("?")
        try:
            kept, self.close_connection = self.close_connection, True  # after a refusal nothing more is read
            entered = self._let_in(path, query, writing=writing)
            self.close_connection = kept
            body = self._body() if writing else b""
            self._route(path, body, entered=entered)
        except Refused as refused:
            self._send_json(refused.body, status=refused.status)
        except UserError as error:
            self._send_json({"error": str(error)}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
        except (ConnectionError, TimeoutError):
            raise
        except OSError as error:  # a full disk, a folder that may not be written into: the page keeps its work
            self._send_json({"error": f"{error.strerror}: {error.filename}."}, status=HTTPStatus.INTERNAL_SERVER_ERROR)

    def _let_in(self, path: str, query: str, *, writing: bool) -> bool:
        """Raise `Refused` unless the request comes from our page; return whether the token came in the URL."""
        port, token = self.page.memory.port, self.page.memory.token
        headers = cast("dict[str, str]", self.headers)
        if reason := access.objection(headers, port=port, entering=path == "/", writing=writing):
            raise Refused(HTTPStatus.FORBIDDEN, reason)
        given = parse_qs(query).get("token", [""])[-1] if path == "/" else ""
        if access.is_token(given, token):
            return True
        if not access.has_token(headers, token, port=port):
            raise Refused(HTTPStatus.FORBIDDEN, "Open the URL that `yoloop review open` printed: it holds the key.")
        return False

    def _body(self) -> bytes:
        """Return what was sent; the connection ends after anything that is not plain JSON of a known length."""
        self.close_connection = True
        lengths = self.headers.get_all("Content-Length", [])
        length = lengths[0] if len(lengths) == 1 else ""
        if not length.isascii() or not length.isdigit() or self.headers.get("Transfer-Encoding"):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "A request needs a Content-Length.")
        if len(length) > len(str(_LARGEST)) or int(length) > _LARGEST:  # Python makes no number of 5,000 digits
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is more than a sheet can be.")
        if self.headers.get("Content-Type", "").split(";")[0].strip() != _JSON:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The server takes JSON only.")
        body = self.rfile.read(int(length))
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        return body

    def _route(self, path: str, body: bytes, *, entered: bool) -> None:
        """Do what the method and the path ask for."""
        desk = self.page.desk
        match (self.command, *path.strip("/").split("/")):
            case ("GET", ""):
                key = access.cookie(self.page.memory.port, self.page.memory.token)
                self._send_file("/index.html", {"Set-Cookie": key} if entered else {})
            case ("GET", "api", "packet"):
                self._send_json({**desk.overview(), "at": self.page.memory.order})
            case ("GET", "api", "sheets", order):
                self._send_json(desk.sheet(_number(order)))
            case ("GET", "api", "sheets", order, "image"):
                data, kind = picture(desk.packet.image(desk.known(_number(order))))
                self._send(data, kind, {"Cache-Control": "private, max-age=86400"})  # its URL has its hash
            case ("PUT", "api", "sheets", order):
                self._send_json(desk.save(_number(order), body))
            case ("PUT", "api", "at", order):
                self.page.move_to(_number(order))
                self._send_json({})
            case ("POST", "api", "finish"):
                self._send_json(desk.finish(body))
                self.page.end()
            case ("GET", *_):
                self._send_file(path, {})
            case _:
                raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _send_file(self, path: str, headers: dict[str, str]) -> None:
        file = self.page.files.get(path)
        if file is None or file.suffix not in _KINDS:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")
        self._send(file.read_bytes(), _KINDS[file.suffix], {"Cache-Control": "no-store", **headers})

    def _send_json(self, values: dict[str, Any], *, status: int = HTTPStatus.OK) -> None:
        data = json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
        self._send(data, _JSON, {"Cache-Control": "no-store"}, status=status)

    def _send(self, data: bytes, kind: str, headers: dict[str, str], *, status: int = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {**access.HEADERS, **headers, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the library refuses with our headers, too."""
        self.close_connection = True
        self.request_version = self.protocol_version  # before it is read it is 0.9, which knows no status
        self._send_json({"error": message or HTTPStatus(code).phrase}, status=code)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for what a person needs to know."""


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Refused(HTTPStatus.NOT_FOUND, "A sheet has a number.")
    return int(text)
