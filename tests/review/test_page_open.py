"""The review page over restarts: what a kill leaves, what Ctrl+C and finishing do, and what is not opened at all."""

import hashlib
import http.client
import socket
import threading
import time

import pytest

from stages.base.errors import UserError
from stages.picking.packet import PACKET, read_packet
from stages.project.project_lock import STATE
from stages.review.kept.kept_review import (
    REVIEW,
    ReviewedSheet,
    head_of,
    read_review,
    sheet_file,
    write_head,
    write_sheet,
)
from stages.review.packet_export import export_review
from stages.review.page.desk import Desk
from stages.review.page.memory import recall
from stages.review.page.server import STATIC, serving
from stages.review.page_session import open_review, show_page
from stages.review.review_status import status_lines
from tests.fake_project import sh
from tests.review.page_asking import Browser, sent
from tests.review.page_project import build, kill, serve, until


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


def test_a_restart_has_the_same_url_and_the_sheet_that_was_open(root):
    packet = read_packet(root / PACKET)
    with serving(Desk(root, packet), recall(root, packet.packet_id), port=0) as server:
        first = server.url
        assert Browser(first).ask("PUT", "/api/at/3", {})[0] == 200
    file = root / STATE / "review_page.json"
    assert file.stat().st_mode & 0o777 == 0o600
    with serving(Desk(root, packet), recall(root, packet.packet_id), port=0) as server:
        assert server.url == first
        assert Browser(first).ask("GET", "/api/packet")[1]["at"] == 3
    with socket.create_server(("127.0.0.1", Browser(first).port)), pytest.raises(UserError, match="a free port"):
        serving(Desk(root, packet), recall(root, packet.packet_id), port=Browser(first).port).__enter__()
    assert recall(root, "another").token not in first


def test_a_kill_in_the_middle_of_saves_leaves_whole_files(root):
    """Whatever was answered with 200 is there after SIGKILL, and what was not is there as a whole or not at all."""
    confirmed, stop = {}, threading.Event()

    def write(order):
        boxes = [{"class_name": "door", "x1": 1.0, "y1": 1.0, "x2": 9.0, "y2": 9.0, "prelabel": None}] * 400
        try:
            body = sent(browser, order=order, boxes=boxes)
            while not stop.is_set():
                body["seconds"] += 1
                body["revision"] = browser.ask("PUT", f"/api/sheets/{order}", body)[1]["revision"]
                confirmed[order] = body["seconds"]
        except (OSError, http.client.HTTPException):
            return

    for _ in range(3):
        process, url = serve(root)
        browser = Browser(url)
        confirmed.clear()
        threads = [threading.Thread(target=write, args=(order,)) for order in (1, 2, 3)]
        for thread in threads:
            thread.start()
        until(lambda: len(confirmed) == 3)
        time.sleep(0.3)
        kill(process)
        stop.set()
        for thread in threads:
            thread.join()
        stop.clear()
        saved = {order: sheet.seconds for order, sheet in enumerate(read_review(root / REVIEW).sheets, 1)}
        assert all(saved[order] - confirmed[order] in (0, 1) for order in (1, 2, 3))


def test_ctrl_c_leaves_and_finishing_goes_on(root):
    process, url = serve(root)
    process.send_signal(2)
    assert process.wait(20) == 3
    process, again = serve(root)
    browser = Browser(again)
    assert again == url
    browser.ask("PUT", "/api/sheets/1", sent(browser, status="reviewed"))
    browser.ask("POST", "/api/finish", {"packet": sent(browser)["packet"], "partial": True})
    assert process.wait(20) == 0


def test_one_server_for_a_project(root):
    process, _ = serve(root)
    try:
        with pytest.raises(UserError, match=f"found one that process {process.pid} serves"):
            show_page(root, read_packet(root / PACKET), port=0, browser=False, say=print)
    finally:
        kill(process)


def refusal(root):
    with pytest.raises(UserError) as caught:
        show_page(root, read_packet(root / PACKET), port=0, browser=False, say=print)
    return str(caught.value)


def test_what_cannot_be_reviewed_is_refused(root):
    packet = read_packet(root / PACKET)
    write_head(head_of(packet, source="page"), root / REVIEW)
    write_sheet(read_of(packet), root / REVIEW, order=1)
    file = sheet_file(root / REVIEW, 1)
    kept = file.read_bytes()
    file.write_text("{")
    assert str(file) in refusal(root)
    file.write_bytes(kept)
    write_head(head_of(packet, source="page")._replace(packet_id="0" * 12), root / REVIEW)
    assert "one of packet 000000000000" in refusal(root)
    assert file.read_bytes() == kept


@pytest.mark.slow
def test_one_gate_for_all_that_a_review_begins_with(reviewing, tmp_path):
    """A packet of an iteration that is not finished may still change: the stages write it anew."""
    root = reviewing()
    sh(root, "git", "tag", "-d", "iteration-0")
    begin = [
        lambda: status_lines(root),
        lambda: export_review(root, to="coco", out=tmp_path / "out", url=None, project=None, say=print),
        lambda: open_review(root, port=0, browser=False, say=print),
    ]
    for one in begin:
        with pytest.raises(UserError, match="yoloop finish"):
            one()


def read_of(packet):
    sheet = packet.sheets[0]
    return ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed", None, ())


def test_the_vendored_files_are_those_that_were_taken():
    vendor = STATIC / "vendor"
    listed = (vendor / "vendor.txt").read_text(encoding="utf-8").split("sha256\n", 1)[1].splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in listed)}
    found = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    del found["vendor.txt"]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == sums
