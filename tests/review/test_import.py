"""`yoloop review import`, `export` and `status` on a project: what is taken, what stays, and what is said."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from stages.base.errors import UserError
from stages.iteration.advance import advance
from stages.picking.packet import PACKET, Packet, read_packet
from stages.review.formats.format_list import FORMATS
from stages.review.identity.reconciliation import EMPTYING
from stages.review.kept.kept_review import REVIEW, ReviewedBox, read_review
from stages.review.kept.open_packet import packet_under_review
from stages.review.packet_export import export_review
from stages.review.review_app import Tool
from stages.review.review_import import SCRATCH, import_review
from stages.review.review_status import status_lines
from tests import fake_project
from tests.fake_project import sh
from tests.refusal import contents, refs
from tests.review import exports as e
from tests.reviews import review_packet

Projects = Callable[[], Path]
NAMES = ["p1.jpg", "p2.jpg", "p3.jpg"]


def take(root: Path, export: Path, **options: Any) -> list[str]:
    """Import, and return all that was printed, by lines."""
    heard: list[str] = []
    said = import_review(root, export, say=heard.append, **options)
    assert not (root / SCRATCH).exists()
    return [*heard, *said.splitlines()]


def packet_of(root: Path) -> Packet:
    return read_packet(root / PACKET)


def boxes(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {
        sheet.image_id: [(box.class_name, *(round(side, 3) for side in box[1:5])) for box in sheet.boxes]
        for sheet in read_review(root / REVIEW).reviewed
    }


def everywhere(box: tuple[Any, ...]) -> dict[str, list[tuple[Any, ...]]]:
    return {name: [box] for name in NAMES}


def small(packet: Packet, change: Callable[[bytes], bytes], rows: str = e.ROW) -> list[tuple[str, bytes | None, str]]:
    return [(name, change(data), rows) for name, data, _ in e.done(packet)]


GOOD: list[tuple[str, Callable[[Packet, Path], Path], str, str]] = [  # name, export, read as, a line that is said
    ("YOLO", lambda p, f: e.yolo(f, e.done(p)), "YOLO folder", "3 reviewed sheets in the export; 3 sheets of it"),
    (
        "classes in another order",
        lambda p, f: e.yolo(f, small(p, bytes, "2 0.5 0.5 0.25 0.25\n"), names=("title", "detail", "elevation")),
        "YOLO folder",
        "Classes came back in another order (title, detail, elevation): they were matched by name.",
    ),
    (
        "half the size",
        lambda p, f: e.yolo(f, small(p, lambda data: e.resized(data, 32, 32))),
        "YOLO folder",
        "3 sheets came back smaller: boxes were brought back to the original size.",
    ),
    ("stretched", lambda p, f: e.yolo(f, small(p, lambda data: e.resized(data, 128, 96))), "YOLO folder", "reviewed"),
    (
        "with bars at the sides",  # 24 of 64 px is at 24 + 16 of 96
        lambda p, f: e.yolo(f, small(p, lambda data: e.fitted(data, 96, 64), f"1 0.5 0.5 {16 / 96} 0.25\n")),
        "YOLO folder",
        "reviewed",
    ),
    (
        "hashed names",
        lambda p, f: e.yolo(f, [(f"{n}f86d081.jpg", d, r) for n, (_, d, r) in enumerate(e.done(p))]),
        "YOLO folder",
        "reviewed",
    ),
    (
        "Roboflow's names and pictures",
        lambda p, f: e.yolo(f, [(f"{n[:-4]}_jpg.rf.a{n[1]}.jpg", e.resized(d, 96, 96), r) for n, d, r in e.done(p)]),
        "YOLO folder",
        "reviewed",
    ),
    (
        "without pictures",
        lambda p, f: e.yolo(f, e.without_pictures(e.done(p))),
        "YOLO folder",
        "3 sheets came without a picture: boxes are taken as fractions of the whole sheet.",
    ),
    ("an archive", lambda p, f: e.zipped(e.yolo(f, e.done(p))), "YOLO folder", "reviewed"),
    ("an archive with a folder in it", lambda p, f: e.zipped(e.yolo(f / "top", e.done(p)).parent), "YOLO folder", ""),
    ("COCO", lambda p, f: e.put(f / "a.json", e.coco(p)), "COCO JSON", "reviewed"),
    ("VOC", lambda p, f: e.voc(f, p), "Pascal VOC", "reviewed"),
    ("CVAT", lambda p, f: e.put(f / "annotations.xml", e.cvat(p)), "CVAT", "reviewed"),
    (
        "CVAT on another size",
        lambda p, f: e.put(f / "x.xml", e.cvat(p, side=(640, 640), box=(240, 240, 400, 400))),
        "CVAT",
        "reviewed",
    ),
    (
        "Label Studio",
        lambda p, f: e.put(f / "x.json", e.label_studio(p)),
        "Label Studio",
        "reviewed  3 of 3 sheets, with label-studio; 1.5 minutes on 3 sheets",
    ),
]


@pytest.mark.parametrize(("make", "title", "says"), [pytest.param(*row[1:], id=row[0]) for row in GOOD])
def test_good_exports(reviewing: Projects, tmp_path: Path, make: Any, title: str, says: str) -> None:
    root = reviewing()
    before = (contents(root), refs(root))
    lines = take(root, make(packet_of(root), tmp_path / "EXPORT"))
    assert lines[0] == f"Read as: {title} (if that is wrong: --format)"
    assert any(says in line for line in lines)
    assert boxes(root) == everywhere(("elevation", *e.BOX))
    assert "changes   6 boxes: 3 added, 3 deleted" in lines  # a pre-label each, on another place
    after = contents(root)
    assert {name: after.pop(name) for name in list(after) if name.startswith("data/review/")}
    assert (after, refs(root)) == before


def test_sheets_that_nobody_opened_stay_open_unless_one_says_so(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    packet = packet_of(root)
    touched, *rest = e.done(packet)
    untouched = [(name, data, "2 0.25 0.25 0.25 0.25\n") for name, data, _ in rest]  # the pre-label of the fake stage
    export = e.yolo(tmp_path / "EXPORT", [touched, *untouched])
    lines = take(root, export)
    assert (
        "As they went out, so not taken (if you looked at all of them: --all-reviewed): 2 sheets: p2.jpg, p3.jpg"
        in lines
    )
    assert list(boxes(root)) == ["p1.jpg"]
    assert not (root / REVIEW / "sheets/002.json").exists()  # the page still starts from its pre-labels
    lines = take(root, export, all_reviewed=True)
    assert "3 reviewed sheets in the export; 2 sheets of it taken into data/review" in lines
    assert list(boxes(root)) == NAMES


def without_label(packet: Packet, folder: Path) -> Path:
    export = e.yolo(folder, e.done(packet))
    (export / "train/labels/p3.txt").unlink()
    return export


def with_an_empty_label(packet: Packet, folder: Path) -> Path:
    first, second, (name, data, _) = e.done(packet)
    return e.yolo(folder, [first, second, (name, data, "")])


def without_annotation(packet: Packet, folder: Path) -> Path:
    content = e.coco(packet)
    return e.put(folder / "a.json", {**content, "annotations": content["annotations"][:2]})


def only_listed(packet: Packet, folder: Path) -> Path:
    e.voc(folder, packet)
    (folder / "3.xml").unlink()
    for number in (1, 2):
        (folder / f"{number}.xml").rename(folder / f"p{number}.xml")
    e.put(folder / "ImageSets/Main/train.txt", "p1\np2\np3\n")
    return folder


def without_object(packet: Packet, folder: Path) -> Path:
    e.voc(folder, packet)
    text = (folder / "3.xml").read_text()
    e.put(folder / "3.xml", f"{text.partition('<object>')[0]}{text.partition('</object>')[2]}")
    return folder


def cvat_without_box(packet: Packet, folder: Path) -> Path:
    head, box, last = e.cvat(packet).rpartition("<box ")
    return e.put(folder / "annotations.xml", head + (box + last).partition("</box>")[2])


def roboflow_without_annotation(packet: Packet, folder: Path) -> Path:
    content = e.coco(packet)
    e.put(folder / "train/_annotations.coco.json", {**content, "annotations": content["annotations"][:2]})
    return folder


@pytest.mark.parametrize(
    "make",
    [
        without_label,
        with_an_empty_label,
        without_annotation,
        only_listed,
        without_object,
        cvat_without_box,
        roboflow_without_annotation,
    ],
)
def test_a_sheet_without_labels_is_no_background_unless_one_says_so(reviewing: Projects, tmp_path, make) -> None:
    """Nobody says whether the tool left it out or a person deleted all of its pre-labels: the sheet is named."""
    root = reviewing()
    export = make(packet_of(root), tmp_path / "EXPORT")
    lines = take(root, export)
    assert (
        "Came back without a box, so not taken (if you looked at all of them: --all-reviewed): 1 sheet: p3.jpg" in lines
    )
    assert EMPTYING in lines
    assert list(boxes(root)) == ["p1.jpg", "p2.jpg"]
    lines = take(root, export, all_reviewed=True)
    assert "Reviewed and empty, as --all-reviewed says: 1 sheet: p3.jpg." in lines
    assert "Came back without" not in "".join(lines)
    assert boxes(root)["p3.jpg"] == []
    assert "Came back without" not in "".join(take(root, export))  # it is empty there, too


def test_a_reviewed_sheet_that_comes_back_empty_is_named(reviewing: Projects, tmp_path: Path) -> None:
    """Also with --replace: it stays as it is there, and that is said."""
    root = reviewing()
    take(root, e.yolo(tmp_path / "one", e.done(packet_of(root))))
    lines = take(root, without_label(packet_of(root), tmp_path / "two"), replace=True)
    assert (
        "Came back without a box, so not taken (if you looked at all of them: --all-reviewed): 1 sheet: p3.jpg" in lines
    )
    assert boxes(root) == everywhere(("elevation", *e.BOX))


def test_partial_imports_add_up(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    sheets = e.done(packet_of(root))
    lines = take(root, e.yolo(tmp_path / "one", sheets[:1]), partial=True)
    assert "Not in the export: 2 sheets: p2.jpg, p3.jpg" in lines
    assert any(
        line.startswith("next      yoloop advance: the rest may stay in the pool, as was said") for line in lines
    )
    with pytest.raises(UserError, match=r"found 1 missing: p3.jpg\."):
        take(root, e.yolo(tmp_path / "two", sheets[1:2]))
    take(root, e.yolo(tmp_path / "three", sheets[1:]))
    assert boxes(root) == everywhere(("elevation", *e.BOX))
    assert read_review(root / REVIEW).partial


def test_the_same_again_changes_nothing(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    export = e.yolo(tmp_path / "EXPORT", e.done(packet_of(root)))
    take(root, export)
    before = {file: file.stat().st_mtime_ns for file in (root / REVIEW).rglob("*")}
    assert "Nothing new: data/review holds all of this export already" in take(root, export)
    assert "Nothing new: data/review holds all of this export already" in take(root, export, replace=True)
    assert {file: file.stat().st_mtime_ns for file in (root / REVIEW).rglob("*")} == before


OTHER = ReviewedBox("title", 1.0, 2.0, 30.0, 40.0)


def test_what_is_reviewed_stays_unless_it_is_to_be_replaced(reviewing: Projects, tmp_path: Path) -> None:
    """A review on the page, and then an export of a tool that holds one of its sheets otherwise."""
    root = reviewing()
    review_packet(root, {"p1.jpg": [OTHER], "p2.jpg": [ReviewedBox("elevation", *e.BOX)]})
    before = contents(root / REVIEW)
    export = e.put(tmp_path / "x.json", e.label_studio(packet_of(root)))
    more = "--replace takes those, yoloop review reset drops the review of before"
    said = f"Left with the boxes that they have there (the export has others: {more}): 1 sheet: p1.jpg"
    assert said in take(root, export)
    assert boxes(root)["p1.jpg"] == [("title", 1, 2, 30, 40)]
    tools = {sheet.image_id: sheet.source for sheet in read_review(root / REVIEW).sheets}
    assert tools == {"p1.jpg": "page", "p2.jpg": "page", "p3.jpg": "label-studio"}
    assert read_review(root / REVIEW).tools == "page and label-studio"
    after = contents(root / REVIEW)
    assert {name: after[name] for name in before if name != "review.json"} == {
        name: digest for name, digest in before.items() if name != "review.json"
    }

    lines = take(root, export, replace=True)
    assert "Replaced: 1 sheet: p1.jpg" in lines
    assert f"The review of before is kept in {root / '.yoloop/review-1'}" in lines
    assert boxes(root) == everywhere(("elevation", *e.BOX))
    assert contents(root / ".yoloop/review-1") == after
    assert [sheet.source for sheet in read_review(root / REVIEW).sheets] == ["label-studio", "page", "label-studio"]


def test_a_sheet_that_is_begun_makes_room_and_is_kept(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    packet = packet_of(root)
    review_packet(root, {"p1.jpg": [OTHER]})
    file = root / REVIEW / "sheets/001.json"
    file.write_text(file.read_text().replace('"status": "reviewed"', '"status": "unreviewed"'))
    assert "begun     1 sheet: p1.jpg" in status_lines(root)
    lines = take(root, e.yolo(tmp_path / "EXPORT", e.done(packet)))
    assert "Replaced: 1 sheet: p1.jpg" in lines
    assert boxes(root) == everywhere(("elevation", *e.BOX))
    assert json.loads((root / ".yoloop/review-1/sheets/001.json").read_text())["boxes"][0]["class_name"] == "title"


def test_a_done_sheet_is_not_undone(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    tasks = e.label_studio(packet_of(root))
    take(root, e.put(tmp_path / "x.json", tasks))
    before = contents(root / REVIEW)
    tasks[0]["annotations"] = []
    lines = take(root, e.put(tmp_path / "x.json", tasks), replace=True)
    assert "Nothing new: data/review holds all of this export already" in lines
    assert contents(root / REVIEW) == before


def of_another_packet(folder: Path) -> None:
    head = json.loads((folder / "review.json").read_text())
    e.put(folder / "review.json", {**head, "packet_id": "0123456789ab"})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "sheets/001.json").write_text("{"),
        of_another_packet,
        lambda folder: (folder / "review.json").unlink(),
    ],
    ids=["damaged", "of another packet", "none"],
)
def test_another_review_in_the_way(reviewing: Projects, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    root = reviewing()
    review_packet(root)
    spoil(root / REVIEW)
    before = contents(root)
    export = e.yolo(tmp_path / "EXPORT", e.done(packet_of(root)))
    with pytest.raises(UserError, match=r"expected nothing, or a review of packet .* add --replace"):
        take(root, export)
    assert contents(root) == before
    lines = take(root, export, replace=True)
    assert f"The review of before is kept in {root / '.yoloop/review-1'}" in lines
    assert list(boxes(root)) == NAMES
    moved = {f"data/review/{name}": digest for name, digest in contents(root / ".yoloop/review-1").items()}
    assert moved == {name: digest for name, digest in before.items() if name.startswith("data/review/")}


def test_what_was_left_by_a_kill_is_cleared(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    e.put(root / SCRATCH / "unpacked/data.yaml", "names: [other]\n")
    take(root, e.zipped(e.yolo(tmp_path / "EXPORT", e.done(packet_of(root)))))
    assert list(boxes(root)) == NAMES


def test_an_archive_of_many_nested_folders_is_one_line_and_the_next_import_goes_on(
    reviewing: Projects, tmp_path
) -> None:
    root = reviewing()
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as out:
        out.writestr("a/" * 1600 + "data.yaml", "names: [a]")
    with pytest.raises(UserError, match="expected at most 30 folders in each other"):
        take(root, bad)
    deep = root / SCRATCH / "unpacked"  # as an earlier version left it
    deep.mkdir(parents=True)
    with e.nested(deep, 1200):
        take(root, e.yolo(tmp_path / "EXPORT", e.done(packet_of(root))))
    assert list(boxes(root)) == NAMES


def test_a_folder_of_many_nested_folders_is_one_line(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    (tmp_path / "EXPORT" / ("a/" * 31)).mkdir(parents=True)
    with pytest.raises(
        UserError, match=r"EXPORT/a/.*: expected at most 30 folders in each other, found more"
    ) as caught:
        take(root, tmp_path / "EXPORT")
    assert len(str(caught.value)) < 600


def test_formats_can_be_said(reviewing: Projects, tmp_path: Path) -> None:
    """Two in one folder, and a plain one that came out of CVAT."""
    root = reviewing()
    export = e.yolo(tmp_path / "EXPORT", e.done(packet_of(root)))
    assert take(root, export, format="cvat")[0] == "Read as: CVAT"
    assert read_review(root / REVIEW).tools == "cvat"
    e.put(export / "all.json", e.coco(packet_of(root)))
    with pytest.raises(UserError, match="signs of 2 formats: coco and yolo"):
        take(root, export)
    assert take(root, export, format="coco")[0] == "Read as: COCO JSON"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda root: sh(root, "git", "tag", "-d", "iteration-0"), "found none. Run it: yoloop run"),
        (lambda root: e.put(root / PACKET / "labels/p1.txt", "0 0.5 0.5 0.1 0.1\n"), "found other content"),
        (lambda root: shutil.rmtree(root / "data/sample"), "packet.json: expected a packet, found no file"),
    ],
    ids=["not finished", "changed", "gone"],
)
def test_there_must_be_the_packet_of_a_finished_iteration(reviewing: Projects, tmp_path: Path, change, says) -> None:
    root = reviewing()
    export = e.yolo(tmp_path / "EXPORT", e.done(packet_of(root)))
    change(root)
    before = (contents(root), refs(root))
    for command in (
        lambda: take(root, export),
        lambda: status_lines(root),
        lambda: export_review(root, to="yolo", out=None, url=None, project=None, say=print),
    ):
        with pytest.raises(UserError, match=says):
            command()
    assert (contents(root), refs(root)) == before


LEFT_BEHIND = ("labels/labels.cache", "labels.cache", "images/.DS_Store", "images/._p1.jpg", "Thumbs.db", "notes.txt")


def test_what_is_not_of_the_packet_is_no_damage(reviewing: Projects, tmp_path: Path) -> None:
    """Whatever a tool, a file manager or a person leaves there; nothing of it goes out with the packet."""
    root = reviewing()
    for name in (*LEFT_BEHIND, "../.DS_Store", "../desktop.ini"):
        e.put(root / PACKET / name, b"\0x")
    assert status_lines(root)[1] == "reviewed  0 of 3 sheets"
    for to in ("yolo", "roboflow"):
        export(root, to)
        sent = {file.name for file in (root / "exports").rglob("*")}
        assert not sent & {Path(name).name for name in LEFT_BEHIND}
    take(root, e.yolo(tmp_path / "EXPORT", e.done(packet_of(root))))
    assert list(boxes(root)) == NAMES


@pytest.mark.slow
def test_advance_passes_over_what_is_not_of_the_packet(reviewing: Projects) -> None:
    root = reviewing()
    (root / ".dvcignore").write_text("")  # of a project that began before it named such files
    sh(root, "git", "commit", "-qam", "Ignore nothing")
    e.put(root / PACKET / "notes.txt", "mine")
    review_packet(root)
    assert "3 sheets" in advance(root, reviewer="person")
    assert (root / PACKET / "notes.txt").read_text() == "mine"


def test_what_tools_leave_in_an_export_and_in_a_review_is_no_work(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    export(root, "yolo")
    for name in ("labels/labels.cache", "images/.DS_Store", "Thumbs.db", "desktop.ini"):
        e.put(root / "exports" / f"yolo-{packet_of(root).packet_id}" / name, b"\0x")
    assert "are already in" in export(root, "yolo")
    e.put(root / REVIEW / ".DS_Store", b"\0x")
    take(root, e.yolo(tmp_path / "EXPORT", e.done(packet_of(root))))
    e.put(root / REVIEW / "sheets/001 2.json", (root / REVIEW / "sheets/001.json").read_bytes())  # a copy by hand
    assert list(boxes(root)) == NAMES


def test_the_digest_of_the_packet_is_the_one_that_dvc_forms(reviewing: Projects) -> None:
    """Also with names that sort otherwise as paths than as texts."""
    root = reviewing()
    e.put(root / "data/sample/packet-2/a", "x")
    e.put(root / "data/sample/packet.d", "x")
    fake_project.dvc(root, "commit", "-q", "-f", "sample")
    sh(root, "git", "commit", "-qam", "More in the packet")
    sh(root, "git", "tag", "-f", "iteration-0")
    assert packet_under_review(root).packet_id == packet_of(root).packet_id


def test_status_from_nothing_to_all(reviewing: Projects) -> None:
    root = reviewing()
    packet_id = packet_of(root).packet_id
    assert status_lines(root) == [
        f"packet    {packet_id}, of iteration 0: 3 sheets",
        "reviewed  0 of 3 sheets",
        "open      3 sheets: p1.jpg, p2.jpg, p3.jpg",
        "next      yoloop review open, or yoloop review export --to TOOL and then yoloop review import PATH",
    ]
    review_packet(root)
    assert status_lines(root) == [
        f"packet    {packet_id}, of iteration 0: 3 sheets",
        "reviewed  3 of 3 sheets, on the page; 0.3 minutes on 3 sheets",
        "changes   6 boxes: 3 added, 3 deleted",
        "next      yoloop advance (or yoloop run, which goes on by itself)",
    ]


def export(root: Path, to: str, **options: Any) -> str:
    return export_review(root, **{"to": to, "out": None, "url": None, "project": None, "say": print, **options})


@pytest.mark.parametrize("to", FORMATS)
def test_exports_are_written_once_and_tell_nothing_of_the_arms(reviewing: Projects, to: str) -> None:
    root = reviewing()
    folder = root / "exports" / f"{to}-{packet_of(root).packet_id}"
    said = export(root, to)
    assert said.splitlines()[0].endswith(f"in {folder}")
    assert said.splitlines()[-1].endswith("What came back: yoloop review import EXPORT (the archive or folder)")
    before = contents(folder)
    assert before
    assert not [name for name in before if "arm" in name]
    assert "random" not in said
    assert not [file for file in folder.rglob("*") if file.is_file() and b"random" in file.read_bytes()]
    assert "are already in" in export(root, to)
    e.put(folder / "mine.txt", "work")
    with pytest.raises(UserError, match="expected no such folder, or one that holds this export"):
        export(root, to)
    assert contents(folder) == {**before, "mine.txt": contents(folder)["mine.txt"]}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert sh(root, "git", "status", "--porcelain") == ""


def test_exports_go_where_one_says(reviewing: Projects, tmp_path: Path) -> None:
    root = reviewing()
    (tmp_path / "empty").mkdir()
    export(root, "yolo", out=tmp_path / "empty")
    export(root, "yolo", out=tmp_path / "deep/er")
    assert contents(tmp_path / "empty") == contents(tmp_path / "deep/er")
    e.put(tmp_path / "file", "x")
    with pytest.raises(UserError, match="found something else"):
        export(root, "yolo", out=tmp_path / "file")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (lambda root: export(root, "coco", url="http://localhost"), "expected label-studio with --url"),
        (lambda root: export(root, "label-studio", project="a"), "found --project. Leave the options out"),
        (lambda root: export(root, "roboflow", url="x", project="a"), "found --url and --project"),
        (lambda root: take(root, root, url="http://localhost"), "expected a path, or a server"),
        (lambda root: import_review(root, None, say=print), "expected a path, --url of a Label Studio, or --project"),
        (lambda root: import_review(root, None, format="coco", url="x", say=print), "found --url with --format coco"),
        (lambda root: export(root, "label-studio", url="http://localhost:9"), "LABEL_STUDIO_API_KEY: expected"),
        (lambda root: import_review(root, None, url="http://localhost:9", say=print), "LABEL_STUDIO_API_KEY: expected"),
        (lambda root: export(root, "roboflow", project="a/b"), "ROBOFLOW_API_KEY: expected"),
        (lambda root: import_review(root, None, project="a/b", version=1, say=print), "ROBOFLOW_API_KEY: expected"),
    ],
)
def test_options_that_do_not_go_together(reviewing: Projects, monkeypatch, command, says) -> None:
    for key in ("LABEL_STUDIO_API_KEY", "ROBOFLOW_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(UserError, match=says):
        command(reviewing())


def test_the_words_of_the_command_line_are_the_formats() -> None:
    assert get_args(Tool) == tuple(FORMATS)


def test_the_commands(reviewing: Projects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out to a folder, edited there, packed, and back, as a person types it."""
    root = reviewing()
    monkeypatch.setenv("PYTHONPATH", str(fake_project.REPO))

    def yoloop(*args: str) -> str:
        command = [sys.executable, "-m", "stages.loop", "review", *args]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    said = yoloop("export", "--to", "yolo", "--out", str(tmp_path / "out"))
    assert said.startswith(f"YOLO folder: 3 sheets of packet {packet_of(root).packet_id} in {tmp_path / 'out'}\n  1. ")
    for label in (tmp_path / "out/labels").glob("p*.txt"):
        label.write_text(e.ROW)
    said = yoloop("import", str(e.zipped(tmp_path / "out")), "--format", "yolo")
    assert said.splitlines()[0] == "Read as: YOLO folder"
    assert "reviewed  3 of 3 sheets, with yolo" in yoloop("status")
