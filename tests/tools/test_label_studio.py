"""A real Label Studio: packets go there, a person works there, and what they did comes back, by API and by file."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.base.boxes import iou_matrix
from stages.base.decoding import read_bgr
from stages.picking.packet import Packet
from stages.review.formats import label_studio
from stages.review.formats.returned_boxes import Returned
from stages.review.kept.kept_review import Review
from stages.review.ledger.ledger_files import review_boxes
from stages.review.servers.label_studio_api import project_title
from stages.review.servers.label_studio_server import LabelStudioServer
from tests.review.packets import (
    CLASSES,
    STEMS,
    SUFFIXES,
    Box,
    PacketSpec,
    SheetSpec,
    Work,
    as_a_person_would,
    build_packet,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled
from tests.tools.label_studio import Person, fetch, send, size_of, submit_all

pytestmark = pytest.mark.tools

# Every odd name, every odd class, every kind of picture, empty sheets and 300 boxes.
SHEETS = tuple(
    SheetSpec(f"{stem}{SUFFIXES[number % len(SUFFIXES)]}", 60 + number, 90, (0, 3, 40)[number % 3], bool(number % 2))
    for number, stem in enumerate(STEMS)
)
ODD = PacketSpec(CLASSES, (*SHEETS, SheetSpec("300.jpg", 120, 110, 300, False)), 11)
# Sheets on which everything is done once: see `edited`.
LEDGER = PacketSpec(
    ("door", "title block"),
    (
        SheetSpec("as it was.png", 400, 300, 3, False),
        SheetSpec("changed.png", 400, 300, 5, False),
        SheetSpec("empty.png", 400, 300, 2, True),
        SheetSpec("skipped.png", 400, 300, 2, True),
        SheetSpec("left.png", 400, 300, 2, True),
    ),
    4,
)
KILLED = """
import sys, pathlib
from stages.picking.packet import read_packet
from stages.review.servers.label_studio_api import export_to
packet = read_packet(pathlib.Path(sys.argv[1]))
export_to(packet, url=sys.argv[2], token=sys.argv[3], project=None, say=lambda text: print(text, flush=True))
"""


def test_odd_packets_come_back(person: Person, tmp_path: Path) -> None:
    packet = build_packet(ODD, tmp_path)
    project, said = send(packet, person)
    assert said[0] == f"Created the project '{project_title(packet)}'."
    assert said[1:-3] == [f"{sheet.order} of 21: {sheet.image_id}" for sheet in packet.sheets]
    tasks = person.tasks(project)
    assert list(tasks) == [sheet.image_id for sheet in packet.sheets]
    for sheet in packet.sheets:
        there, ours = person.picture(tasks[sheet.image_id]["data"]["image"]), packet.image(sheet)
        if ours.suffix == ".tif":  # browsers show none: the same pixels go as PNG
            (tmp_path / "shown.png").write_bytes(there)
            assert np.array_equal(read_bgr(tmp_path / "shown.png"), read_bgr(ours))
        else:
            assert there == ours.read_bytes()
    work = as_a_person_would(packet, np.random.default_rng(5))
    submit_all(person, project, packet, work)
    by_api, by_file = fetch(person, str(project)), label_studio.read(person.export(project, tmp_path / "export.json"))
    assert by_api.packet_id == packet.packet_id
    assert_same(by_api, by_file)
    found = assert_comes_back(packet, by_api, work, within=0.001)
    kept = Counter(box.prelabel for sheet in found.sheets for box in sheet.boxes)
    assert kept == Counter(box.prelabel for boxes in work.boxes.values() for box in boxes)
    assert_comes_back(packet, label_studio.read(person.export(project, tmp_path / "min.json", "JSON_MIN")), work)


def assert_same(one: Returned, other: Returned) -> None:
    def plain(what: Returned) -> list[Any]:
        sheets = sorted(what.sheets, key=lambda sheet: sheet.name)
        return [(s._replace(where="", boxes=()), [box._replace(where="") for box in s.boxes]) for s in sheets]

    assert plain(one) == plain(other)


def edited(packet: Packet) -> Work:
    """Return what a person does: on `changed.png` every outcome of the ledger once; on `empty.png` all is deleted."""
    boxes = truth(packet).boxes
    stay, move, resize, rename, delete = boxes["changed.png"]
    x1, y1, x2, y2 = move.xyxy
    shift = -3.0 if x1 >= 3 else 3.0
    moved = move._replace(xyxy=(x1 + shift, y1, x2 + shift, y2), done="moved")
    x1, y1, x2, y2 = resize.xyxy
    resized = resize._replace(xyxy=(x1, y1, x2 - (x2 - x1) / 4, y2), done="resized")
    other = next(name for name in packet.classes if name != rename.class_name)
    renamed = rename._replace(class_name=other, done="reclassified")
    added = Box("door", (350.0, 20.0, 380.0, 60.0), None, "added")
    assert not iou_matrix(np.array([added.xyxy]), np.array([delete.xyxy])).any()  # or they were one box, moved
    work = {**boxes, "changed.png": [stay, moved, resized, renamed, added], "empty.png": []}
    return Work(work, {str(box.prelabel) for box in (delete, *boxes["empty.png"])})


def test_the_ledger_says_what_was_done(person: Person, tmp_path: Path) -> None:
    packet = build_packet(LEDGER, tmp_path)
    work = edited(packet)
    project, _ = send(packet, person)
    tasks = person.tasks(project)
    for name in ("as it was.png", "changed.png", "empty.png"):
        person.submit(tasks[name], work.boxes[name], size_of(packet, name), lead_time=30.0)
    person.submit(tasks["skipped.png"], work.boxes["skipped.png"], (400, 300), was_cancelled=True)
    by_api, by_file = (
        fetch(person, project_title(packet)),
        label_studio.read(person.export(project, tmp_path / "x.json")),
    )
    assert {sheet.name: sheet.status for sheet in by_api.sheets} == {
        **dict.fromkeys(("as it was.png", "changed.png", "empty.png"), "reviewed"),
        **dict.fromkeys(("skipped.png", "left.png"), "unreviewed"),
    }
    assert_same(by_api._replace(sheets=tuple(s for s in by_api.sheets if s.name != "left.png")), by_file)
    for what in (by_api, by_file):
        found = reconciled(packet, what, all_reviewed=False, partial=True)
        assert {sheet.image_id: sheet.seconds for sheet in found.sheets} == dict.fromkeys(
            ("as it was.png", "changed.png", "empty.png"), 30.0
        )
        assert {*found.unopened, *found.missing} == {"skipped.png", "left.png"}
        review = Review(packet.packet_id, 2, packet.classes, "label-studio", partial=True, sheets=found.sheets)
        assert outcomes(packet, review) == expected_outcomes(work)


def outcomes(packet: Packet, review: Review) -> set[tuple[str, str]]:
    rows = review_boxes(packet, review, iou=0.5)
    found = list(zip(rows["prelabel_id"], rows["outcome"], strict=True))
    assert len(set(found)) == len(found)
    return set(found)


def expected_outcomes(work: Work) -> set[tuple[str, str]]:
    done = [box for name in ("as it was.png", "changed.png", "empty.png") for box in work.boxes[name]]
    return {*((box.prelabel or "", box.done) for box in done), *((name, "deleted") for name in work.deleted)}


def test_a_killed_export_goes_on(person: Person, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(boxes=7)._replace(seed=77), tmp_path)
    command = [sys.executable, "-c", KILLED, packet.folder, person.url, person.token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as export:
        assert export.stdout is not None
        lines = [export.stdout.readline(), export.stdout.readline()]
        export.send_signal(signal.SIGKILL)
    assert lines == [f"Created the project '{project_title(packet)}'.\n", "1 of 3: a.png\n"]
    project, said = send(packet, person)
    assert said[0] in {f"{count} of 3 sheets are in '{project_title(packet)}' already." for count in (1, 2)}
    tasks = person.ask("GET", f"/api/tasks?project={project}&fields=all")["tasks"]
    assert sorted(task["data"]["image_id"] for task in tasks) == ["a.png", "b c.jpg", "ü.png"]
    _, again = send(packet, person)
    assert again[0] == f"3 of 3 sheets are in '{project_title(packet)}' already."
    assert len(again) == 4  # and nothing was sent
    submit_all(person, project, packet, truth(packet))
    assert_comes_back(packet, fetch(person, project_title(packet)), truth(packet), within=0.001)


def test_the_files_can_be_imported_by_hand(person: Person, documents: Path, tmp_path: Path) -> None:
    packet = build_packet(ODD._replace(seed=12), tmp_path)
    folder = documents
    label_studio.write(packet, folder)
    config = (folder / label_studio.CONFIG).read_text(encoding="utf-8")
    project = person.ask("POST", "/api/projects", {"title": "by hand", "label_config": config})["id"]
    storage = {"project": project, "path": str(folder / "images"), "title": "sheets", "use_blob_urls": True}
    person.ask("POST", "/api/storages/localfiles", storage)
    server = LabelStudioServer(person.url, person.token)
    server.sign_in()
    answer = server.upload(f"/api/projects/{project}/import", folder / label_studio.TASKS, name=label_studio.TASKS)
    assert answer["task_count"] == len(packet.sheets)
    there = person.tasks(project)
    for sheet in packet.sheets:
        name, content = label_studio.picture_of(packet, sheet)
        assert person.picture(there[sheet.image_id]["data"]["image"]) == content, name
    work = as_a_person_would(packet, np.random.default_rng(6))
    submit_all(person, project, packet, work)
    assert_comes_back(packet, label_studio.read(person.export(project, tmp_path / "x.json")), work, within=0.001)
