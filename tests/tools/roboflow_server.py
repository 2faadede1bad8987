"""A stand-in for api.roboflow.com: answers as Roboflow's package expects, keeps what is uploaded, exports versions.

What it answers is taken from the package's own code (roboflow/adapters/rfapi.py, core/project.py, core/version.py) and
from docs.roboflow.com/developer ("Get Details About an Image"). It refuses a second set of boxes, knows a picture by
its content, is not ready at once with an export, and does not know a new picture the first time it is asked for it.
"""

import email
import hashlib
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.review.packets import Box
from tests.review.roboflow_version import make_version

KEY = "aSecretKey1"
WORKSPACE, PROJECT = "ws", "plans"


class StandIn(ThreadingHTTPServer):
    """The server, and what it was told; `uploads_left` pictures are taken before it breaks down (None: for ever)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.images: dict[str, dict[str, Any]] = {}  # by id, in the order in which they came
        self.boxes: dict[str, dict[str, Any]] = {}  # by the id of their image
        self.uploads_left: int | None = None
        self.refused = 0  # uploads and sets of boxes that were there already
        self.command_lines = ""  # of all processes, at the time of the first request
        self.work: dict[str, list[Box]] = {}  # what a person made of it, by the name of the picture
        self.classes: tuple[str, ...] = ()
        self.versions: dict[int, dict[str, Any]] = {}
        self.asked: set[str] = set()  # what was asked for once already
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "StandIn":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def add_version(self, number: int, **how: Any) -> None:
        """Make a version as its settings say."""
        info = {"id": f"{WORKSPACE}/{PROJECT}/{number}", "created": 1.0, "images": len(self.work), "splits": {}}
        self.versions[number] = {**info, "exports": [], "augmentation": {}, "preprocessing": {}, **how}

    def archive(self, number: int) -> Path:
        """Return the archive of a version, as its link gives it."""
        file = self.folder / f"{number}.zip"
        if not file.is_file():
            pictures = []
            for image in self.images.values():
                pictures.append(self.folder / "uploaded" / image["name"])
                pictures[-1].parent.mkdir(exist_ok=True)
                pictures[-1].write_bytes(image["data"])
            there = [picture for picture in pictures if picture.name in self.work]
            folder = make_version(there, self.work, self.classes, self.folder / f"version-{number}")
            with zipfile.ZipFile(file, "w") as archive:
                for one in sorted(folder.rglob("*")):
                    archive.write(one, one.relative_to(folder).as_posix())
        return file


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts, query = self._asked()
        if parts[:1] == ["download"]:
            return self._send(self.server.archive(int(parts[1])).read_bytes())
        if not self._may(query):
            return None
        match parts:
            case [workspace] if workspace == WORKSPACE:
                self._say({"workspace": {"name": "W", "url": WORKSPACE, "projects": []}})
            case [_, project] if project == PROJECT:
                self._say({"project": self._project(), "versions": list(self.server.versions.values())})
            case [_, _, "images", image_id] if image_id in self.server.images:
                annotation = self.server.boxes.get(image_id)
                image = {"id": image_id, "name": self.server.images[image_id]["name"]}
                self._say({"image": image | ({"annotation": {"key": "k"}} if annotation else {})})
            case [_, _, number]:
                self._say({"version": {"generating": False, "images": 1, "progress": 1, "id": number}})
            case [_, _, number, "coco"] if self._asked_before(f"export {number}"):
                self._say({"export": {"link": f"{self.server.url}/download/{number}"}})
            case [_, _, _, "coco"]:
                self._say({"progress": 0.4}, 202)
            case _:
                self._say({"error": {"message": f"nothing at {self.path.split('?')[0]}"}}, 404)
        return None

    def do_POST(self) -> None:
        parts, query = self._asked()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._may(query):
            return
        match parts:
            case []:
                self._say({"workspace": WORKSPACE})
            case ["dataset", project, "upload"] if project == PROJECT:
                self._upload(body, query)
            case ["dataset", project, "annotate", image_id] if project == PROJECT:
                self._annotate(image_id, json.loads(body), query)
            case _:
                self._say({"error": {"message": "no such project"}}, 404)

    def _upload(self, body: bytes, query: dict[str, list[str]]) -> None:
        server = self.server
        if server.uploads_left is not None:
            server.uploads_left -= 1
            if server.uploads_left < 0:
                return self._say({"error": {"message": "Too many requests."}}, 503)
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in email.message_from_bytes(head + body).walk()
            if not part.is_multipart()
        }
        image_id = hashlib.sha256(parts["file"]).hexdigest()[:20]
        if image_id in server.images:
            server.refused += 1
            return self._say({"duplicate": True, "id": image_id})
        server.images[image_id] = {
            **{"name": parts["name"].decode(), "split": parts["split"].decode(), "data": parts["file"]},
            **{"batch": query["batch"][0], "place": (query["sequence_number"][0], query["sequence_size"][0])},
        }
        return self._say({"success": True, "id": image_id})

    def _annotate(self, image_id: str, content: dict[str, Any], query: dict[str, list[str]]) -> None:
        server = self.server
        if image_id not in server.images or not self._asked_before(image_id):
            return self._say({"error": {"message": f"Image {image_id} was not found."}}, 404)
        if image_id in server.boxes:
            server.refused += 1
            return self._say({"error": {"message": "This image was already annotated."}}, 409)
        server.boxes[image_id] = {**content, "prediction": query.get("prediction"), "job": query.get("jobName")}
        return self._say({"success": True})

    def _asked(self) -> tuple[list[str], dict[str, list[str]]]:
        if not self.server.command_lines:
            lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline")]
            self.server.command_lines = b"\n".join(lines).decode(errors="replace")
        address = urlsplit(self.path)
        return [unquote(part) for part in address.path.split("/") if part], parse_qs(address.query)

    def _may(self, query: dict[str, list[str]]) -> bool:
        if query.get("api_key") == [KEY]:
            return True
        self._say({"error": {"message": "This API key does not exist (or has been revoked).", "status": 401}}, 401)
        return False

    def _asked_before(self, what: str) -> bool:
        before = what in self.server.asked
        self.server.asked.add(what)
        return before

    def _project(self) -> dict[str, Any]:
        return {
            **{"id": f"{WORKSPACE}/{PROJECT}", "name": "Plans", "type": "object-detection", "annotation": "plans"},
            **{"classes": {}, "colors": {}, "created": 1.0, "updated": 1.0, "images": 0, "public": False},
            **{"splits": {}, "unannotated": 0},
        }

    def _say(self, content: dict[str, Any], status: int = 200) -> None:
        self._send(json.dumps(content).encode(), status)

    def _send(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
