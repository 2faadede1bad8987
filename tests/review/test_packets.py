"""What the other tests build on: packets as the product writes them, and a comparison that sees every difference."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings

from tests.review.packets import (
    Box,
    PacketSpec,
    as_a_person_would,
    build_packet,
    differences,
    packet_specs,
    plain_spec,
    truth,
)


@settings(max_examples=10, deadline=None)
@given(spec=packet_specs())
def test_a_packet_holds_what_was_asked_for(spec: PacketSpec, tmp_path_factory) -> None:
    packet = build_packet(spec, tmp_path_factory.mktemp("p"))
    assert packet.classes == spec.classes
    assert [(sheet.image_id, sheet.width, sheet.height) for sheet in packet.sheets] == [one[:3] for one in spec.sheets]
    assert [len(boxes) for boxes in truth(packet).boxes.values()] == [one.boxes for one in spec.sheets]
    assert [sheet.labels_from for sheet in packet.sheets] == [
        "claims" if one.claims else "model" for one in spec.sheets
    ]


def test_a_person_does_all_that_a_person_does(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(boxes=40), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    assert {box.done for boxes in work.boxes.values() for box in boxes} == {
        *("confirmed", "moved", "reclassified", "added")
    }
    assert work.deleted
    assert differences(work.boxes, work.boxes) == []


def test_differences_are_seen() -> None:
    wanted = {"a.png": [Box("door", (0, 0, 9, 9), None), Box("door", (1, 1, 9, 9), None)], "b.png": []}
    assert differences(wanted, wanted) == []
    assert differences({"a.png": wanted["a.png"][::-1], "b.png": []}, wanted) == []  # order means nothing
    assert differences({"a.png": wanted["a.png"]}, wanted) == ["b.png: missing"]
    assert differences({**wanted, "c.png": []}, wanted) == ["c.png: not asked for"]
    assert differences({**wanted, "a.png": wanted["a.png"][:1] * 2}, wanted) == [
        "a.png, door: (0, 0, 9, 9) for (1, 1, 9, 9)"
    ]
    assert differences({**wanted, "a.png": wanted["a.png"][:1]}, wanted) == ["a.png, door: 1 boxes, not 2"]
    other = [wanted["a.png"][0]._replace(class_name="stair"), wanted["a.png"][1]]
    assert len(differences({**wanted, "a.png": other}, wanted)) == 2
