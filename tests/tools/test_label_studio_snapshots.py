"""A real Label Studio's snapshots, which hold all tasks of a project: what nobody opened is no truth.

Of eight sheets three are submitted: one with a box more, one as it was, one without any box. One is skipped, on one
somebody has begun, three were never opened. Each went out with one box.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.iteration.advance import advance
from stages.picking.packet import PACKET, Packet, read_packet
from stages.review.identity.reconciliation import EMPTYING
from stages.review.kept.kept_review import REVIEW, read_review
from stages.review.review_import import import_review
from stages.review.review_status import status_lines
from tests.once import Once
from tests.review.packets import Box, truth
from tests.tools.label_studio import Person, send, size_of
from tests.tools.many_sheets import project_under_review

pytestmark = pytest.mark.tools

SUBMITTED, SKIPPED, BEGUN = ("s1.jpg", "s2.jpg", "s3.jpg"), "s4.jpg", "s5.jpg"
NEVER = ("s6.jpg", "s7.jpg", "s8.jpg")
ADDED = Box("elevation", (30.0, 30.0, 60.0, 60.0), None, "added")
ASK = " (if you looked at all of them: --all-reviewed)"
ALL = {"s1.jpg": 2, "s3.jpg": 0, "s5.jpg": 0, **dict.fromkeys(NEVER, 0)}  # boxes


class Labelled(NamedTuple):
    """A project under review whose packet is on the server as project `number`, where a person was at work."""

    root: Path
    packet: Packet
    number: int
    tasks: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def labelled(once: Once, person: Person) -> Labelled:
    """Never to be changed."""
    root = once("eight_sheets", lambda folder: project_under_review(folder / "project", 8)) / "project"
    packet = read_packet(root / PACKET)
    number, _ = send(packet, person)
    tasks, before = person.tasks(number), truth(packet).boxes
    work = {"s1.jpg": [*before["s1.jpg"], ADDED], "s2.jpg": before["s2.jpg"], "s3.jpg": []}
    for name, boxes in work.items():
        person.submit(tasks[name], boxes, size_of(packet, name))
    person.submit(tasks[SKIPPED], before[SKIPPED], size_of(packet, SKIPPED), was_cancelled=True)
    person.draft(tasks[BEGUN])
    return Labelled(root, packet, number, tasks)


@pytest.fixture
def root(labelled: Labelled, clean_env: None, tmp_path: Path) -> Path:
    return Path(shutil.copytree(labelled.root, tmp_path / "project", symlinks=True))


def take(root: Path, export: Path, **options: Any) -> list[str]:
    return import_review(root, export, say=lambda _: None, **options).splitlines()


def boxes(root: Path) -> dict[str, int]:
    return {sheet.image_id: len(sheet.boxes) for sheet in read_review(root / REVIEW).reviewed}


def in_train(root: Path) -> set[str]:
    return {row.image_id for row in read_manifest(root / "data/dataset/train" / MANIFEST) if row.added_iteration}


@pytest.mark.parametrize("kind", ["YOLO", "YOLO_WITH_IMAGES", "COCO", "COCO_WITH_IMAGES"])
def test_what_nobody_opened_stays_in_the_pool(
    labelled: Labelled, root: Path, person: Person, tmp_path: Path, kind: str
) -> None:
    export = person.snapshot(labelled.number, tmp_path / f"{kind}.zip", kind)
    lines = take(root, export, partial=True)
    assert lines[0] == "1 reviewed sheet in the export; 1 sheet of it taken into data/review"
    assert f"As they went out, so not taken{ASK}: 1 sheet: s2.jpg" in lines
    bare = "s3.jpg, s5.jpg, s6.jpg, s7.jpg, s8.jpg"
    assert f"Came back without a box, so not taken{ASK}: 5 sheets: {bare}" in lines
    assert EMPTYING in lines
    assert f"Not in the export: 1 sheet: {SKIPPED}" in lines
    assert boxes(root) == {"s1.jpg": 2}
    said = status_lines(root)
    assert said[1].startswith("reviewed  1 of 8 sheets, with ")
    assert said[2] == "changes   2 boxes: 1 confirmed, 1 added"
    assert said[3] == "open      7 sheets: s2.jpg, s3.jpg, s4.jpg, s5.jpg, s6.jpg, ..."
    advance(root, reviewer="person", partial=True)
    assert in_train(root) == {"s1.jpg"}


def test_it_is_taken_where_one_says_so_and_named(
    labelled: Labelled, root: Path, person: Person, tmp_path: Path
) -> None:
    export = person.snapshot(labelled.number, tmp_path / "all.zip", "YOLO")
    lines = take(root, export, partial=True, all_reviewed=True)
    bare = "s3.jpg, s5.jpg, s6.jpg, s7.jpg, s8.jpg"
    assert f"Reviewed and empty, as --all-reviewed says: 5 sheets: {bare}." in lines
    assert boxes(root) == {**ALL, "s2.jpg": 1}


def test_voc_leaves_out_what_has_no_box(labelled: Labelled, root: Path, person: Person, tmp_path: Path) -> None:
    lines = take(root, person.snapshot(labelled.number, tmp_path / "voc.zip", "VOC"), partial=True, all_reviewed=True)
    assert "Not in the export: 6 sheets: s3.jpg, s4.jpg, s5.jpg, s6.jpg, s7.jpg, ..." in lines
    assert boxes(root) == {"s1.jpg": 2, "s2.jpg": 1}


JSONS: dict[str, Callable[[Person, int, Path], Path]] = {
    "export": lambda person, number, file: person.export(number, file),
    "export, min": lambda person, number, file: person.export(number, file, "JSON_MIN"),
    "snapshot": lambda person, number, file: person.snapshot(number, file, "JSON"),
    "snapshot, min": lambda person, number, file: person.snapshot(number, file, "JSON_MIN"),
}


@pytest.mark.parametrize("export", JSONS)
def test_json_says_what_was_submitted(
    labelled: Labelled, root: Path, person: Person, tmp_path: Path, export: str
) -> None:
    """Also with --all-reviewed, which is for exports that do not say it."""
    file = JSONS[export](person, labelled.number, tmp_path / "x.json")
    take(root, file, partial=True, all_reviewed=True)
    assert boxes(root) == {"s1.jpg": 2, "s2.jpg": 1, "s3.jpg": 0}
    assert status_lines(root)[2] == "changes   4 boxes: 2 confirmed, 1 added, 1 deleted"


@pytest.mark.parametrize("kind", ["YOLO", "COCO"])
def test_of_annotated_tasks_alone_all_may_be_taken(
    labelled: Labelled, root: Path, person: Person, tmp_path: Path, kind: str
) -> None:
    """As the button Export gives them, and a snapshot with the filter."""
    by_button = person.export(labelled.number, tmp_path / "button.zip", kind)
    filtered = person.snapshot(labelled.number, tmp_path / "filtered.zip", kind, {"annotated": "only"})
    for number, export in enumerate((by_button, filtered)):
        folder = Path(shutil.copytree(root, tmp_path / f"project{number}", symlinks=True))
        lines = take(folder, export, partial=True, all_reviewed=True)
        assert "Reviewed and empty, as --all-reviewed says: 1 sheet: s3.jpg." in lines
        assert boxes(folder) == {"s1.jpg": 2, "s2.jpg": 1, "s3.jpg": 0}


def test_a_change_that_was_not_submitted(labelled: Labelled, root: Path, person: Person, tmp_path: Path) -> None:
    """A snapshot has but the ids of drafts, and nobody knows what they change; JSON-MIN has none of it."""
    number, _ = send(labelled.packet, person, "changed since")
    tasks, before = person.tasks(number), truth(labelled.packet).boxes
    done = {name: person.submit(tasks[name], before[name], size_of(labelled.packet, name)) for name in SUBMITTED}
    person.draft(tasks["s1.jpg"], done["s1.jpg"])
    for file, found in (
        (person.export(number, tmp_path / "export.json"), "changes since then that were not."),
        (person.snapshot(number, tmp_path / "snap.json", "JSON"), "a draft as well, and no word on what it changes."),
    ):
        with pytest.raises(UserError) as error:
            take(root, file, partial=True)
        said = f"{file} task {tasks['s1.jpg']['id']}: expected what was submitted, found {found}"
        assert str(error.value).startswith(said)
        assert not (root / REVIEW).exists()
    take(root, person.snapshot(number, tmp_path / "min.json", "JSON_MIN"), partial=True)
    assert boxes(root) == dict.fromkeys(SUBMITTED, 1)


def test_annotations_beside_each_other(labelled: Labelled, root: Path, person: Person, tmp_path: Path) -> None:
    """What was skipped and submitted is submitted, in any order; of two that differ nobody knows which one holds."""
    number, _ = send(labelled.packet, person, "two annotations")
    tasks, size = person.tasks(number), size_of(labelled.packet, "s1.jpg")
    for name, skipped in (("s1.jpg", (False, True)), ("s2.jpg", (True, False))):
        for one in skipped:
            person.submit(tasks[name], [] if one else [ADDED], size, was_cancelled=one)
    person.submit(tasks["s3.jpg"], [ADDED], size)
    take(root, person.export(number, tmp_path / "x.json"), partial=True)
    assert boxes(root) == dict.fromkeys(SUBMITTED, 1)
    person.submit(tasks["s3.jpg"], [], size)
    for kind in ("JSON", "JSON_MIN"):
        with pytest.raises(
            UserError, match=r" task \d+: expected one annotation, found 2 that differ \(ids \d+, \d+\)"
        ):
            take(root, person.export(number, tmp_path / "x.json", kind), partial=True)
    yolo = Path(shutil.copytree(root, tmp_path / "yolo", symlinks=True))
    take(yolo, person.export(number, tmp_path / "yolo.zip", "YOLO"), partial=True, replace=True)
    assert boxes(yolo)["s3.jpg"] == 1  # it holds the older one, and nothing shows it
    with pytest.raises(UserError, match=r"found .*s3\.jpg a second time.* of two annotations of one sheet delete"):
        take(root, person.export(number, tmp_path / "x.zip", "COCO"), partial=True)
