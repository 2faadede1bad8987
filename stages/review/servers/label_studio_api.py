"""Puts a packet into a project on a Label Studio server, and gets back what was done there.

Sheets go one by one, in the packet's order: picture, then task. A task names its sheet and packet, so after an
interruption only what lacks is sent.
"""

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from stages.base.errors import UserError, problem
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.label_studio import LABEL_ALL, labeling_config, picture_of, task_maker
from stages.review.formats.label_studio_export import returned
from stages.review.formats.returned_boxes import Returned
from stages.review.servers.label_studio_server import LabelStudioServer

_EMPTY = "<View></View>"  # the labeling config of a project that nobody has set up
_PAGE = 100  # projects in an answer
_FEW = 5


def project_title(packet: Packet) -> str:
    """Return what the project of a packet is called, unless the person names another."""
    return f"yoloop iteration {packet.iteration} packet {packet.packet_id}"


def export_to(packet: Packet, *, url: str, token: str, project: str | None, say: Callable[[str], None]) -> list[str]:
    """Put the packet into `project` (id or title; None: one of its own), and return what to do there.

    Creates the project when there is none of that title. What is there already stays as it is; only sheets that lack
    are sent. Raises `UserError` for a server, key or project that is none, a project with other tasks or another
    labeling config, and what the server refuses.
    """
    server = LabelStudioServer(url, token)
    server.sign_in()
    title = project or project_title(packet)
    found = _find(server, title)
    if found is None:
        if project is not None and project.isdecimal():
            raise _no_project(server, project)
        found = _create(server, packet, title)
        say(f"Created the project '{title}'.")
    number = int(found["id"])
    there = _present(server, found, packet)
    lacking = [sheet for sheet in packet.sheets if sheet.sha256 not in there]
    if there:
        say(f"{len(packet.sheets) - len(lacking)} of {len(packet.sheets)} sheets are in '{found['title']}' already.")
    task_of = task_maker(packet)
    for count, sheet in enumerate(lacking, len(packet.sheets) - len(lacking) + 1):
        address = _send(server, number, packet, sheet)
        server.post(f"/api/projects/{number}/import", [task_of(sheet, address)])
        say(f"{count} of {len(packet.sheets)}: {sheet.image_id}")
    return [
        f"Open {server.url}/projects/{number}/data; the sheets come in the packet's order.",
        f"{LABEL_ALL}.",
        f"yoloop review import --url {server.url}{f' --project {number}' if project else ''}",
    ]


def fetch_from(*, url: str, token: str, project: str, say: Callable[[str], None]) -> Returned:
    """Return what was done in `project` (id or title), as `label_studio.read` does for a file.

    Raises `UserError` for a server, key or project that is none, and for tasks that are not ours.
    """
    server = LabelStudioServer(url, token)
    server.sign_in()
    found = _find(server, project)
    if found is None:
        raise _no_project(server, project)
    tasks = _tasks(server, int(found["id"]))
    say(f"'{found['title']}' at {server.url}: {len(tasks)} sheets")
    return returned(tasks, f"{server.url}/projects/{found['id']}")


def _find(server: LabelStudioServer, project: str) -> dict[str, Any] | None:
    """Return the project with that id, else with that title; raise `UserError` when several have it."""
    projects = _projects(server)
    same = [one for one in projects if str(one["id"]) == project] or [
        one for one in projects if one["title"] == project
    ]
    if len(same) > 1:
        ids = ", ".join(str(one["id"]) for one in same)
        raise problem("label_studio_api.project_several", server.url, project=project, ids=ids)
    return same[0] if same else None


def _projects(server: LabelStudioServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = server.get("/api/projects", page=page, page_size=_PAGE)
        found += answer["results"]
        if not answer["next"]:
            return found
        page += 1


def _create(server: LabelStudioServer, packet: Packet, title: str) -> dict[str, Any]:
    facts = {
        "title": title,
        "description": f"Sheets of packet {packet.packet_id}, iteration {packet.iteration}",
        "label_config": labeling_config(packet.classes),
        "enable_empty_annotation": True,  # a sheet without boxes is submitted like any other
        "show_collab_predictions": True,  # a sheet is opened with its pre-labels in it
        "show_skip_button": True,
        "maximum_annotations": 1,
    }
    created: dict[str, Any] = server.post("/api/projects", facts)
    return created


def _present(server: LabelStudioServer, project: Mapping[str, Any], packet: Packet) -> set[str]:
    """Return the hashes of the sheets that are in the project; make it ready when it is empty."""
    tasks = _tasks(server, int(project["id"]))
    others = [task for task in tasks if _data(task).get("packet") != packet.packet_id]
    if others:
        packets = sorted({str(_data(task).get("packet") or "none of ours") for task in others})
        raise problem(
            "label_studio_api.project_sheets_packet",
            f"{server.url}/projects/{project['id']}",
            packet_id=packet.packet_id,
            number_of_others=len(others),
            packets=", ".join(packets[:_FEW]),
        )
    if not tasks:
        _set_up(server, project, packet)
    return {str(_data(task).get("sha256")) for task in tasks}


def _set_up(server: LabelStudioServer, project: Mapping[str, Any], packet: Packet) -> None:
    """Give an empty project our labeling config, unless a person has made one for it."""
    ours, there = labeling_config(packet.classes), str(project.get("label_config") or _EMPTY)
    if _plain(there) == _plain(ours):
        return
    if _plain(there) != _plain(_EMPTY):
        raise problem(
            "label_studio_api.labeling_config_packet",
            f"{server.url}/projects/{project['id']}",
            number_of_there=len(there),
        )
    server.patch(f"/api/projects/{project['id']}", {"label_config": ours, "show_collab_predictions": True})


def _plain(config: str) -> str:
    """Return a labeling config in the one form that XML has for equal content."""
    try:
        return ElementTree.canonicalize(config, strip_text=True)
    except ElementTree.ParseError:
        return config


def _send(server: LabelStudioServer, project: int, packet: Packet, sheet: PacketSheet) -> str:
    """Send the picture of a sheet, and return its address there."""
    name, content = picture_of(packet, sheet)
    query = {"commit_to_project": "false"}  # the picture alone: what makes a task of it comes next
    stored = server.upload(f"/api/projects/{project}/import", content, name=name, **query).get("file_upload_ids")
    if not stored:
        raise problem("label_studio_api.label_studio_community", server.url)
    return server.address_of(server.get(f"/api/import/file-upload/{stored[0]}")["file"])


def _tasks(server: LabelStudioServer, project: int) -> list[dict[str, Any]]:
    """Return all tasks of a project with their annotations, also those that nobody has opened."""
    tasks: list[dict[str, Any]] = server.get(
        f"/api/projects/{project}/export", exportType="JSON", download_all_tasks="true"
    )
    return tasks


def _data(task: Mapping[str, Any]) -> Mapping[str, Any]:
    data = task.get("data")
    return data if isinstance(data, dict) else {}


def _no_project(server: LabelStudioServer, project: str) -> UserError:
    there = [f"{one['id']} '{one['title']}'" for one in _projects(server)]
    found = f"{', '.join(there[:_FEW])}{', ...' * (len(there) > _FEW)}" if there else "no project"
    return problem("label_studio_api.project", server.url, project=project, found=found)
