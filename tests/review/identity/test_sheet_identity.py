"""Which sheet of the packet something is: by content before names, and never both ways at once."""

import hashlib
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.formats.source_sheets import FRACTIONS
from stages.picking.packet import Packet
from stages.review.formats.returned_boxes import ReturnedSheet
from stages.review.identity.other_sheets import Known
from stages.review.identity.sheet_identity import Identified, identify
from stages.review.identity.tool_names import Names, stem_of
from tests.review.packets import STEMS, SUFFIXES, build_packet, plain_spec, save_resized

SHEETS = ["a.jpg", "b.png", "plan 2.1.jpg"]


@pytest.mark.parametrize(
    ("exported", "known", "meant"),
    [
        ("a.jpg", SHEETS, ["a.jpg"]),
        ("a.jpeg", SHEETS, ["a.jpg"]),  # another ending
        ("a", SHEETS, ["a.jpg"]),  # none
        ("plan 2.1", SHEETS, ["plan 2.1.jpg"]),  # what looks like an ending is none
        ("images/train/a.jpg", SHEETS, ["a.jpg"]),
        ("C:\\drawings\\a.jpg", SHEETS, ["a.jpg"]),
        ("A.JPG", SHEETS, ["a.jpg"]),
        ("a_jpg.rf.0a1B2c.jpg", SHEETS, ["a.jpg"]),
        ("b_png.rf.abc.jpg", SHEETS, ["b.png"]),
        ("plan-2-1_jpg.rf.abc.jpg", SHEETS, ["plan 2.1.jpg"]),
        ("0a1b2c3d-plan_2.1.jpg", SHEETS, ["plan 2.1.jpg"]),  # Label Studio's upload
        ("0a1b2c3d-plan%202.1.jpg", SHEETS, ["plan 2.1.jpg"]),
        ("0a1b2c3d-a_1.jpg", ["a (1).jpg"], ["a (1).jpg"]),  # brackets go, blanks become _
        ("0a1b2c3d-a.jpg", ["0a1b2c3d-a.jpg", "a.jpg"], ["0a1b2c3d-a.jpg"]),  # it was called so before
        ("a_b_jpg.rf.x1.jpg", ["a-b.jpg", "a_b.jpg"], ["a_b.jpg"]),  # the closest wins
        ("a-b_jpg.rf.x1.jpg", ["a b.jpg", "a_b.jpg"], ["a b.jpg", "a_b.jpg"]),  # one of two: nobody knows
        ("Mo\u0308bel.jpg", ["M\u00f6bel.jpg"], ["M\u00f6bel.jpg"]),  # as a Mac writes it
        ("M\u00f6bel-plan_jpg.rf.1a.jpg", ["M\u00f6bel plan.jpg"], ["M\u00f6bel plan.jpg"]),
        ("a_jpg.rf.new_jpg.rf.def.jpg", ["a_jpg.rf.new.jpg", "a_jpg.rf.old.jpg"], ["a_jpg.rf.new.jpg"]),
        ("a_jpg.rf.def.jpg", ["a_jpg.rf.abc.jpg", "b_jpg.rf.abc.jpg"], ["a_jpg.rf.abc.jpg"]),  # its own earlier export
        ("a_jpg.rf.def.jpg", ["a_jpg.rf.abc.jpg", "a_png.rf.abc.jpg"], ["a_jpg.rf.abc.jpg", "a_png.rf.abc.jpg"]),
        ("c.jpg", SHEETS, []),
        ("plan 21.jpg", SHEETS, []),  # close is not the same
        ("sheet1-11.jpg", ["sheet11-1.jpg"], []),
        ("", SHEETS, []),
    ],
)
def test_names(exported: str, known: list[str], meant: list[str]) -> None:
    assert Names(known).meant(exported) == meant


@given(
    stem=st.sampled_from(STEMS),
    suffix=st.sampled_from(SUFFIXES),
    tool=st.sampled_from(["plain", "folder", "address", "roboflow", "label-studio"]),
)
def test_a_name_is_found_again_whatever_a_tool_made_of_it(stem: str, suffix: str, tool: str) -> None:
    name = f"{stem}{suffix}"
    exported = {
        "plain": name,
        "folder": f"some/where/{name}",
        "address": f"/data/upload/3/{quote(name)}",
        "roboflow": f"{stem}_{suffix[1:]}.rf.0a1b2c3d.jpg",
        "label-studio": f"0a1b2c3d-{name}",
    }[tool]
    assert Names([name, "another.png", "zz 1.jpg"]).meant(exported) == [name]


def test_stems() -> None:
    assert stem_of("x/Mo\u0308bel.JPG") == stem_of("y\\m\u00f6bel.png") != stem_of("x/m\u00f6bel 2.jpg")


@pytest.fixture
def packet(tmp_path: Path) -> Packet:
    """Sheets a.png, b c.jpg and ü.png of 96 x 64 px."""
    return build_packet(plain_spec(), tmp_path)


@pytest.fixture
def others(tmp_path: Path) -> list[Known]:
    """A sheet of val, one of train, one of the pool."""
    found = []
    for number, (split, name) in enumerate((("val", "v.png"), ("train", "t.png"), ("pool", "p.png"))):
        file = tmp_path / "dataset" / split / name
        file.parent.mkdir(parents=True)
        rough = np.random.default_rng(100 + number).integers(0, 255, (6, 8), dtype=np.uint8)
        cv2.imwrite(str(file), cv2.resize(rough, (96, 64), interpolation=cv2.INTER_CUBIC))
        found.append(Known(name, hashlib.sha256(file.read_bytes()).hexdigest(), split, file, 2))
    return found


def came(name: str, image: Path | None = None, *, sha256: str = "", frame: tuple[float, float] = (96, 64)):
    return ReturnedSheet(name, f"export {name}", frame, (), image=image, sha256=sha256)


def names(found: Identified) -> list[str]:
    return [match.sheet.image_id for match in found.matches]


def refusal(packet: Packet, sheets: list[ReturnedSheet], others: list[Known]) -> str:
    with pytest.raises(UserError) as caught:
        identify(packet, sheets, others)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_hash_that_a_tool_carried_says_it_all(packet: Packet, others: list[Known]) -> None:
    sheets = [came(f"{number}.jpg", sha256=sheet.sha256) for number, sheet in enumerate(packet.sheets)]
    assert names(identify(packet, sheets[::-1], others)) == ["a.png", "b c.jpg", "ü.png"]
    assert "which is not in it" in refusal(packet, [came("a.png", sha256="0" * 64)], others)
    assert "no sheet of val or test" in refusal(packet, [came("a.png", sha256=others[0].sha256)], others)


def test_bytes_and_pixels_say_it_where_the_name_does_not(packet: Packet, others: list[Known], tmp_path: Path) -> None:
    a, b, c = (packet.image(sheet) for sheet in packet.sheets)
    save_resized(b, tmp_path / "e/1.png", (192, 128))
    save_resized(c, tmp_path / "e/2.jpg", (80, 80))
    sheets = [came("0.png", a), came("1.png", tmp_path / "e/1.png", frame=(192, 128))]
    found = identify(packet, [*sheets, came("2.png", tmp_path / "e/2.jpg", frame=(80, 80))], others)
    assert names(found) == ["a.png", "b c.jpg", "ü.png"]
    assert [match.placement.way for match in found.matches] == ["as it is", "stretched", "stretched"]
    assert [match.pixel for match in found.matches] == [1, 1, 96 / 80]


def test_sheets_of_train_are_passed_over_by_name_bytes_and_pixels(
    packet: Packet, others: list[Known], tmp_path
) -> None:
    train = others[1]
    save_resized(train.image, tmp_path / "e/copy.png", (60, 40))
    sheets = [
        came("a.png"),
        came("t_png.rf.1a.jpg"),
        came("1.png", train.image),
        came("2.png", tmp_path / "e/copy.png"),
    ]
    found = identify(packet, sheets, others)
    assert (names(found), list(found.passed_over)) == (["a.png"], [train] * 3)


@pytest.mark.parametrize("split", [0, 2])
def test_val_and_the_rest_of_the_pool_are_refused_by_name_bytes_and_pixels(
    packet: Packet, others: list[Known], tmp_path: Path, split: int
) -> None:
    known = others[split]
    save_resized(known.image, tmp_path / "e/copy.jpg", (90, 64))
    for sheet in (came(known.image_id), came("x.png", known.image), came("x.png", tmp_path / "e/copy.jpg")):
        line = refusal(packet, [came("a.png"), sheet], others)
        assert ("no sheet of val or test" if split == 0 else "which is not in it") in line
        assert f"export {sheet.name}" in line


def test_a_name_and_another_picture(packet: Packet, others: list[Known], tmp_path: Path) -> None:
    """Both files are named, whether the other is of the packet, of val or of nobody."""
    a, b, _ = (packet.image(sheet) for sheet in packet.sheets)
    save_resized(b, tmp_path / "e/b.png", (192, 128))
    for image in (b, tmp_path / "e/b.png"):
        line = refusal(packet, [came("a.png", image, frame=FRACTIONS)], others)
        assert f"expected a picture of {a}, as the name says, found that of {b}." in line
    save_resized(others[0].image, tmp_path / "e/v.png", (192, 128))
    assert str(others[0].image) in refusal(packet, [came("a.png", tmp_path / "e/v.png")], others)
    cv2.imwrite(str(tmp_path / "e/n.png"), np.eye(64, 96) * 255)
    assert "found another one." in refusal(packet, [came("a.png", tmp_path / "e/n.png")], others)


def test_a_name_that_fits_two_is_settled_by_the_picture(tmp_path: Path) -> None:
    spec = plain_spec()
    spec = spec._replace(
        sheets=tuple(s._replace(image_id=n) for s, n in zip(spec.sheets, ("a b.png", "a_b.png", "c.png"), strict=True))
    )
    packet = build_packet(spec, tmp_path)
    save_resized(packet.image(packet.sheets[1]), tmp_path / "e/x.png", (192, 128))
    name = "a-b_png.rf.12.jpg"
    assert names(identify(packet, [came(name, tmp_path / "e/x.png", frame=FRACTIONS)], [])) == ["a_b.png"]
    assert "a b.png, a_b.png, c.png did not come back" in refusal(packet, [came(name)], [])


def test_twice(packet: Packet) -> None:
    image = packet.image(packet.sheets[0])
    for first, second in (("x/a.png", "y/a.png"), ("a_png.rf.1.jpg", "a_png.rf.2.jpg"), ("a.png", "9.png")):
        line = refusal(packet, [came(first, image), came(second, image)], [])
        assert line.startswith(f"export {second}: expected every sheet once, found ")
        assert f"after export {first}" in line


def test_frames_without_a_picture(packet: Packet) -> None:
    (half,) = identify(packet, [came("a.png", frame=(48, 32))], []).matches
    assert (half.placement.scale, half.pixel) == ((0.5, 0.5), 2)
    found = identify(packet, [came("a.png", frame=FRACTIONS)], [])
    assert (found.matches[0].placement.scale, found.unseen) == ((1 / 96, 1 / 64), 1)
    carried = identify(packet, [came("?", frame=FRACTIONS, sha256=packet.sheets[0].sha256)], [])
    assert carried.unseen == 0
    assert "expected boxes on 96 × 64 px, as a.png is, found 64 × 64 px" in refusal(
        packet, [came("a.png", frame=(64, 64))], []
    )


def test_a_frame_that_is_not_that_of_the_picture(packet: Packet) -> None:
    line = refusal(packet, [came("a.png", packet.image(packet.sheets[0]), frame=(64, 80))], [])
    assert "expected boxes on 96 × 64 px, as the picture that came with them is, found 64 × 80 px" in line


@pytest.mark.parametrize("with_picture", [True, False])
def test_a_frame_of_before_exif_turned_the_picture(packet: Packet, with_picture: bool) -> None:
    """Label Studio writes the size of the stored picture, and boxes on the one that is shown; others do not say."""
    one = came("a.png", packet.image(packet.sheets[0]) if with_picture else None, frame=(64, 96))
    line = refusal(packet, [one], [])
    assert "expected boxes on 96 × 64 px, as a.png is shown, found 64 × 96 px: its sides are exchanged" in line
    (match,) = identify(packet, [one._replace(as_shown=True)], []).matches
    assert (match.placement.scale, match.pixel) == ((1.0, 1.0), 1.0)


def test_blank_sheets_that_were_resized_are_refused_and_those_of_one_shape_go_by_name(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    blank = np.full((64, 96, 3), 255, np.uint8)
    cv2.imwrite(str(packet.image(packet.sheets[0])), blank)
    cv2.imwrite(str(tmp_path / "same.jpg"), blank)
    cv2.imwrite(str(tmp_path / "square.jpg"), blank[:, :64])
    assert names(identify(packet, [came("a.png", tmp_path / "same.jpg")], [])) == ["a.png"]
    line = refusal(packet, [came("a.png", tmp_path / "square.jpg", frame=FRACTIONS)], [])
    assert (
        "expected a picture of a.png that shows how it was resized, found one that may be stretched or fitted" in line
    )
