"""Sends a packet to a project on Roboflow, and fetches a version of it, through Roboflow's own package.

The package needs opencv-python-headless, which shares its folder with our opencv-python: installed beside each other
they break one another. So it lives in an environment of its own, and `roboflow_worker.py` runs there.
"""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from stages.base.errors import UserError, problem
from stages.picking.packet import Packet
from stages.review.formats import roboflow
from stages.review.servers.roboflow_worker import KEY

PYTHON = Path(".tools/roboflow/bin/python")  # in the project
SERVER = "ROBOFLOW_API_URL"  # another server than Roboflow's own
_MAKE = "python3 -m venv .tools/roboflow && .tools/roboflow/bin/pip install 'roboflow>=1.7,<2'"
_WORKER = Path(__file__).with_name("roboflow_worker.py")
_KEY = re.compile(r"[\w-]+")  # the package puts it into addresses as it is
_PROJECT = re.compile(r"[\w.-]+/[\w.-]+")  # as in the project's address: WORKSPACE/PROJECT
# The package takes its servers from variables with these common names. One that was meant for something else would
# send the key there, so they are not handed on.
_SERVERS = ("API_URL", "APP_URL", "UNIVERSE_URL")


def key_of(environment: Mapping[str, str]) -> str:
    """Return the API key in `environment`; raise `UserError`, without it, when there is none that could be one."""
    key = environment.get(KEY, "").strip()
    if not _KEY.fullmatch(key):
        found = "other signs than letters and digits" if key else "no such variable"
        mend = f"In Roboflow: Settings > API Keys; then: export {KEY}=…"
        raise problem("roboflow_api.api_key_your", KEY, found=found, mend=mend)
    return key


def export_to(
    packet: Packet, *, project: str, key: str, say: Callable[[str], None], python: Path = PYTHON
) -> list[str]:
    """Upload the packet into `project` (WORKSPACE/PROJECT), in its order; return what to do there.

    Pre-labels go as predictions, which a person has to approve. What is there already stays as it is, so after an
    interruption it is run again. Raises `UserError` for a refusal, with what Roboflow says, and without the package.
    """
    sheets = [
        {
            "image": str(packet.image(sheet).resolve()),
            "rows": (packet.folder / "labels" / f"{Path(sheet.image_id).stem}.txt").read_text(encoding="utf-8"),
        }
        for sheet in packet.sheets
    ]
    batch = f"yoloop iteration {packet.iteration} packet {packet.packet_id}"
    request = {"do": "upload", "batch": batch, "classes": list(packet.classes), "sheets": sheets}
    for done in _answers(request, project=project, key=key, python=python):
        number = done["number"]
        say(f"{number} of {len(sheets)}: {packet.sheets[number - 1].image_id}: {done['said']}")
    return [f"Open the project {project} in Roboflow; the sheets are in the batch '{batch}'.", *roboflow.back()]


def fetch_from(
    *,
    project: str,
    version: int | None,
    key: str,
    folder: Path,
    say: Callable[[str], None],
    python: Path = PYTHON,
) -> Path:
    """Download `version` of `project` (None: its newest) into the folder; return the archive, still packed.

    Raises `UserError` as `export_to` does, and for a version with augmentation, before anything is downloaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "roboflow.zip.part"
    part.unlink(missing_ok=True)
    name = "roboflow.zip"
    request = {"do": "download", "version": version, "file": str(part.resolve())}
    try:
        for done in _answers(request, project=project, key=key, python=python):
            if "version" in done:
                name = f"{project.replace('/', '-')}-{done['version']}.zip"
                say(_version_line(project, done))
        return part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)


def _version_line(project: str, done: Mapping[str, Any]) -> str:
    steps = ", ".join(done["preprocessing"] or ())
    note = f"; its pictures went through {steps}" if steps else ""
    return f"Version {done['version']} of {project}: {done['images']} sheets{note}"


def _answers(request: Mapping[str, Any], *, project: str, key: str, python: Path) -> Iterator[dict[str, Any]]:
    """Run the worker with `request`, and yield what it answers; raise `UserError` for what it could not do."""
    if not _PROJECT.fullmatch(project):
        raise problem("roboflow_api.workspace_project", "--project", found=repr(project))
    if not python.is_file():
        raise _no_package(python, "none")
    environment = {name: value for name, value in os.environ.items() if name not in _SERVERS}
    environment |= {KEY: key, "TQDM_DISABLE": "1"}
    if os.environ.get(SERVER):
        environment["API_URL"] = os.environ[SERVER]
    # Isolated: beside the worker lies our own `roboflow.py`, which must not be taken for the package.
    command = [str(python), "-I", str(_WORKER)]
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment)
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it has ended already: why, is read below
                worker.stdin.write(json.dumps({**request, "project": project}).encode())
                worker.stdin.close()
            for line in worker.stdout:
                answer = json.loads(line)
                if "error" in answer:
                    raise _refused(answer, project, python)
                yield answer
            if worker.wait() != 0:
                raise problem("roboflow_api.answer", f"Roboflow {project}", found=_last_line(log).replace(key, "***"))
        finally:
            worker.kill()
            worker.wait()
            worker.stdout.close()


def _refused(answer: Mapping[str, Any], project: str, python: Path) -> UserError:
    if not answer["mend"]:
        return _no_package(python, answer["found"])
    return problem(
        "roboflow_api.refused",
        f"Roboflow {project}",
        expected=answer["expected"],
        found=answer["found"],
        mend=answer["mend"],
    )


def _no_package(python: Path, found: str) -> UserError:
    return problem("roboflow_api.no_package", python, found=found, make=_MAKE)


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "none")[:300]
