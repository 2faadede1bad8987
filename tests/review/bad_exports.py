"""Every known way in which an export is bad; the line that says so stands in bad_exports.txt under the same name."""

import io
import json
import pickle
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.picking.packet import Packet
from tests.review import exports as e


class Case(NamedTuple):
    """What an export is made of: the packet, the project that it is offered to, and a folder to write it into."""

    packet: Packet
    root: Path
    folder: Path

    def picture(self, split: str, name: str) -> bytes:
        return (self.root / "data/dataset" / split / "images" / name).read_bytes()


Make = Callable[[Case], Path]


def yolo(change: Callable[[Case, list[Any]], list[Any]], **how: Any) -> Make:
    """Write a YOLO folder of what `change` makes of (name, picture, rows) of the sheets."""
    return lambda case: e.yolo(case.folder / "EXPORT", change(case, e.done(case.packet)), **how)


def rows(first: str, **how: Any) -> Make:
    """Write a YOLO folder whose first sheet has other rows."""
    return yolo(lambda case, sheets: [(sheets[0][0], sheets[0][1], first), *sheets[1:]], **how)


def pictures(change: Callable[[bytes], bytes]) -> Make:
    """Write a YOLO folder with other pictures under the names that they had."""
    return yolo(lambda case, sheets: [(name, change(data), text) for name, data, text in sheets])


def extra(make: Callable[[Case], tuple[str, bytes | None, str]]) -> Make:
    """Write a YOLO folder with one more sheet."""
    return yolo(lambda case, sheets: [*sheets, make(case)])


def file(name: str, content: Callable[[Case], Any]) -> Make:
    return lambda case: e.put(case.folder / name, content(case))


def folder(files: dict[str, Any]) -> Make:
    def make(case: Case) -> Path:
        (case.folder / "EXPORT").mkdir()
        for name, content in files.items():
            e.put(case.folder / "EXPORT" / name, content)
        return case.folder / "EXPORT"

    return make


def voc(**how: Any) -> Make:
    return lambda case: e.voc(case.folder / "EXPORT", case.packet, **how)


def spoilt(make: Make, name: str, old: str, new: str) -> Make:
    """Change a text in a file of an export."""

    def spoil(case: Case) -> Path:
        path = make(case)
        place = path / name if name else path
        text = place.read_text(encoding="utf-8")
        assert old in text
        place.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return spoil


def swapped(case: Case, sheets: list[Any]) -> list[Any]:
    """Give the first two sheets the picture of each other."""
    (a, first, text), (b, second, other), *rest = sheets
    return [(a, second, text), (b, first, other), *rest]


def beside(make: Make, name: str, content: Callable[[Case], Any]) -> Make:
    """Put one more file into an export."""

    def add(case: Case) -> Path:
        path = make(case)
        e.put(path / name, content(case))
        return path

    return add


def archive(change: Callable[[zipfile.ZipFile], None]) -> Make:
    """Pack a good YOLO folder, and something else."""

    def make(case: Case) -> Path:
        packed = e.zipped(GOOD(case))
        with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as out:
            change(out)
        return packed

    return make


def link(out: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("labels")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    out.writestr(info, "/etc")


def bomb(out: zipfile.ZipFile) -> None:
    with out.open("zeros.txt", "w") as member:
        for _ in range(202):
            member.write(bytes(1 << 20))


def tarred(case: Case) -> Path:
    """A tar archive whose second member is a link to a file of the system."""
    path = case.folder / "EXPORT.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        for name, kind, target in (
            ("data.yaml", tarfile.REGTYPE, ""),
            ("labels/p1.txt", tarfile.LNKTYPE, "/etc/shadow"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            out.addfile(info, io.BytesIO())
    return path


def encrypted(case: Case) -> Path:
    path = e.zipped(GOOD(case))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


def cut(case: Case) -> Path:
    path = e.zipped(GOOD(case))
    path.write_bytes(path.read_bytes()[:-200])
    return path


def another_packet(case: Case) -> list[dict[str, Any]]:
    return e.label_studio(case.packet, packet_id="0123456789ab")


def json_min(case: Case) -> list[dict[str, Any]]:
    return [
        {"image": f"/data/upload/1/{sheet.image_id}", "id": sheet.order, "label": []} for sheet in case.packet.sheets
    ]


def not_submitted(case: Case) -> list[dict[str, Any]]:
    return [{**task, "annotations": []} for task in e.label_studio(case.packet)]


def infinite(case: Case) -> list[dict[str, Any]]:
    tasks = e.label_studio(case.packet)
    tasks[0]["annotations"][0]["result"][0]["value"]["width"] = float("inf")
    return tasks


def out_again(case: Case) -> Path:
    """What went out, and nobody touched."""
    without = shutil.ignore_patterns("packet.json")
    return Path(shutil.copytree(case.packet.folder, case.folder / "EXPORT", ignore=without))


def packet_itself(case: Case) -> Path:
    """Return the packet as it lies in the project, which no tool has seen."""
    return Path(shutil.copytree(case.packet.folder, case.folder / "EXPORT"))


def coco(change: Callable[[Case, dict[str, Any]], None], **how: Any) -> Make:
    def content(case: Case) -> dict[str, Any]:
        values = e.coco(case.packet, **how)
        change(case, values)
        return values

    return file("EXPORT.json", content)


def fractions(content: dict[str, Any]) -> None:
    """Write the boxes of two sheets alone, in fractions: too few to say so."""
    content["annotations"] = [{**one, "bbox": [0.375, 0.375, 0.25, 0.25]} for one in content["annotations"][:2]]


def corners(one: dict[str, Any]) -> None:
    x, y, w, h = one["bbox"]
    one.update(bbox=[x, y, x + w, y + h], area=w * h)


def renamed(make: Make) -> Make:
    """Give the files of VOC the names of their sheets, and two of them that of the other one."""

    def rename(case: Case) -> Path:
        path = make(case)
        for sheet, stem in zip(case.packet.sheets, ("p2", "p1", "p3"), strict=True):
            (path / f"{sheet.order}.xml").rename(path / f"{stem}.xml")
        return path

    return rename


def two(ending: str, content: Callable[[Packet], Any]) -> Make:
    def make(case: Case) -> Path:
        for name in ("monday", "tuesday"):
            e.put(case.folder / f"EXPORT/{name}.{ending}", content(case.packet))
        return case.folder / "EXPORT"

    return make


def code_page(case: Case) -> bytes:
    return json.dumps(e.coco(case.packet, names=("T\u00fcr", *e.CLASSES[1:])), ensure_ascii=False).encode("cp1252")


def linked(case: Case) -> Path:
    path = GOOD(case)
    (path / "train").rename(case.folder / "far")
    (path / "train").symlink_to(case.folder / "far")
    return path


NAMES = f"names: [{', '.join(e.CLASSES)}]\n"
KEYED = "1 0.5 0.5 0.4 0.4 0.4 0.45 0.6 0.45 0.5 0.65\n"
GOOD = yolo(lambda case, sheets: sheets)
AUGMENTED = (
    "This dataset was exported via roboflow.com\n\nThe following augmentation was applied to create 3 versions:\n"
)
DTD = '<!DOCTYPE a [<!ENTITY b "c">]>\n'
PLAIN = ("detail", "elevation", "heading")

ROWS: list[tuple[str, Make, dict[str, Any]]] = [  # name, what makes the export, options of the import
    ("sheets without boxes dropped", yolo(lambda case, sheets: sheets[:1]), {}),
    ("nobody opened it", out_again, {}),
    ("the packet itself", packet_itself, {"all_reviewed": True}),
    ("nobody submitted", file("EXPORT.json", not_submitted), {}),
    ("nobody submitted, all reviewed", file("EXPORT.json", not_submitted), {"all_reviewed": True}),
    ("unknown class", file("EXPORT.json", lambda case: e.label_studio(case.packet, label="door")), {}),
    ("two unknown classes", rows("3 0.5 0.5 0.2 0.2\n4 0.4 0.4 0.2 0.2\n", names=(*e.CLASSES, "door", "roof")), {}),
    ("class renamed", rows("2 0.5 0.5 0.2 0.2\n2 0.2 0.2 0.1 0.1\n", names=PLAIN), {}),
    ("class in capitals", voc(name="Elevation"), {}),
    ("class that is not named", rows("3 0.5 0.5 0.2 0.2\n"), {}),
    ("sheet of val", extra(lambda case: ("v1.jpg", case.picture("val", "v1.jpg"), e.ROW)), {}),
    ("sheet of test by its name", extra(lambda case: ("x1.jpg", e.encoded(np.zeros((64, 64, 3), np.uint8)), "")), {}),
    (
        "copy of a sheet of test, encoded again",
        extra(lambda case: ("0f3a.png", e.resized(case.picture("test", "x1.jpg"), 48, 48), e.ROW)),
        {},
    ),
    (
        "picture of val under the name of a sheet",
        yolo(lambda c, s: [(s[0][0], e.resized(c.picture("val", "v2.jpg"), 96, 96), e.ROW), *s[1:]]),
        {},
    ),
    ("sheet of the pool that was not asked for", extra(lambda c: ("p4.jpg", c.picture("pool", "p4.jpg"), e.ROW)), {}),
    ("unknown picture", extra(lambda case: ("new.jpg", e.encoded(np.eye(64, dtype=np.uint8) * 200), e.ROW)), {}),
    ("old export", yolo(lambda case, s: [(n, case.picture("train", n), e.ROW) for n in ("t1.jpg", "t2.jpg")]), {}),
    ("another packet", file("EXPORT.json", another_packet), {}),
    (
        "one stem in two folders",
        yolo(lambda case, s: [("train/p1.jpg", *s[0][1:]), ("valid/p1.jpg", *s[1][1:]), *s[1:]]),
        {},
    ),
    (
        "augmented copies",
        yolo(lambda c, s: [(f"{n[:-4]}_jpg.rf.{k}{i}.jpg", d, r) for k, (n, d, r) in enumerate(s) for i in "ab"]),
        {},
    ),
    ("augmentation as Roboflow tells it", beside(GOOD, "README.roboflow.txt", lambda case: AUGMENTED), {}),
    ("names swapped", yolo(swapped), {}),
    (
        "names swapped, encoded again",
        yolo(lambda c, s: swapped(c, [(n, e.resized(d, 96, 96), r) for n, d, r in s])),
        {},
    ),
    ("hashed names without pictures", coco(lambda case, c: c["images"][0].update(file_name="9f86d081884c.jpg")), {}),
    (
        "hashed names for all, without pictures",
        coco(lambda case, c: [image.update(file_name=f"{image['id']}f86d0.jpg") for image in c["images"]]),
        {},
    ),
    ("edges cut off", pictures(lambda data: e.filled(data, 60, 45)), {}),
    ("a part only", pictures(lambda data: e.encoded(e.decoded(data)[6:62, 3:59], ".png")), {}),
    ("turned", pictures(lambda data: e.encoded(np.rot90(e.decoded(data)), ".png")), {}),
    ("mirrored", pictures(lambda data: e.encoded(e.decoded(data)[:, ::-1], ".png")), {}),
    ("drawn over", pictures(lambda data: e.encoded(np.where(np.indices((64, 64, 1))[0] < 30, 0, e.decoded(data)))), {}),
    ("truncated picture", pictures(lambda data: data[: len(data) // 2]), {}),
    ("boxes on a size of another shape", file("EXPORT.xml", lambda case: e.cvat(case.packet, side=(640, 480))), {}),
    (
        "boxes on another size than their picture",
        beside(
            folder({"a.json": "{}"}),
            "a.json",
            lambda case: [
                e.put(case.folder / "EXPORT" / case.packet.sheets[0].image_id, case.picture("pool", "p1.jpg")),
                (content := e.coco(case.packet))["images"][0].update(width=640, height=480),
                content,
            ][-1],
        ),
        {},
    ),
    ("box beside the sheet", file("EXPORT.xml", lambda case: e.cvat(case.packet, box=(70, 10, 90, 20))), {}),
    ("box beside the sheet, negative", rows("1 -0.3 0.5 0.2 0.2\n"), {}),
    ("box without width", file("EXPORT.xml", lambda case: e.cvat(case.packet, box=(20, 10, 20, 30))), {}),
    ("corners swapped", spoilt(voc(), "1.xml", "<xmin>24<", "<xmin>60<"), {}),
    ("not a number", coco(lambda case, c: c["annotations"][0].update(bbox=[float("nan"), 1, 2, 3])), {}),
    ("not a number in a label file", rows("1 nan 0.5 0.1 0.1\n"), {}),
    ("infinite", file("EXPORT.json", infinite), {}),
    ("predictions with confidence", rows("1 0.5 0.5 0.1 0.1 0.9\n"), {}),
    ("archive that leads out", archive(lambda out: out.writestr("../../evil.txt", "x")), {}),
    ("archive with an absolute path", archive(lambda out: out.writestr("/tmp/evil.txt", "x")), {}),
    ("archive with a link", archive(link), {}),
    ("tar with a link", tarred, {}),
    ("archive that unpacks to too much", archive(bomb), {}),
    ("archive with names but for capitals", archive(lambda out: out.writestr("train/images/P1.JPG", "x")), {}),
    ("encrypted archive", encrypted, {}),
    ("damaged archive", cut, {}),
    ("RAR", file("EXPORT.rar", lambda case: b"Rar!\x1a\x07\x01\x00"), {}),
    ("damaged JSON", spoilt(coco(lambda case, c: None), "", '"annotations": [', '"annotations": [,'), {}),
    ("damaged JSON of Label Studio", spoilt(file("EXPORT.json", not_submitted), "", "[{", "[{{"), {}),
    ("damaged XML", spoilt(voc(), "1.xml", "</object>", ""), {}),
    ("XML with a document type", spoilt(voc(), "1.xml", "<annotation>", f"{DTD}<annotation>"), {}),
    ("CVAT's XML with a document type", file("EXPORT.xml", lambda case: e.cvat(case.packet, head=DTD)), {}),
    ("JSON-MIN", file("EXPORT.json", json_min), {}),
    ("two formats in one folder", beside(GOOD, "all.json", lambda case: e.coco(case.packet)), {}),
    ("another format than was said", GOOD, {"format": "voc"}),
    ("empty folder", folder({}), {}),
    ("photos", folder({"IMG_1.jpg": b"\xff\xd8", "IMG_2.jpg": b"\xff\xd8", "notes.md": "x"}), {}),
    ("archive in a folder", folder({"export.zip": b"PK\x03\x04"}), {}),
    ("labels without class names", spoilt(GOOD, "data.yaml", "names", "nothing"), {}),
    ("pickle", file("EXPORT.pkl", lambda case: pickle.dumps([1])), {}),
    ("pickle that is called JSON", file("EXPORT.json", lambda case: pickle.dumps([1])), {}),
    ("fractions, of one box too few", coco(lambda case, c: fractions(c)), {}),
    ("boxes that are corners", coco(lambda case, c: [corners(one) for one in c["annotations"]]), {}),
    ("outline elsewhere", coco(lambda case, c: c["annotations"][0].update(segmentation=[[1, 1, 9, 1, 9, 9]])), {}),
    ("image without id", coco(lambda case, c: c["images"][0].pop("id")), {}),
    ("box of many sheets", file("EXPORT.xml", lambda case: e.cvat(case.packet, box=(0, 0, 320, 220))), {}),
    ("box under a pixel", rows("1 0.5 0.5 0.01 0.2\n"), {}),
    ("key points or polygons", yolo(lambda case, s: [(name, data, KEYED) for name, data, _ in s]), {}),
    ("key points of another number", beside(rows(KEYED), "data.yaml", lambda case: f"kpt_shape: [4, 2]\n{NAMES}"), {}),
    ("link to a folder", linked, {}),
    ("VOC: file of one sheet, name of another", renamed(voc()), {}),
    ("two exports of Label Studio", two("json", e.label_studio), {}),
    ("two exports of CVAT", two("xml", e.cvat), {"partial": True}),
    ("COCO of another code page", file("EXPORT.json", code_page), {}),
    ("every label file empty", yolo(lambda case, s: [(name, data, "") for name, data, _ in s]), {}),
    ("no such path", lambda case: case.folder / "EXPORT.zip", {}),
]
