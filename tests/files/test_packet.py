import hashlib
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import yaml

from stages.core.errors import UserError
from stages.files.dataset import read_labels, sheets_in
from stages.files.packet import MANIFEST, packet_sheets, read_packet, write_packet
from stages.files.packet_pictures import LEAST_CONTEXT, SIDE, write_contact_sheet, zoom

CLASSES = ("door", "Fenster ü")
FACTORS = ("class_balance", "size_diversity", "spatial_diversity", "uncertainty")
NO_PRELABELS = pd.DataFrame(columns=["image_id", "class_id", "x1", "y1", "x2", "y2", "width", "height"])


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A pool of three sheets of 400 x 200: a has labels, b and `c d` have none."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "dataset/pool"
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    for number, stem in enumerate(("a", "b", "c d")):
        cv2.imwrite(str(root / f"images/{stem}.png"), np.full((200, 400, 3), 60 * number, np.uint8))
    (root / "labels/a.txt").write_bytes(b"0 0.5 0.5 0.1 0.1\r\n\r\n1 0.25 0.5 0.1 0.2")  # its bytes are kept
    return {sheet.image_id: sheet for sheet in sheets_in(root)}


def chosen(*image_ids):
    rows = [
        {
            **{"rank": rank, "image_id": image_id, "kind": "uncertain", "class_name": "door", "confidence": 0.4},
            **{"x1": 10.0, "y1": 20.0, "x2": 30.0, "y2": 60.0, "score": 1 / rank, "reason": 'Why, "so"?'},
            **dict.fromkeys(FACTORS, 0.5),
        }
        for rank, image_id in enumerate(image_ids, 1)
    ]
    names = [name for name in MANIFEST if name not in ("image_sha256", "crop")]
    return pd.DataFrame(rows, columns=names).astype({"rank": "Int64", "image_id": "str", "confidence": "Float64"})


def content(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


def test_a_sheet_with_a_long_name_has_a_crop(pool):
    image = pool["b.png"].image
    long = image.rename(image.with_name(f"{'图' * 80}.png"))  # 244 of the 255 bytes that a file system takes
    sheet = pool["b.png"]._replace(image=long)
    write_packet(
        chosen(long.name), sheets={long.name: sheet}, prelabels=NO_PRELABELS, classes=CLASSES, folder=Path("p")
    )
    assert [Path("p", crop).is_file() for crop in read_packet(Path("p"))["crop"]] == [True]


def test_packet_is_the_sheets_that_hold_the_chosen(pool):
    write_packet(
        chosen("b.png", "a.png", "b.png"), sheets=pool, prelabels=NO_PRELABELS, classes=CLASSES, folder=Path("p")
    )
    assert sorted(content("p")) == [
        *("crops/001_b.jpg", "crops/002_a.jpg", "crops/003_b.jpg", "data.yaml"),
        *("images/a.png", "images/b.png", "labels/a.txt", "labels/b.txt", "manifest.csv"),
    ]
    for image_id in ("a.png", "b.png"):
        assert Path("p/images", image_id).read_bytes() == pool[image_id].image.read_bytes()
    assert yaml.safe_load(Path("p/data.yaml").read_text(encoding="utf-8")) == {"names": list(CLASSES)}


def test_claims_stay_as_they_are_and_detections_become_labels(pool):
    boxes = pd.DataFrame(
        [("b.png", 1, 40.0, 50.0, 80.0, 150.0, 400, 200), ("a.png", 0, 0.0, 0.0, 9.0, 9.0, 400, 200)],
        columns=NO_PRELABELS.columns,
    )
    write_packet(chosen("a.png", "b.png", "c d.png"), sheets=pool, prelabels=boxes, classes=CLASSES, folder=Path("p"))
    assert Path("p/labels/a.txt").read_bytes() == pool["a.png"].label.read_bytes()
    assert Path("p/labels/b.txt").read_text() == "1 0.150000 0.500000 0.100000 0.500000\n"
    assert read_labels(Path("p/labels/b.txt"), CLASSES).class_id.tolist() == [1]
    assert Path("p/labels/c d.txt").read_text() == ""


def test_sheets_come_most_valuable_first_with_the_hash_of_their_bytes(pool):
    write_packet(
        chosen("b.png", "a.png", "b.png"), sheets=pool, prelabels=NO_PRELABELS, classes=CLASSES, folder=Path("p")
    )
    sheets = packet_sheets(Path("p"))
    assert sheets[["image_id", "objects", "best_rank"]].values.tolist() == [["b.png", 2, 1], ["a.png", 1, 2]]
    assert sheets["image_sha256"][0] == hashlib.sha256(pool["b.png"].image.read_bytes()).hexdigest()


def test_manifest_round_trip(pool):
    objects = chosen("a.png", "b.png")
    objects.loc[1, ["confidence", "class_name"]] = [pd.NA, ""]
    write_packet(objects, sheets=pool, prelabels=NO_PRELABELS, classes=CLASSES, folder=Path("p"))
    back = read_packet(Path("p"))
    assert {name: str(kind) for name, kind in back.dtypes.items()} == MANIFEST
    assert back["confidence"].isna().tolist() == [False, True]
    assert back["class_name"].tolist() == ["door", ""]
    assert back["reason"].tolist() == ['Why, "so"?'] * 2


def test_empty_packet_is_a_packet(pool):
    write_packet(chosen(), sheets=pool, prelabels=NO_PRELABELS, classes=CLASSES, folder=Path("p"))
    assert len(packet_sheets(Path("p"))) == 0
    assert list(packet_sheets(Path("p")).columns) == ["image_id", "image_sha256", "objects", "best_rank"]
    assert sorted(content("p")) == ["data.yaml", "manifest.csv"]


def test_a_new_packet_replaces_the_old_one_and_equal_ones_are_equal_bytes(pool):
    write = {"sheets": pool, "prelabels": NO_PRELABELS, "classes": CLASSES}
    write_packet(chosen("a.png", "c d.png"), **write, folder=Path("p"))
    write_packet(chosen("b.png"), **write, folder=Path("p"))
    write_packet(chosen("b.png"), **write, folder=Path("q"))
    assert content("p") == content("q")
    assert sorted(file.name for file in Path().iterdir()) == ["dataset", "p", "q"]


def test_a_failure_leaves_the_old_packet(pool):
    write = {"sheets": pool, "prelabels": NO_PRELABELS, "classes": CLASSES, "folder": Path("p")}
    write_packet(chosen("a.png"), **write)
    before = content("p")
    with pytest.raises(UserError, match=r"gone.png: expected a sheet that `validate` saw, found no file"):
        write_packet(chosen("b.png", "gone.png"), **write)
    pool["b.png"].image.write_bytes(b"no image")
    with pytest.raises(UserError, match="expected an image"):
        write_packet(chosen("b.png"), **write)
    assert content("p") == before
    assert sorted(file.name for file in Path().iterdir()) == ["dataset", "p"]


@pytest.mark.parametrize(
    ("text", "found"), [(None, "no file"), ("a,b\n1,2\n", "rank"), (",".join(MANIFEST) + "\none" + "," * 16, "one")]
)
def test_what_is_no_packet_is_one_line(tmp_path, text, found):
    if text is not None:
        (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(UserError, match=found) as error:
        read_packet(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((190, 90, 210, 110), (SIDE, SIDE)),  # a small object: LEAST_CONTEXT px around it
        ((0, 0, 10, 10), (SIDE, SIDE)),  # in a corner: the window moves in, the picture keeps its size
        ((0, 0, 600, 400), (341, SIDE)),  # a whole sheet: all of it, in its own shape
    ],
)
def test_zoom_keeps_the_surroundings(box, shape):
    picture = zoom(np.full((400, 600, 3), 255, np.uint8), np.array(box, float))
    assert picture.shape == (*shape, 3)


def test_zoom_draws_the_box_around_the_object_and_not_over_it():
    image = np.full((400, 600, 3), 255, np.uint8)
    image[190:210, 290:310] = 0  # the object, in the middle of the sheet
    picture = zoom(image, np.array([290.0, 190, 310, 210]))
    red = (picture[:, :, 2] > 200) & (picture[:, :, 0] < 60)
    dark = picture.max(axis=2) < 60
    side = 20 / LEAST_CONTEXT * SIDE  # 43 px
    assert dark.sum() == pytest.approx(side**2, rel=0.15)
    assert np.ptp(np.flatnonzero(red.any(axis=0))) == pytest.approx(side + 7, abs=3)


@pytest.mark.parametrize("count", [0, 1, 7, 41])
def test_contact_sheet_holds_any_number_and_repeats_itself(tmp_path, count):
    pictures = [np.full((20, 30, 3), 200, np.uint8)] * count
    for name in ("one.png", "two.png"):
        with mpl.rc_context({"font.size": 30, "axes.linewidth": 4} if name == "two.png" else {}):  # a person's own
            write_contact_sheet(
                pictures, titles=["$a_b"] * count, captions=["x" * 90] * count, heading="h", file=tmp_path / name
            )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert cv2.imread(str(tmp_path / "one.png")).shape[1] == 1200
