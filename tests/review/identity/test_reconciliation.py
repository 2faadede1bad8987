"""What came back becomes what is kept: boxes to half a pixel, classes by name, and nothing that nobody did."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.boxes import xyxy_to_xywhn
from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import label_text
from stages.formats.source_sheets import FRACTIONS
from stages.picking.packet import Packet
from stages.review.formats import yolo
from stages.review.formats.outgoing_boxes import prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned, ReturnedBox, ReturnedSheet
from stages.review.identity.other_sheets import Known
from stages.review.identity.reconciliation import Reconciled, reconcile
from stages.review.identity.sheet_boxes import are_alike
from tests.review.packets import (
    Box,
    PacketSpec,
    Work,
    as_a_person_would,
    build_packet,
    differences,
    packet_specs,
    plain_spec,
)

DRAWN = ReturnedBox("door", (10.0, 10.0, 30.0, 40.0), "export:1")


@pytest.fixture
def packet(tmp_path: Path) -> Packet:
    """Sheets a.png, b c.jpg (without boxes) and ü.png of 96 x 64 px; classes door, title block, Fenster ü."""
    return build_packet(plain_spec(), tmp_path)


def as_sent(packet: Packet, *, shift: float = 0.0) -> list[ReturnedSheet]:
    """Return the sheets as they went out, each box moved by `shift` px as far as the sheet reaches."""
    return [
        ReturnedSheet(
            sheet.image_id,
            sheet.image_id,
            (sheet.width, sheet.height),
            tuple(
                ReturnedBox(one.class_name, tuple(side + shift for side in one[2:6]), "export:1", one.prelabel_id)
                for one in prelabels_by_sheet(packet)[sheet.image_id]
            ),
        )
        for sheet in packet.sheets
    ]


def drawn(packet: Packet, *boxes: ReturnedBox) -> list[ReturnedSheet]:
    """Return every sheet with `boxes`, or with one."""
    return [one._replace(boxes=boxes or (DRAWN,)) for one in as_sent(packet)]


def kept(packet: Packet, sheets: list[ReturnedSheet], **options) -> Reconciled:
    returned = Returned(
        options.pop("tool", "coco"), options.pop("classes", ()), tuple(sheets), options.pop("packet_id", "")
    )
    options = {"others": (), "all_reviewed": False, "partial": False, **options}
    return reconcile(packet, returned, **options)


def refusal(packet: Packet, sheets: list[ReturnedSheet], **options) -> str:
    with pytest.raises(UserError) as caught:
        kept(packet, sheets, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def status(found: Reconciled) -> dict[str, str]:
    return {sheet.image_id: sheet.status for sheet in found.sheets}


def boxes(found: Reconciled, image_id: str = "a.png") -> list[tuple]:
    return [tuple(box) for sheet in found.sheets if sheet.image_id == image_id for box in sheet.boxes]


def test_boxes_are_kept_in_px_with_their_prelabels(packet: Packet) -> None:
    own = packet.prelabels.iloc[0]
    box = ReturnedBox("title block", (0.25, 0.25, 0.5, 0.5), "x", own["prelabel_id"])
    sheets = [one._replace(frame=FRACTIONS, seconds=8.5) for one in drawn(packet, box)]
    found = kept(packet, sheets)
    assert boxes(found) == [("title block", 24.0, 16.0, 48.0, 32.0, own["prelabel_id"])]
    assert boxes(found, "b c.jpg") == [("title block", 24.0, 16.0, 48.0, 32.0, None)]  # an id of another sheet
    assert [(sheet.sha256, sheet.seconds) for sheet in found.sheets] == [(one.sha256, 8.5) for one in packet.sheets]
    assert found.notes == ("3 sheets came without a picture: boxes are taken as fractions of the whole sheet.",)


def test_a_copied_box_is_another_box(packet: Packet) -> None:
    """It brings the id of the first one along, which only one box can have come from."""
    own = packet.prelabels.iloc[0]["prelabel_id"]
    first = DRAWN._replace(prelabel=own)
    found = kept(packet, drawn(packet, first, first._replace(xyxy=(50.0, 10.0, 70.0, 40.0))))
    assert [box[-1] for box in boxes(found)] == [own, None]


@pytest.mark.parametrize(
    ("shift", "opened"), [(0.0, False), (0.4, False), (-0.4, False), (0.5, False), (0.6, True), (-3.0, True)]
)
def test_what_nobody_touched_is_no_truth(packet: Packet, shift: float, opened: bool) -> None:
    inside = packet.prelabels.assign(x1=20.0, y1=20.0, x2=40.0, y2=40.0)
    packet = packet._replace(prelabels=inside.drop_duplicates("image_id"))
    sheets = as_sent(packet, shift=shift)
    if opened:
        found = kept(packet, sheets)
        assert status(found) == {"a.png": "reviewed", "ü.png": "reviewed"}
        assert found.unopened == ("b c.jpg",)  # it was empty, and is: did anybody look?
    else:
        assert "expected a sheet that was reviewed, found 3 sheets as they went out" in refusal(packet, sheets)
        assert "--all-reviewed" in refusal(packet, sheets)
    assert set(status(kept(packet, sheets, all_reviewed=True)).values()) == {"reviewed"}


def test_one_change_on_one_sheet_opens_that_sheet_alone(packet: Packet) -> None:
    for change in (
        lambda boxes: boxes[1:],
        lambda boxes: (*boxes, DRAWN),
        lambda boxes: (boxes[0]._replace(class_name=_other(packet, boxes[0].class_name)), *boxes[1:]),
    ):
        sheets = as_sent(packet)
        sheets[2] = sheets[2]._replace(boxes=change(sheets[2].boxes))
        found = kept(packet, sheets)
        assert (status(found), found.unopened) == ({"ü.png": "reviewed"}, ("a.png", "b c.jpg"))


def test_a_sheet_that_lost_all_its_boxes_was_not_opened_unless_somebody_says_so(packet: Packet) -> None:
    """A tool that has no labels of a sheet leaves it out, or empty: that is no word about what is on it."""
    first, second, third = drawn(packet)
    emptied = [first, second, third._replace(boxes=())]
    found = kept(packet, emptied)
    assert status(found) == {"a.png": "reviewed", "b c.jpg": "reviewed"}
    assert (found.emptied, found.unopened) == (("ü.png",), ())
    assert status(kept(packet, emptied, all_reviewed=True))["ü.png"] == "reviewed"
    assert status(kept(packet, [first, second, third._replace(boxes=(), status="reviewed")]))["ü.png"] == "reviewed"
    line = refusal(packet, [one._replace(boxes=()) for one in emptied])
    assert "found 3 sheets as they went out, or without a box (a.png, ü.png). If you looked at every sheet" in line
    assert "--all-reviewed" in line


def _other(packet: Packet, name: str) -> str:
    return next(other for other in packet.classes if other != name)


def test_two_lists_of_boxes() -> None:
    a, b, c = ("door", (1.0, 1.0, 9.0, 9.0)), ("door", (1.3, 1.0, 9.0, 9.0)), ("roof", (1.0, 1.0, 9.0, 9.0))
    assert are_alike([a, c], [c, b], within=0.5)
    assert are_alike([], [], within=0.5)
    assert not are_alike([a, c], [c, b], within=0.2)
    assert not are_alike([a], [c], within=0.5)
    assert not are_alike([a, b], [a], within=0.5)
    assert not are_alike([a, a], [a, c], within=0.5)  # each stands for one alone


def test_order_of_boxes_means_nothing(packet: Packet) -> None:
    sheets = [one._replace(boxes=one.boxes[::-1]) for one in as_sent(packet)]
    assert "as they went out" in refusal(packet, sheets)


def test_on_a_smaller_picture_half_a_pixel_is_larger(packet: Packet) -> None:
    """A quarter of the size: boxes that were rounded to whole pixels there are off by up to 2 px here."""
    inside = packet.prelabels.assign(x1=21.0, y1=22.0, x2=43.0, y2=41.0).drop_duplicates("image_id")
    packet = packet._replace(prelabels=inside)
    sheets = [one._replace(frame=(24, 16)) for one in as_sent(packet)]
    rounded = [
        one._replace(boxes=tuple(box._replace(xyxy=tuple(round(side / 4) for side in box.xyxy)) for box in one.boxes))
        for one in sheets
    ]
    assert "as they went out" in refusal(packet, rounded)
    found = kept(packet, rounded, all_reviewed=True)
    assert boxes(found)[0][1:5] == (20.0, 24.0, 44.0, 40.0)  # 5.25 5.5 10.75 10.25, rounded to even
    assert found.notes == ("3 sheets came back smaller: boxes were brought back to the original size.",)


def test_the_tool_knows_best(packet: Packet) -> None:
    """Where a tool says what is done, that holds, whatever the boxes look like."""
    first, second, third = as_sent(packet)
    sheets = [
        first._replace(status="reviewed"),
        second._replace(status="unreviewed"),
        third._replace(status="unreviewed", boxes=(DRAWN,)),
    ]
    for all_reviewed in (False, True):
        found = kept(packet, sheets, all_reviewed=all_reviewed)
        assert status(found) == {"a.png": "reviewed", "ü.png": "unreviewed"}
        assert found.unopened == ("b c.jpg",)
        assert bool(found.notes) == all_reviewed
    closed = [one._replace(status="unreviewed") for one in drawn(packet)]
    line = refusal(packet, closed, all_reviewed=True)
    assert "found 3 sheets, none of which is done. Mark the sheets as done in your tool" in line


def test_missing_sheets(packet: Packet) -> None:
    sheets = drawn(packet)[:1]
    line = refusal(packet, sheets, where="export.zip")
    assert line.startswith("export.zip: expected all 3 sheets of the packet, found 2 missing: b c.jpg, ü.png. ")
    assert kept(packet, sheets, partial=True).missing == ("b c.jpg", "ü.png")
    assert kept(packet, sheets, done=["ü.png", "b c.jpg"]).missing == ()
    assert "found 1 missing: b c.jpg" in refusal(packet, sheets, done=["ü.png"])


def test_classes_by_name(packet: Packet) -> None:
    order = ("Fenster ü", "background", "door", "title block")
    found = kept(packet, drawn(packet), classes=order)
    assert found.notes == (
        "Classes came back in another order (Fenster ü, door, title block): they were matched by name.",
    )
    assert boxes(found)[0][0] == "door"
    assert kept(packet, drawn(packet), classes=packet.classes[1:]).notes == ()  # a class that nobody used is gone


def test_unknown_classes(packet: Packet) -> None:
    sheets = drawn(packet, DRAWN, DRAWN._replace(class_name="Door"))
    line = refusal(packet, sheets, classes=("Door", "door", "title block", "Fenster ü"))
    assert line.startswith(
        "export:1: expected boxes of the packet's classes (door, title block, Fenster ü), "
        "found 'Door': 1 box on a.png, 3 in all. "
    )
    assert line.endswith("export again.")
    assert line != (renamed := refusal(packet, sheets, classes=("Door", "title block", "Fenster ü")))
    assert "it has no 'door' any more" in renamed


def test_roboflow_writes_plain_letters(packet: Packet) -> None:
    sheets = drawn(packet, DRAWN._replace(class_name="Fenster u"))
    assert boxes(kept(packet, sheets, tool="roboflow"))[0][0] == "Fenster ü"
    assert "found 'Fenster u'" in refusal(packet, sheets)  # no other tool does
    twins = packet._replace(classes=("Fenster ü", "Fenster û", "door"))
    assert "found 'Fenster u'" in refusal(twins, sheets, tool="roboflow")  # it may be either


@pytest.mark.parametrize(
    ("xyxy", "found"),
    [
        ((90.0, 60.0, 100.0, 70.0), (90, 60, 96, 64)),
        ((-5.0, -5.0, 180.0, 120.0), (0, 0, 96, 64)),
        ((95.0, 63.0, 96.0, 64.0), (95, 63, 96, 64)),  # a pixel
        ((-0.3, 10.0, 20.0, 20.0), (0, 10, 20, 20)),  # rounding
    ],
)
def test_boxes_are_cut_at_the_border(packet: Packet, xyxy: tuple, found: tuple) -> None:
    result = kept(packet, drawn(packet, DRAWN._replace(xyxy=xyxy)))
    assert boxes(result)[0][1:5] == found
    cut = max(abs(a - b) for a, b in zip(xyxy, found, strict=True)) > 0.5
    assert result.notes == (("3 boxes stuck out: cut at the border of the sheet.",) if cut else ())


@pytest.mark.parametrize(
    ("xyxy", "says"),
    [
        ((96.0, 10.0, 120.0, 20.0), "expected a box on a.png (96 × 64 px), found 96.0 10.0 120.0 20.0, which lies"),
        ((95.9, 10.0, 120.0, 20.0), "which lies beside it"),
        ((10.0, -9.0, 20.0, 0.0), "which lies beside it"),
        ((10.0, 10.0, 10.0, 20.0), "expected a box with a width and a height above 0, found 10 10 10 20"),
        ((20.0, 10.0, 10.0, 20.0), "expected a box with a width"),
        ((10.0, 10.0, 20.0, 10.2), "expected a box of 1 px at least on a.png, found 10.00 × 0.20 px"),
        ((0.0, 0.0, 193.0, 10.0), "found 0.0 0.0 193.0 10.0, which is no box that sticks out"),
        ((0.0, 0.0, 10.0, 129.0), "which is no box that sticks out"),
        ((float("nan"), 10.0, 20.0, 20.0), "found nan 10 20 20"),
        ((0.0, 10.0, float("inf"), 20.0), "found 0 10 inf 20"),
    ],
)
def test_what_is_no_box(packet: Packet, xyxy: tuple, says: str) -> None:
    line = refusal(packet, drawn(packet, DRAWN, DRAWN._replace(xyxy=xyxy)))
    assert line.startswith("export:1: ")
    assert says in line


def test_a_box_that_comes_twice_is_taken_once(packet: Packet) -> None:
    found = kept(packet, drawn(packet, DRAWN, DRAWN, DRAWN._replace(class_name="title block")))
    assert [box[0] for box in boxes(found)] == ["door", "title block"]
    assert found.notes == ("3 boxes came twice: taken once.",)


def test_polygons_are_said(packet: Packet) -> None:
    sheets = [one._replace(polygons=1) for one in drawn(packet)]
    assert kept(packet, sheets).notes == ("3 polygons became the boxes around.",)


def old(iteration: int) -> Known:
    return Known("old.png", "f" * 64, "train", Path("train/old.png"), iteration)


def test_old_exports(packet: Packet) -> None:
    """A growing project holds its old sheets again; they are passed over, unless there is nothing else."""
    again = as_sent(packet)[0]._replace(name="old.png", sha256="f" * 64)
    found = kept(packet, [*drawn(packet), again], others=[old(2)])
    assert (found.passed_over, len(found.sheets)) == (("old.png",), 3)
    line = refusal(packet, [again], others=[old(2)])
    assert "found an old export: old.png, in train since the review of iteration 1." in line
    assert "in train since the import." in refusal(packet, [again], others=[old(0)])
    assert "an old export" in refusal(packet, [again], others=[old(2)], packet_id="0123456789ab")
    assert "expected sheets that came back, found none" in refusal(packet, [])


def test_another_packet(packet: Packet) -> None:
    assert kept(packet, drawn(packet), packet_id=packet.packet_id).missing == ()
    line = refusal(packet, drawn(packet), packet_id="0123456789ab")
    assert f"expected an export of packet {packet.packet_id}, that of iteration 2, found one of packet 0123" in line
    strange = drawn(packet)[0]._replace(name="what.png")
    assert "found one of packet" in refusal(packet, [strange], packet_id="0123456789ab")


def exported(packet: Packet, work: Work, folder: Path, draw: st.DataObject) -> Path:
    """Write what a person did as a YOLO folder of a tool that mixes classes, names and sizes."""
    order = draw.draw(st.permutations(packet.classes))
    (folder / "data.yaml").parent.mkdir(parents=True)
    (folder / "data.yaml").write_text(f"names: {json.dumps(order, ensure_ascii=False)}\n", encoding="utf-8")
    (folder / "labels").mkdir()
    for number, sheet in enumerate(packet.sheets):
        hashed = draw.draw(st.booleans())
        stem = f"{number:032x}" if hashed else Path(sheet.image_id).stem
        xyxy = np.array([box.xyxy for box in work.boxes[sheet.image_id]], float).reshape(-1, 4)
        ids = [order.index(box.class_name) for box in work.boxes[sheet.image_id]]
        rows = label_text(ids, xyxy_to_xywhn(xyxy, width=sheet.width, height=sheet.height))
        (folder / "labels" / f"{stem}.txt").write_text(rows, encoding="utf-8")
        target = folder / "images" / f"{stem}{Path(sheet.image_id).suffix}"
        target.parent.mkdir(exist_ok=True)
        size = draw.draw(st.sampled_from([None, (sheet.width * 2, sheet.height * 2), (sheet.width, sheet.height + 30)]))
        _store(packet.image(sheet), target, size)
    return folder


def _store(source: Path, target: Path, size: tuple[int, int] | None) -> None:
    if size is None:
        shutil.copyfile(source, target)
        return
    image = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    data = cv2.imencode(".png", cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))[1]
    target.with_suffix(".png").write_bytes(data.tobytes())


@settings(max_examples=25, deadline=None)
@given(spec=packet_specs(), draw=st.data())
def test_a_review_comes_back_through_mixed_classes_hashed_names_and_other_sizes(
    spec: PacketSpec, draw: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("r")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    read = yolo.read(exported(packet, work, folder / "export", draw))
    found = reconcile(packet, read, others=(), all_reviewed=True, partial=False)
    assert [(sheet.image_id, sheet.sha256) for sheet in found.sheets] == [
        (sheet.image_id, sheet.sha256) for sheet in packet.sheets
    ]
    assert found.missing == found.unopened == found.passed_over == ()
    there = {sheet.image_id: [Box(box.class_name, box[1:5], None) for box in sheet.boxes] for sheet in found.sheets}
    assert differences(there, work.boxes) == []


def test_a_box_under_a_pixel_that_we_had_sent_out_is_no_error(packet: Packet) -> None:
    small = packet.prelabels.assign(x1=20.0, y1=20.0, x2=40.0, y2=20.4)
    packet = packet._replace(prelabels=small.drop_duplicates("image_id"))
    first, *others = as_sent(packet)
    found = kept(packet, [first, *(one._replace(boxes=(*one.boxes, DRAWN)) for one in others)])
    assert (status(found)["ü.png"], found.unopened) == ("reviewed", ("a.png",))


def test_boxes_of_which_most_stick_out_are_corners_or_of_another_size(packet: Packet) -> None:
    out = DRAWN._replace(xyxy=(80.0, 10.0, 130.0, 40.0))
    assert "found 3 of 5 that stick out" in refusal(packet, _several(packet, [out] * 3, [DRAWN] * 2))
    assert kept(packet, _several(packet, [out] * 2, [DRAWN] * 3)).notes[0].startswith("2 boxes stuck out")
    assert kept(packet, _several(packet, [out] * 3, [DRAWN])).notes[0].startswith("3 boxes stuck out")  # too few


def _several(packet: Packet, *groups: list[ReturnedBox]) -> list[ReturnedSheet]:
    """Return the sheets with all boxes on the first one, each a little further, so that none comes twice."""
    every = [box for group in groups for box in group]
    moved = [box._replace(xyxy=tuple(side + 0.7 * n for side in box.xyxy)) for n, box in enumerate(every)]
    first, *others = drawn(packet)
    return [first._replace(boxes=tuple(moved)), *(one._replace(boxes=()) for one in others)]


def test_a_sheet_that_comes_twice_with_the_same_boxes_is_taken_once(packet: Packet) -> None:
    first, *others = drawn(packet)
    again = first._replace(where="task 501", boxes=(DRAWN._replace(where="task 501"),))
    found = kept(packet, [first, again, *others])
    assert (boxes(found), found.notes) == (
        [("door", 10.0, 10.0, 30.0, 40.0, None)],
        ("1 sheet came twice with the same boxes: taken once.",),
    )
    other = again._replace(boxes=(DRAWN._replace(xyxy=(10.0, 10.0, 30.0, 41.0)),))
    line = refusal(packet, [first, other, *others])
    assert "found a.png a second time, after a.png" in line
    assert line.endswith("of two annotations of one sheet delete the one that does not hold.")
