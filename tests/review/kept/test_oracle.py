"""The oracle answers from labels that were held back, or else from those that the pool has already."""

from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.review.kept.oracle import read_oracle
from tests.fake_project import write_files
from tests.review.packets import build_packet, plain_spec

ROW = "0 0.5 0.5 0.25 0.5\n"


def test_held_back_labels_come_before_the_pools_own(tmp_path: Path) -> None:
    """Sheets of 96 x 64 px: a.png has both, of `b c.jpg` nothing is on it, ü.png has only its own."""
    packet = build_packet(plain_spec(), tmp_path)
    write_files(tmp_path / "data/oracle/labels", {"a.txt": ROW, "b c.txt": ""})
    write_files(tmp_path / "data/dataset/pool/labels", {"a.txt": "", "ü.txt": "2 0.5 0.5 1 1\n"})
    review = read_oracle(packet, tmp_path)
    assert (review.packet_id, review.source, review.partial) == (packet.packet_id, "oracle", False)
    assert {sheet.image_id: [tuple(box)[:5] for box in sheet.boxes] for sheet in review.reviewed} == {
        "a.png": [("door", 36.0, 16.0, 60.0, 48.0)],
        "b c.jpg": [],
        "ü.png": [("Fenster ü", 0.0, 0.0, 96.0, 64.0)],
    }
    assert [sheet.sha256 for sheet in review.sheets] == [sheet.sha256 for sheet in packet.sheets]


def test_a_sheet_without_an_answer_is_an_error(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    write_files(tmp_path / "data/oracle/labels", {"a.txt": ROW, "b c.txt": ""})
    with pytest.raises(UserError, match=r"ü.txt: expected the labels that were held back for ü.png, found no file"):
        read_oracle(packet, tmp_path)


def test_a_sheet_of_train_has_its_present_labels_where_none_were_held_back(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    write_files(tmp_path / "data/oracle/labels", {"a.txt": ROW})
    write_files(tmp_path / "data/dataset/train/labels", {"a.txt": "", "b c.txt": ROW, "ü.txt": ""})
    assert [len(sheet.boxes) for sheet in read_oracle(packet, tmp_path).reviewed] == [1, 1, 0]
