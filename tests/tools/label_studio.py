"""A real Label Studio server with its own data, without a network, and a person who works there over its API."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.formats.returned_boxes import Returned
from stages.review.servers.label_studio_api import export_to, fetch_from
from tests.review.label_studio_person import annotation_of
from tests.review.packets import Box, Work
from tests.tools.environments import python_of

WHO = {"email": "person@example.org", "password": "a-long-password"}
QUIET = {"LATEST_VERSION_CHECK": "0", "COLLECT_ANALYTICS": "0", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
START = 600.0  # seconds: it makes its database first


@contextmanager
def label_studio(folder: Path, *, documents: Path) -> Iterator["Person"]:
    """Run a server that keeps its data in `folder` and may serve files of `documents`; yield who is signed in there."""
    program = python_of("label-studio").with_name("label-studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
        **QUIET,
        "HOME": str(folder),
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_USERNAME": WHO["email"],
        "LABEL_STUDIO_PASSWORD": WHO["password"],
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(documents),
    }
    command = [program, "start", "--init", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(server, f"http://127.0.0.1:{port}", folder / "server.log")
            yield Person(f"http://127.0.0.1:{port}")
        finally:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            if requests.get(f"{url}/health", timeout=30).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise TimeoutError(log.read_text(errors="replace")[-2000:])


class Person:
    """Someone who is signed in, as a browser is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        page = self._session.get(f"{url}/user/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        form = {**WHO, "csrfmiddlewaretoken": found[1]}
        assert self._session.post(f"{url}/user/login/", data=form, headers={"Referer": url}).ok
        self.token = str(self.ask("POST", "/api/token/")["token"])  # Account & Settings > Personal Access Token
        self.legacy_token = str(self.ask("GET", "/api/current-user/token")["token"])

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        headers = {"X-CSRFToken": self._session.cookies.get("csrftoken", ""), "Referer": self.url}
        answer = self._session.request(method, f"{self.url}{path}", json=content, headers=headers)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def picture(self, address: str) -> bytes:
        answer = self._session.get(f"{self.url}{address}")
        assert answer.ok, f"{address}: {answer.status_code}"
        return answer.content

    def tasks(self, project: int) -> dict[str, dict[str, Any]]:
        """Return the tasks with their predictions, by the sheet's name, in the order in which they are labelled."""
        found = self.ask("GET", f"/api/tasks?project={project}&fields=all&page_size=1000")["tasks"]
        return {task["data"]["image_id"]: task for task in sorted(found, key=lambda task: task["id"])}

    def submit(self, task: Mapping[str, Any], boxes: Sequence[Box], size: tuple[int, int], **facts: Any) -> int:
        """Do what the browser does when a person has put `boxes` on a sheet and presses Submit; return the id."""
        done = {**annotation_of(task, boxes, size), "parent_prediction": task["predictions"][0]["id"], **facts}
        return int(self.ask("POST", f"/api/tasks/{task['id']}/annotations/", done)["id"])

    def draft(self, task: Mapping[str, Any], annotation: int | None = None) -> None:
        """Do what the browser does when a person changes a sheet, or what was submitted of it, and leaves it so."""
        of = f"/annotations/{annotation}" if annotation else ""
        changed = {"result": [], "lead_time": 1, "task": task["id"]}
        self.ask("POST", f"/api/tasks/{task['id']}{of}/drafts?project={task['project']}", changed)

    def export(self, project: int, file: Path, kind: str = "JSON") -> Path:
        """Do what Export in the browser does: only tasks with annotations are in it."""
        return self._load(f"/api/projects/{project}/export", file, kind)

    def snapshot(self, project: int, file: Path, kind: str, tasks: Mapping[str, str] | None = None) -> Path:
        """Take a snapshot, which holds all tasks, also those that nobody opened, unless `tasks` filters them."""
        asked = {"task_filter_options": tasks} if tasks else {}
        made = self.ask("POST", f"/api/projects/{project}/exports", asked)
        return self._load(f"/api/projects/{project}/exports/{made['id']}/download", file, kind)

    def _load(self, path: str, file: Path, kind: str) -> Path:
        answer = self._session.get(f"{self.url}{path}", params={"exportType": kind})
        assert answer.ok, answer.text[:500]
        file.write_bytes(answer.content)
        return file


def send(packet: Packet, person: Person, project: str | None = None, token: str | None = None) -> tuple[int, list[str]]:
    """Put the packet on the server as `yoloop review export` does; return the project's number and what was said."""
    said: list[str] = []
    steps = export_to(packet, url=person.url, token=token or person.token, project=project, say=said.append)
    return int(steps[0].split("/projects/")[1].split("/")[0]), [*said, *steps]


def fetch(person: Person, project: str, token: str | None = None) -> Returned:
    return fetch_from(url=person.url, token=token or person.token, project=project, say=lambda _: None)


def size_of(packet: Packet, image_id: str) -> tuple[int, int]:
    return next((sheet.width, sheet.height) for sheet in packet.sheets if sheet.image_id == image_id)


def submit_all(person: Person, project: int, packet: Packet, work: Work) -> None:
    for name, task in person.tasks(project).items():
        person.submit(task, work.boxes[name], size_of(packet, name))


def refusal(what: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(UserError) as error:
        what(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)
