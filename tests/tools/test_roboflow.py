"""Roboflow's own package: it parses our folder, uploads a packet, and downloads what was made of it, to a stand-in."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.picking.packet import Packet
from stages.review.archives.archive import unpack
from stages.review.formats import roboflow
from stages.review.formats.roboflow import plain_name
from stages.review.servers import roboflow_api
from tests.review.formats.test_roboflow import plain
from tests.review.packets import (
    PacketSpec,
    SheetSpec,
    as_a_person_would,
    build_packet,
    differences,
    in_pixels,
    plain_spec,
)
from tests.tools.environments import python_of, run_in
from tests.tools.roboflow_server import KEY, PROJECT, WORKSPACE, StandIn

pytestmark = pytest.mark.tools

WHERE = f"{WORKSPACE}/{PROJECT}"
SPEC = PacketSpec(
    ("door", "title block", "Fenster ü"),
    (
        SheetSpec("Möbel & Türen #1.png", 100, 70, 5, False),
        SheetSpec("valid.jpg", 80, 90, 0, False),  # a name that the package takes for a split
        SheetSpec("100% x+y=z.png", 64, 64, 300, False),
        SheetSpec("図面 1.png", 90, 60, 2, True),
    ),
    5,
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn(tmp_path) as one:
        monkeypatch.setenv("ROBOFLOW_API_URL", one.url)
        monkeypatch.setenv("API_URL", "http://127.0.0.1:1")  # of something else: it must not get the key
        monkeypatch.setenv("ROBOFLOW_CONFIG_DIR", str(tmp_path / "no config"))
        yield one


@pytest.fixture
def packet(tmp_path: Path) -> Packet:
    return build_packet(SPEC, tmp_path)


def send(packet: Packet, *, key: str = KEY, project: str = WHERE) -> list[str]:
    """Return what was said."""
    said: list[str] = []
    python = python_of("roboflow")
    roboflow_api.export_to(packet, project=project, key=key, say=said.append, python=python)
    return said


def fetch(folder: Path, version: int | None = None, *, said: list[str] | None = None) -> Path:
    python = python_of("roboflow")
    say = (said if said is not None else []).append
    return roboflow_api.fetch_from(project=WHERE, version=version, key=KEY, folder=folder, say=say, python=python)


def line(caught: pytest.ExceptionInfo[UserError]) -> str:
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_its_parser_finds_every_sheet_with_its_labels(tmp_path: Path) -> None:
    packet = build_packet(PacketSpec(SPEC.classes, SPEC.sheets[::2], 1), tmp_path)
    (tmp_path / "out").mkdir()
    roboflow.write(packet, tmp_path / "out")
    images = json.loads(run_in("roboflow", Path(__file__).with_name("parse_roboflow.py"), tmp_path / "out"))
    assert {image["name"] for image in images} == {sheet.image_id for sheet in packet.sheets}
    assert {image["split"] for image in images} == {"train"}
    for image in images:
        assert image["annotationfile"]["name"] == f"{Path(image['name']).stem}.txt"
        assert image["annotationfile"]["labelmap"] == {str(n): name for n, name in enumerate(packet.classes)}


def test_a_packet_goes_up_and_comes_back(packet: Packet, server: StandIn, tmp_path: Path) -> None:
    said = send(packet)
    batch = f"yoloop iteration 2 packet {packet.packet_id}"
    assert [(one["name"], one["split"], one["batch"], one["place"]) for one in server.images.values()] == [
        (sheet.image_id, "train", batch, (str(sheet.order), "4")) for sheet in packet.sheets
    ]
    assert [one["data"] for one in server.images.values()] == [packet.image(one).read_bytes() for one in packet.sheets]
    sent = {server.images[image_id]["name"]: boxes for image_id, boxes in server.boxes.items()}
    assert set(sent) == {sheet.image_id for sheet in packet.sheets} - {"valid.jpg"}
    for name, boxes in sent.items():
        assert boxes["annotationFile"] == (packet.folder / f"labels/{Path(name).stem}.txt").read_text(encoding="utf-8")
        assert boxes["labelmap"] == {str(n): class_name for n, class_name in enumerate(packet.classes)}
        assert boxes["prediction"] == ["true"]  # so that nothing is in the dataset before a person approved it
    assert said[0] == "1 of 4: Möbel & Türen #1.png: uploaded, with its boxes"
    assert said[1] == "2 of 4: valid.jpg: uploaded"

    work = as_a_person_would(packet, np.random.default_rng(0))
    server.work, server.classes = work.boxes, packet.classes
    server.add_version(1, augmentation={"flip": {}})
    server.add_version(2)
    lines: list[str] = []
    archive = fetch(tmp_path / "in", said=lines)
    assert (archive.name, lines) == ("ws-plans-2.zip", ["Version 2 of ws/plans: 4 sheets"])
    assert [file.name for file in (tmp_path / "in").iterdir()] == ["ws-plans-2.zip"]
    unpack(archive, tmp_path / "version")
    assert roboflow.is_one(tmp_path / "version")
    read = roboflow.read(tmp_path / "version")
    assert set(read.classes) == {plain_name(name) for name in packet.classes}
    assert differences(in_pixels(read, packet), plain(work.boxes), within=0.01) == []


def test_a_second_run_changes_nothing(packet: Packet, server: StandIn) -> None:
    send(packet)
    boxes = dict(server.boxes)
    said = send(packet)
    assert (len(server.images), server.boxes) == (4, boxes)
    assert server.refused == 4  # the pictures; boxes were not even sent
    assert {one.rsplit(": ", 1)[1] for one in said} == {"was there already"}


def test_what_was_interrupted_goes_on(packet: Packet, server: StandIn) -> None:
    server.uploads_left = 2
    with pytest.raises(UserError) as caught:
        send(packet)
    assert line(caught) == (
        "Roboflow ws/plans: expected that Roboflow does it, found Too many requests. Look at the project's name, at "
        "the key, and at the network; what was uploaded stays, so run it again."
    )
    assert len(server.images) == 2
    first = next(iter(server.boxes))
    del server.boxes[first]  # as if it had been interrupted between a picture and its boxes
    server.uploads_left = None
    said = send(packet)
    assert said[:3] == [
        "1 of 4: Möbel & Türen #1.png: was there already, with its boxes",
        "2 of 4: valid.jpg: was there already",
        "3 of 4: 100% x+y=z.png: uploaded, with its boxes",
    ]
    assert (len(server.images), len(server.boxes)) == (4, 3)


def test_the_key_stands_nowhere(packet: Packet, server: StandIn) -> None:
    with pytest.raises(UserError) as caught:
        send(packet, key="anotherKey2")
    assert "anotherKey2" not in line(caught)
    assert "found This API key does not exist (or has been revoked). Look" in line(caught)
    assert "roboflow_worker.py" in server.command_lines  # it was running then
    assert "anotherKey2" not in server.command_lines


def test_a_server_that_is_not_there(packet: Packet, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's message holds the address, and the address holds the key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ROBOFLOW_API_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(UserError) as caught:
        send(packet)
    assert "Max retries exceeded" in line(caught)
    assert "api_key=***" in line(caught)


def test_another_project(packet: Packet, server: StandIn) -> None:
    with pytest.raises(UserError) as caught:
        send(packet, project="ws/other")
    assert line(caught).startswith("Roboflow ws/other: expected that Roboflow does it, found nothing at /ws/other.")


@pytest.mark.parametrize(
    ("versions", "wanted", "words"),
    [
        ({}, None, "expected a version, found none in the project. Give one that is there, or make one: Versions"),
        ({1: {}, 3: {}}, 2, "expected version 2, found 1, 3 in the project. Give one that is there"),
        (
            {1: {"augmentation": {"flip": {}, "blur": {}}}},
            1,
            "expected sheets as they were sent, found version 1 with augmentation: flip, blur. Versions > Create",
        ),
        (
            {1: {"images": 0}},
            1,
            "expected a version with sheets, found none in version 1. Add the sheets to the Dataset",
        ),
    ],
)
def test_versions_that_cannot_be_fetched(versions, wanted, words, server: StandIn, tmp_path: Path) -> None:
    server.work = {"a.png": []}
    for number, how in versions.items():
        server.add_version(number, **how)
    with pytest.raises(UserError) as caught:
        fetch(tmp_path / "in", wanted)
    assert words in line(caught)
    assert list((tmp_path / "in").iterdir()) == []


def test_a_resized_version_is_named(server: StandIn, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    send(packet)
    server.work, server.classes = as_a_person_would(packet, np.random.default_rng(1)).boxes, packet.classes
    server.add_version(1, preprocessing={"auto-orient": True, "resize": {"width": 640, "height": 640}})
    said: list[str] = []
    fetch(tmp_path / "in", 1, said=said)
    assert said == ["Version 1 of ws/plans: 3 sheets; its pictures went through auto-orient, resize"]
