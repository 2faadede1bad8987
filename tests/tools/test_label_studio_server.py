"""A real Label Studio: keys, projects, its browser page, and what its other exports are for us."""

from pathlib import Path

import numpy as np
import pytest

from stages.review.archives.archive import unpack
from stages.review.archives.format_detection import detect, top_of
from tests.browser import CHROMIUM, Tab, opened
from tests.review.label_studio_person import annotation_of
from tests.review.packets import (
    Box,
    PacketSpec,
    SheetSpec,
    as_a_person_would,
    build_packet,
    differences,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, reviewed_boxes
from tests.tools.label_studio import WHO, Person, fetch, refusal, send, size_of, submit_all

pytestmark = pytest.mark.tools

SHEETS = PacketSpec(
    ("door", "title block"),
    (SheetSpec("as it was.png", 400, 300, 3, False), SheetSpec("next.png", 400, 300, 2, True)),
    5,
)


def test_what_nobody_submitted_is_not_taken(person: Person, tmp_path: Path) -> None:
    """A draft, and annotations that were made of predictions in bulk, as the server writes them."""
    packet = build_packet(plain_spec()._replace(seed=78), tmp_path)
    project, _ = send(packet, person)
    tasks = person.tasks(project)
    bulk = {"selectedItems": {"all": True, "excluded": []}, "model_version": "iteration 2"}
    person.ask("POST", f"/api/dm/actions?id=predictions_to_annotations&project={project}", bulk)
    assert {sheet.status for sheet in fetch(person, str(project)).sheets} == {"unreviewed"}
    for name, boxes in truth(packet).boxes.items():
        done = person.submit(tasks[name], boxes, size_of(packet, name))
    assert {sheet.status for sheet in fetch(person, str(project)).sheets} == {"reviewed"}
    person.draft(tasks[name], done)
    said = refusal(fetch, person, str(project))
    assert f"projects/{project} task {tasks[name]['id']}: expected what was submitted, found changes since then" in said


def test_keys(person: Person, tmp_path: Path) -> None:
    packet = build_packet(plain_spec()._replace(seed=79), tmp_path)
    wrong = person.token[:-4] + "AAAA"
    for token in (wrong, "0" * 40, person.legacy_token):
        said = refusal(send, packet, person, token=token)
        assert said.startswith(f"LABEL_STUDIO_API_KEY at {person.url}: expected a token that the server knows, found ")
        assert token not in said
    assert "legacy token authentication has been disabled" in said
    person.ask("POST", "/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    try:
        project, _ = send(packet, person, token=person.legacy_token)
        assert len(fetch(person, str(project), person.legacy_token).sheets) == 3
    finally:
        person.ask("POST", "/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False})


def test_projects(person: Person, tmp_path: Path) -> None:
    first = build_packet(plain_spec()._replace(seed=80), tmp_path / "1")
    second = build_packet(plain_spec()._replace(seed=81), tmp_path / "2")
    project, said = send(first, person, "my sheets")
    assert said[-1] == f"yoloop review import --url {person.url} --project {project}"
    assert send(first, person, str(project))[0] == project
    said_of_other = refusal(send, second, person, "my sheets")
    assert f"found 3 other tasks (packet: {first.packet_id}). Leave out --project" in said_of_other
    assert f"expected the project '123456', found {project} 'my sheets'" in refusal(send, second, person, "123456")
    assert "expected the project 'nothing', found" in refusal(fetch, person, "nothing")
    (mine,) = (person.ask("POST", "/api/projects", {"title": "my sheets"})["id"],)
    assert f"expected one project 'my sheets', found several: {mine}, {project}." in refusal(fetch, person, "my sheets")
    assert send(second, person, str(mine))[0] == mine  # an empty project is set up
    config = '<View><Image name="i" value="$image"/><Choices name="c" toName="i"><Choice value="x"/></Choices></View>'
    other = person.ask("POST", "/api/projects", {"title": "choices", "label_config": config})["id"]
    assert "expected the labeling config of this packet, or none, found another one" in refusal(
        *(send, second, person, str(other))
    )
    assert person.ask("GET", f"/api/projects/{other}")["label_config"] == config


@pytest.mark.parametrize("kind", ["COCO", "YOLO", "VOC"])
def test_its_other_exports_are_read_too(person: Person, tmp_path: Path, kind: str) -> None:
    """They carry no status and other names for the pictures, which are found again."""
    packet = build_packet(plain_spec(boxes=4)._replace(seed=82 + len(kind)), tmp_path)
    project, _ = send(packet, person, f"as {kind}")
    work = as_a_person_would(packet, np.random.default_rng(7))
    submit_all(person, project, packet, work)
    archive = person.export(project, tmp_path / "export.zip", kind)
    unpack(archive, tmp_path / "export")
    place = top_of(tmp_path / "export")
    found = detect(place, None)
    assert found.name == kind.lower()
    if kind == "VOC":  # it leaves out sheets without boxes
        assert not work.boxes["b c.jpg"]
        words = "expected all 3 sheets of the packet, found 1 missing: b c.jpg. Export sheets without boxes as well"
        assert words in refusal(reconciled, packet, found.read(place))
        back = reconciled(packet, found.read(place), partial=True)
        assert differences(reviewed_boxes(back), {n: b for n, b in work.boxes.items() if b}, within=1.0) == []
    else:
        assert_comes_back(packet, found.read(place), work, within=1.0)


# On 400 x 200 px, 80 x 40 px at (200, 60), turned by 30 degrees about that corner: x from 200 - 40 / 2 to
# 200 + 80 * 0.8660, y to 60 + 80 / 2 + 40 * 0.8660. In per cent, which are no squares there: 20 x 20 at (50, 30).
AROUND, BEFORE = (180.0, 60.0, 269.282, 134.641), (200.0, 60.0, 280.0, 100.0)
IN_PER_CENT = (160.0, 60.0, 269.282, 114.641)
TURNED = {"JSON": AROUND, "JSON_MIN": AROUND, "YOLO_OBB": AROUND, "YOLO": BEFORE, "VOC": BEFORE, "COCO": IN_PER_CENT}


def test_which_of_its_exports_keep_that_a_box_was_turned(person: Person, tmp_path: Path) -> None:
    """As the table of docs/review.md says: in the last three nothing shows it."""
    packet = build_packet(PacketSpec(("door",), (SheetSpec("wide.png", 400, 200, 1, False),), 6), tmp_path)
    project, _ = send(packet, person, "turned")
    task = person.tasks(project)["wide.png"]
    done = annotation_of(task, [Box("door", BEFORE, None, "added")], (400, 200))
    done["result"][0]["value"]["rotation"] = 30
    person.ask("POST", f"/api/tasks/{task['id']}/annotations/", done)
    for kind, corners in TURNED.items():
        export = person.export(project, tmp_path / f"{kind}{'.json' if 'JSON' in kind else '.zip'}", kind)
        place = export
        if export.suffix == ".zip":
            unpack(export, tmp_path / kind)
            place = top_of(tmp_path / kind)
        (box,) = reviewed_boxes(reconciled(packet, detect(place, None).read(place)))["wide.png"]
        assert box.xyxy == pytest.approx(corners, abs=0.01), kind


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_its_browser_page_opens_a_sheet_with_its_prelabels(person: Person, tmp_path: Path) -> None:
    packet = build_packet(SHEETS, tmp_path)
    project, _ = send(packet, person, "in the browser")
    before = truth(packet).boxes["as it was.png"]
    with opened(f"{person.url}/user/login/", width=1500, height=950) as tab:
        sign_in(tab)
        tab.open(f"{person.url}/projects/{project}/data")
        press(tab, "Label All Tasks")
        tab.until("document.body.innerText.includes('The boxes are the model')")
        press(tab, "Submit")
        tab.until("!document.body.innerText.includes('Why,')")  # the next sheet has no such words
    (done, *rest) = fetch(person, str(project)).sheets
    assert (done.name, done.status) == ("as it was.png", "reviewed")
    assert done.seconds is not None
    assert 0 < done.seconds < 600
    assert [(box.prelabel, box.class_name) for box in done.boxes] == [(box.prelabel, box.class_name) for box in before]
    assert {sheet.status for sheet in rest} == {"unreviewed"}


def sign_in(tab: Tab) -> None:
    tab.until("document.querySelector('input[name=password]') !== null")
    for name, value in WHO.items():
        tab.evaluate(f"document.querySelector('input[name={name}]').value = '{value}'")
    tab.evaluate("document.querySelector('form').submit()")
    tab.until("!location.pathname.includes('login')")


def press(tab: Tab, words: str) -> None:
    button = f"[...document.querySelectorAll('button')].find(one => one.textContent.trim() === '{words}')"
    tab.until(f"Boolean({button}) && !{button}.disabled")
    tab.evaluate(f"{button}.click()")
