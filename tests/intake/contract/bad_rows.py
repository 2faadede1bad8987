"""Every known way in which a dataset is bad; the line that says so stands in bad_datasets.txt under the same name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from tests.intake.contract import datasets as s


def both_formats(root: Path) -> None:
    """The same picture as JPEG and as PNG, with one label file for both."""
    s.save((root / s.IMAGE).with_suffix(".png"), cv2.imread(str(root / s.IMAGE)))


def copied(old: str, new: str) -> s.Spoil:
    def spoil(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / old, root / new)

    return spoil


def other_picture(name: str) -> s.Spoil:
    return lambda root: s.save(root / name, s.pixels(99))


def named(stem: str) -> s.Spoil:
    """Give another sheet of train this stem."""
    return s.all_of(
        other_picture(f"images/train/{stem}.jpg"),
        lambda root: s.put(root / f"labels/train/{stem}.txt", ""),
    )


def renamed(stem: str) -> s.Spoil:
    """Give the first sheet of train this stem, and its label file as well."""
    return s.all_of(s.moved(s.IMAGE, f"images/train/{stem}.jpg"), s.moved(s.LABEL, f"labels/train/{stem}.txt"))


def utf16(root: Path) -> None:
    (root / s.LABEL).write_bytes((root / s.LABEL).read_text().encode("utf-16"))


def utf16_list(root: Path) -> None:
    (root / "ImageSets/Main/val.txt").write_bytes("train_1\n".encode("utf-16"))


def emptied(root: Path) -> None:
    for file in root.rglob("labels/*/*.txt"):
        file.write_text("")


def elsewhere(root: Path) -> None:
    """Let data.yaml name a train beside the folder."""
    (root / "images/train").rename(root.parent / "far_images")
    s.put(root / "data.yaml", "path: ..\ntrain: far_images\nval: SET/images/val\nnames: [detail, elevation, title]\n")


NAMES = "names: [detail, elevation, title]\n"
JSON = s.json_change
YAML = "data.yaml"


TURNED = s.all_of(
    s.moved("train/train_1.jpg", s.IMAGE),
    s.stored(lambda image: image, exif=s.turned(6)),
    s.moved(s.IMAGE, "train/train_1.jpg"),
)
ROTATION = "<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes>"
LABEL_STUDIO = {"contributor": "Label Studio"}
KEYED = (
    b"0 0.5 0.5 0.4 0.4 0.35 0.4 0.65 0.4 0.5 0.68\n2 0.3 0.3 0.2 0.2 0.22 0.25 0.38 0.25 0.3 0.36\n"  # three points
)


def again(content: dict[str, Any], shift: int) -> None:
    """List the second image a second time, its boxes `shift` px further right."""
    first = content["images"][1]
    own = [one for one in content["annotations"] if one["image_id"] == first["id"]]
    content["images"].append({**first, "id": 77})
    content["annotations"] += [
        {**one, "id": one["id"] + 500, "image_id": 77, "bbox": [one["bbox"][0] + shift, *one["bbox"][1:]]}
        for one in own
    ]


def boxes(content: dict[str, Any], change: Callable[..., list[float]]) -> None:
    for one in content["annotations"]:
        one["bbox"] = change(*one["bbox"])


def corners(x: float, y: float, w: float, h: float) -> list[float]:
    return [x, y, x + w, y + h]


def measured(content: dict[str, Any]) -> None:
    for one in content["annotations"]:
        one["area"] = one["bbox"][2] * one["bbox"][3]


def outlined(content: dict[str, Any]) -> None:
    for one in content["annotations"]:
        x, y, w, h = one["bbox"]
        one["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]


def in_all(change: Callable[[dict[str, Any]], object]) -> s.Spoil:
    names = ("train", "valid", "test")
    return s.all_of(*(s.json_change(change, f"{name}/_annotations.coco.json") for name in names))


def listed(lines: str) -> s.Spoil:
    """Let data.yaml name a list of images for train."""
    return s.all_of(
        s.written("train.txt", lines),
        s.only(b"train: train.txt\nval: images/val\n" + NAMES.encode(), YAML),
    )


def tile(split: str, left: int) -> s.Spoil:
    name = f"plan_{left}_0_{left + 64}_48"
    return s.all_of(
        lambda root: s.save(root / f"images/{split}/{name}.jpg", s.pixels(80 + left)),
        s.written(f"labels/{split}/{name}.txt", ""),
    )


ROWS: list[tuple[str, str, s.Spoil]] = [  # name, format, what spoils it
    ("polygon beside boxes", "yolo", s.rows("1 0.1 0.1 0.4 0.1 0.4 0.6\n")),
    ("oriented box", "yolo", s.rows("1 0.1 0.1 0.4 0.1 0.4 0.6 0.1 0.6\n")),
    ("empty label file", "yolo", s.only(b"")),
    ("label file of blanks", "yolo", s.only(b" \n\n")),
    ("no label file", "yolo", s.gone(s.LABEL)),
    ("no folder of labels", "yolo", s.gone("labels/val")),
    ("row twice", "yolo", s.rows(s.yolo_row(*s.BOXES[0]))),
    ("row twice, written otherwise", "yolo", s.rows("0 0.25 0.2916667 0.25 0.25\n")),
    ("box over the border", "yolo", s.rows("1 0.95 0.5 0.2 0.2\n")),
    ("box beside the image", "yolo", s.rows("1 1.3 0.5 0.2 0.2\n")),
    ("box beside the image, negative", "yolo", s.rows("1 -0.3 0.5 0.2 0.2\n")),
    ("box under a pixel", "yolo", s.rows("1 0.5 0.5 0.01 0.2\n")),
    ("box without width", "yolo", s.rows("1 0.5 0.5 0 0.2\n")),
    ("box of negative height", "yolo", s.rows("1 0.5 0.5 0.2 -0.1\n")),
    ("not a number", "yolo", s.rows("1 nan 0.5 0.1 0.1\n")),
    ("infinite", "yolo", s.rows("1 0.5 0.5 inf 0.1\n")),
    ("class too high", "yolo", s.rows("3 0.5 0.5 0.1 0.1\n")),
    ("class below 0", "yolo", s.rows("-1 0.5 0.5 0.1 0.1\n")),
    ("half a class", "yolo", s.rows("1.5 0.5 0.5 0.1 0.1\n")),
    ("four numbers", "yolo", s.rows("1 0.5 0.5 0.1\n")),
    ("predictions with confidence", "yolo", s.rows("1 0.5 0.5 0.1 0.1 0.9\n")),
    ("class by name", "yolo", s.rows("title 0.5 0.5 0.1 0.1\n")),
    ("decimal commas", "yolo", s.rows("1 0,5 0,5 0,1 0,1\n")),
    ("pixels", "yolo", s.only(b"0 16 14 16 12\n2 45 26 30 28\n")),
    ("pixels beside fractions", "yolo", s.rows("1 20 20 10 10\n")),
    ("labels in UTF-16", "yolo", utf16),
    ("labels in bytes", "yolo", s.only(b"\xff\xd8\x80")),
    ("byte-order mark", "yolo", s.only(b"\xef\xbb\xbf0 0.5 0.5 0.1 0.1\n")),
    ("Windows line ends", "yolo", s.only(b"0 0.5 0.5 0.1 0.1\r\n")),
    ("label without image", "yolo", s.gone(s.IMAGE)),
    ("another file among the images", "yolo", lambda root: s.put(root / "images/train/notes.md", "x")),
    ("image in a deeper folder", "yolo", other_picture("images/train/more/deep.jpg")),
    ("one picture, two formats", "yolo", both_formats),
    ("two pictures, one label file", "yolo", other_picture("images/train/train_1.png")),
    (
        "a sheet in two splits",
        "yolo",
        s.all_of(copied(s.IMAGE, "images/val/train_1.jpg"), copied(s.LABEL, "labels/val/train_1.txt")),
    ),
    (
        "one stem in two splits",
        "yolo",
        s.all_of(other_picture("images/val/train_1.jpg"), copied(s.LABEL, "labels/val/train_1.txt")),
    ),
    ("stems but for capitals", "yolo", named("TRAIN_1")),
    ("stems but for accents", "yolo", s.all_of(named("plan_m\u00f6bel"), named("plan_mo\u0308bel"))),
    ("blanks and umlauts in names", "yolo", named("plan m\u00f6bel")),
    ("name that is no UTF-8", "yolo", renamed("pl\udcfcn")),  # the byte fc, ü on a computer of 1995
    ("name with a line break", "yolo", renamed("plan\n1")),
    ("truncated JPEG", "yolo", s.cut(s.IMAGE, 0.5)),
    ("truncated PNG", "yolo", s.all_of(s.stored(lambda image: image, ".png"), s.cut("images/train/train_1.png", 0.5))),
    ("empty image", "yolo", s.only(b"", s.IMAGE)),
    ("text as image", "yolo", s.only(b"hello", s.IMAGE)),
    ("TIFF of float values", "yolo", s.stored(lambda image: image.convert("F"), ".tif")),
    ("tiny image", "yolo", s.stored(lambda image: image.resize((8, 6)))),
    ("turned by EXIF", "yolo", s.stored(lambda image: image, exif=s.turned(6))),
    ("mirrored by EXIF", "yolo", s.stored(lambda image: image, ".png", exif=s.turned(2))),
    ("grey", "yolo", s.stored(lambda image: image.convert("L"))),
    ("16 bits", "yolo", s.deep(65535)),
    ("12 bits in 16", "yolo", s.deep(4095)),
    ("alpha channel", "yolo", s.stored(lambda image: (image.putalpha(90), image)[1], ".png")),
    ("CMYK", "yolo", s.stored(lambda image: image.convert("CMYK"))),
    (
        "two pages",
        "yolo",
        s.stored(lambda image: image, ".tif", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
    ),
    ("bytes behind a JPEG", "yolo", lambda root: s.only((root / s.IMAGE).read_bytes() + b"trailer", s.IMAGE)(root)),
    ("names twice", "yolo", s.swapped("data.yaml", "elevation", "title")),
    ("names with a gap", "yolo", s.only(b"names: {0: detail, 2: title}\n", "data.yaml")),
    ("no names", "yolo", s.gone("data.yaml")),
    ("class called like a reference of DVC's", "yolo", s.only(NAMES.replace("title", '"${iteration}"').encode(), YAML)),
    ("class called like code of a page", "coco", JSON(lambda data: data["categories"][2].update(name="<script>x"))),
    ("broken YAML", "yolo", s.only(b"names: [detail\n", "data.yaml")),
    ("nc differs", "yolo", s.only(b"nc: 4\n" + NAMES.encode(), "data.yaml")),
    (
        "path to another computer",
        "yolo",
        s.only(b"path: /content/set\ntrain: images/train\nval: images/val\n" + NAMES.encode(), "data.yaml"),
    ),
    ("train elsewhere", "yolo", elsewhere),
    ("no val", "yolo", s.all_of(s.gone("images/val"), s.gone("labels/val"))),
    (
        "train is named and missing",
        "yolo",
        s.all_of(
            s.only(b"train: images/training_set\n" + NAMES.encode(), "data.yaml"),
            s.moved("images/train", "old/train"),
            s.gone("labels/train"),
        ),
    ),
    (
        "val is train",
        "yolo",
        s.all_of(
            s.only(b"train: images/train\nval: images/train\n" + NAMES.encode(), "data.yaml"),
            s.gone("images/val"),
            s.gone("labels/val"),
        ),
    ),
    ("val and valid", "yolo", copied(s.IMAGE, "images/valid/x.jpg")),
    (
        "COCO beside YOLO",
        "yolo",
        lambda root: s.put(root / "old.json", '{"images": [], "annotations": [], "categories": []}'),
    ),
    ("no images at all", "yolo", s.gone("images")),
    ("COCO: image missing", "coco", s.gone("train/train_1.jpg")),
    ("COCO: image not listed", "coco", other_picture("train/new.jpg")),
    ("COCO: unknown category", "coco", JSON(lambda c: c["annotations"][0].update(category_id=9))),
    ("COCO: crowd", "coco", JSON(lambda c: c["annotations"][0].update(iscrowd=1))),
    (
        "COCO: polygon alone",
        "coco",
        JSON(lambda c: c["annotations"][0].update(bbox=[], segmentation=[[8, 8, 24, 8, 24, 20]])),
    ),
    (
        "COCO: mask alone",
        "coco",
        JSON(lambda c: c["annotations"][0].update(bbox=[], segmentation={"counts": "x", "size": [48, 64]})),
    ),
    ("COCO: NaN", "coco", JSON(lambda c: c["annotations"][0].update(bbox=[float("nan"), 1, 2, 3]))),
    ("COCO: zero width", "coco", JSON(lambda c: c["annotations"][0].update(bbox=[5, 5, 0, 3]))),
    ("COCO: box over the border", "coco", JSON(lambda c: c["annotations"][0].update(bbox=[50, 5, 30, 30]))),
    ("COCO: box beside the image", "coco", JSON(lambda c: c["annotations"][0].update(bbox=[500, 5, 30, 30]))),
    ("COCO: object of no image", "coco", JSON(lambda c: c["annotations"][0].update(image_id=99))),
    ("COCO: no size", "coco", JSON(lambda c: c["images"][1].pop("width"))),
    ("COCO: size of another scale", "coco", JSON(lambda c: c["images"][1].update(width=128, height=96))),
    ("COCO: size of another picture", "coco", JSON(lambda c: c["images"][1].update(width=100, height=100))),
    (
        "COCO: labels fit the picture before EXIF",
        "coco",
        s.all_of(
            s.moved("train/train_1.jpg", s.IMAGE),
            s.stored(lambda image: image, exif=s.turned(6)),
            s.moved(s.IMAGE, "train/train_1.jpg"),
        ),
    ),
    (
        "COCO: categories in another order",
        "coco",
        JSON(
            lambda c: c["categories"][1].update(name="title") or c["categories"][3].update(name="detail"),
            "valid/_annotations.coco.json",
        ),
    ),
    ("COCO: category twice", "coco", JSON(lambda c: c["categories"][1].update(name="title"))),
    ("COCO: broken JSON", "coco", s.cut(s.TRAIN_JSON, 0.9)),
    ("COCO: two files of one split", "coco", copied(s.TRAIN_JSON, "train/second.json")),
    ("VOC: image missing", "voc", s.gone("train/train_1.jpg")),
    ("VOC: no annotation", "voc", s.gone("train/train_1.xml")),
    ("VOC: unknown name", "voc", s.swapped("train/train_1.xml", "<name>title", "<name>door")),
    ("VOC: names nowhere listed", "voc", s.gone("classes.txt")),
    ("VOC: no size", "voc", s.swapped("train/train_1.xml", "<width>64</width>", "<width>0</width>")),
    ("VOC: box without number", "voc", s.swapped("train/train_1.xml", "<xmin>8<", "<xmin>?<")),
    ("VOC: corners swapped", "voc", s.swapped("train/train_1.xml", "<xmin>8<", "<xmin>60<")),
    ("VOC: broken XML", "voc", s.cut("train/train_1.xml", 0.8)),
    ("COCO: two images of one id", "coco", JSON(lambda c: c["images"][1].update(id=0))),
    ("COCO: an image without id", "coco", JSON(lambda c: c["images"][1].pop("id"))),
    ("COCO: a picture twice, with the same boxes", "coco", JSON(lambda c: again(c, 0))),
    ("COCO: a picture twice, with other boxes", "coco", JSON(lambda c: again(c, 3))),
    (
        "COCO: a picture in two splits",
        "coco",
        JSON(lambda c: c["images"][0].update(file_name="train/train_1.jpg"), "valid/_annotations.coco.json"),
    ),
    (
        "COCO: equal name in a folder that is not there",
        "coco",
        JSON(lambda c: c["images"][1].update(file_name="b/train_1.jpg")),
    ),
    ("COCO: no object has an image_id", "coco", in_all(lambda c: [one.pop("image_id") for one in c["annotations"]])),
    (
        "COCO: many objects of no image",
        "coco",
        JSON(lambda c: [one.update(image_id=9) for one in c["annotations"][:2]]),
    ),
    ("COCO: fractions", "coco", JSON(lambda c: boxes(c, lambda x, y, w, h: [x / 64, y / 48, w / 64, h / 48]))),
    ("COCO: corners, as area says", "coco", JSON(lambda c: [measured(c), boxes(c, corners)])),
    ("COCO: corners, as outlines say", "coco", JSON(lambda c: [outlined(c), boxes(c, corners)])),
    ("COCO: corners", "coco", JSON(lambda c: boxes(c, lambda x, y, w, h: corners(x + 20, y, w, h)))),
    (
        "COCO: outline elsewhere",
        "coco",
        JSON(lambda c: c["annotations"][0].update(segmentation=[[40, 30, 50, 30, 50, 40]])),
    ),
    ("COCO: turned box", "coco", JSON(lambda c: c["annotations"][0].update(attributes={"rotation": 30.0}))),
    ("COCO: box of many sheets", "coco", JSON(lambda c: c["annotations"][0].update(bbox=[0, 0, 320, 220]))),
    (
        "COCO: EXIF, boxes fit both",
        "coco",
        s.all_of(TURNED, JSON(lambda c: boxes(c, lambda x, y, w, h: [x / 2, y, w, h]))),
    ),
    (
        "COCO: EXIF, of Label Studio",
        "coco",
        s.all_of(TURNED, JSON(lambda c: [c.update(info=LABEL_STUDIO), boxes(c, lambda x, y, w, h: [x / 2, y, w, h])])),
    ),
    (
        "COCO: EXIF, of Label Studio, boxes fit the stored one alone",
        "coco",
        s.all_of(TURNED, JSON(lambda c: c.update(info=LABEL_STUDIO))),
    ),
    ("VOC: turned box", "voc", s.swapped("train/train_1.xml", "</object>", f"{ROTATION}</object>")),
    ("VOC: list of other names", "voc", lambda root: s.put(root / "ImageSets/Main/val.txt", "val_0\nval_7\n")),
    (
        "VOC: one name in two lists",
        "voc",
        s.all_of(*(s.written(f"ImageSets/Main/{name}.txt", '"train_1.jpg"\n') for name in ("train", "val"))),
    ),
    (
        "list of equal names",
        "yolo",
        s.all_of(listed("images/train/train_1.jpg\nmore/train_1.jpg\n"), other_picture("more/train_1.jpg")),
    ),
    ("list of nothing", "yolo", s.all_of(listed("D:\\sheets\\Images\\a.jpg\n"), s.gone("images"))),
    ("list with a name of nothing", "yolo", listed("D:\\sheets\\images\\train\\train_1.jpg\nimages/train/gone.jpg\n")),
    ("key points", "yolo", s.all_of(s.only(KEYED), s.only(b"kpt_shape: [3, 2]\n" + NAMES.encode(), YAML))),
    (
        "key points of another number",
        "yolo",
        s.all_of(s.only(KEYED), s.only(b"kpt_shape: [4, 2]\n" + NAMES.encode(), YAML)),
    ),
    ("key points or polygons", "yolo", s.only(KEYED)),
    (
        "link to a folder",
        "yolo",
        s.all_of(s.moved("images/train", "../far"), lambda root: (root / "images/train").symlink_to("../../far")),
    ),
    ("link to no picture", "yolo", lambda root: (root / "images/train/gone.jpg").symlink_to("nothing.jpg")),
    ("labels in another folder", "yolo", s.moved("labels", "annotations")),
    ("label files empty, all of them", "yolo", emptied),
    (
        "list in UTF-16",
        "yolo",
        s.all_of(listed(""), s.only("images/train/train_1.jpg\n".encode("utf-16"), "train.txt")),
    ),
    (
        "COCO: another code page",
        "coco",
        s.all_of(
            JSON(lambda c: c["categories"][2].update(name="T\u00fcr")),
            lambda root: s.only(
                json.dumps(json.loads((root / s.TRAIN_JSON).read_text()), ensure_ascii=False).encode("cp1252"),
                s.TRAIN_JSON,
            )(root),
        ),
    ),
    ("VOC: file of one picture, name of another", "voc", s.swapped("train/train_1.xml", "train_1.jpg", "train_0.jpg")),
    ("VOC: list in UTF-16", "voc", s.all_of(s.written("ImageSets/Main/val.txt", ""), utf16_list)),
    (
        "tiles that overlap in two splits",
        "yolo",
        s.all_of(*(tile(split, place) for split, place in (("train", 0), ("val", 32)))),
    ),
]
