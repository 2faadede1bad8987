"""The review page in a real browser, with a real mouse and real keys, on sheets of 2560 px."""

import json
import time

import pytest

from stages.project.project_lock import STATE
from stages.review.kept.kept_review import REVIEW, read_review, sheet_file
from stages.review.kept.review_lock import reviewing
from tests.browser import CHROMIUM, opened
from tests.review.page_hand import Hand
from tests.review.page_project import build, kill, serve, until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

REFUSED = "net::ERR_CONNECTION_REFUSED"  # what the console says while the server is away, and nothing else


@pytest.fixture
def project(tmp_path):
    """A packet under review; stops whatever serves it at the end."""
    build(tmp_path)
    running = []

    def start():
        process, url = serve(tmp_path)
        running.append(process)
        return process, url

    yield tmp_path, start
    for process in running:
        kill(process)


def boxes(root, order=1):
    sheet = read_review(root / REVIEW).sheets[order - 1]
    return [(box.class_name, *(round(side) for side in box[1:5]), box.prelabel) for box in sheet.boxes]


def only_ours(tab, url):
    """No request went elsewhere, and nothing was complained about."""
    host = url.split("?")[0]
    assert [one for one in tab.requests(besides=url) if not one.startswith(host)] == []
    assert [one for one in tab.errors() if REFUSED not in one] == []


def near(box, *expected):
    """A hand places a box to a px of the screen, which is some px of the sheet."""
    return (box[0], box[5]) == (expected[0], expected[5]) and all(
        abs(one - other) <= 3 for one, other in zip(box[1:5], expected[1:5], strict=True)
    )


def test_what_a_person_does_is_there_after_a_kill(project):
    root, start = project
    server, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.drag((1700, 300), (1800, 420))  # a box of the first class
        hand.press("3")
        hand.click(1300, 950)
        hand.press("Delete")
        hand.click(460, 360)
        hand.drag((460, 360), (560, 460))
        hand.drag((620, 520), (700, 600))  # the corner of the box that was moved
        hand.saved()
        kept, moved, drawn = boxes(root)[0], boxes(root)[-2], boxes(root)[-1]
        assert near(kept, "door", 500, 400, 700, 600, "1-1")
        assert moved == ("Tür ü", 2000, 1500, 2100, 1700, "1-3")
        assert near(drawn, "Tür ü", 1700, 300, 1800, 420, None)
        hand.press("Control+z")
        hand.saved()
        assert near(boxes(root)[0], "door", 500, 400, 620, 520, "1-1")
        hand.press("Control+Shift+z")
        hand.saved()
        assert boxes(root)[0] == kept
        kill(server)

        hand.press("ArrowRight", "ArrowRight")  # nobody is there to take it
        tab.until("document.getElementById('saved').className === 'waiting'")
        assert boxes(root)[0] == kept
        server, again = start()
        assert again == url
        hand.saved()
        assert boxes(root)[0] == (kept[0], kept[1] + 2, kept[2], kept[3] + 2, *kept[4:])

        hand.press("d")
        hand.ready("b.png")
        hand.saved()
        tab.until("document.getElementById('count').textContent === '1 of 3 done'")
        kill(server)
        only_ours(tab, url)

    _, url = start()
    with opened(url, dark=True) as tab:
        hand = Hand(tab, "b.png")  # where it was left
        assert [mark[0] for mark in hand.marks()] == ["k0 proposed", "k2 proposed"]
        hand.press("k")
        hand.ready("a.png")
        assert [round(side) for side in hand.marks()[0][1:]] == [
            kept[1] + 2,
            kept[2],
            kept[3] - kept[1],
            kept[4] - kept[2],
        ]
        assert [mark[0] for mark in hand.marks()] == ["k0", "k2", "k2"]  # done: nothing is a proposal any more
        only_ours(tab, url)
    review = read_review(root / REVIEW)
    assert (review.sheets[0].image_id, review.sheets[0].status) == ("a.png", "reviewed")


def test_a_sheet_can_be_reviewed_by_keys_alone(project):
    root, start = project
    _, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("f")
        assert tab.evaluate("document.querySelector('#focus [aria-current] span').textContent").startswith(
            "The model missed <this>"
        )
        assert float(hand.text("fit").split()[0]) > 80  # zoomed in
        hand.press("0", "a", "a")  # the first proposal is right
        assert hand.text("boxes") == "3 boxes, 2 not looked at"
        hand.press("1", "Shift+ArrowRight", "ArrowDown", "Alt+ArrowRight", "Alt+Shift+ArrowDown")
        hand.saved()
        assert boxes(root)[1] == ("door", 1210, 901, 1411, 1011, "1-2")
        hand.press("Control+z", "Control+z", "Control+z", "Control+z", "Control+z")
        hand.saved()
        assert boxes(root)[1] == ("big window", 1200, 900, 1400, 1000, "1-2")
        hand.press("Tab", "Delete", "Enter")
        hand.ready("b.png")
        hand.press("Enter")
        hand.ready("c.png")
        hand.press("Enter")  # the last one: is that all?
        hand.saved()
        tab.until("document.getElementById('ending').open")
        assert hand.text("ending-text").startswith("3 of 3 sheets are done")
        only_ours(tab, url)
    review = read_review(root / REVIEW)
    assert [(sheet.status, len(sheet.boxes)) for sheet in review.sheets] == [
        ("reviewed", 2),
        ("reviewed", 2),
        ("reviewed", 0),
    ]


def test_the_review_ends_with_sheets_that_stay_in_the_pool(project):
    root, start = project
    server, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("d")
        hand.ready("b.png")
        hand.push("finish")
        assert "2 are not: may they stay in the pool?" in hand.text("ending-text")
        assert hand.text("ending-finish") == "Finish, leave 2 in the pool"
        hand.push("ending-finish")
        tab.until("document.body.textContent.startsWith('The review is finished')")
        assert server.wait(20) == 0
    assert read_review(root / REVIEW).partial


def test_work_of_another_window_is_never_overwritten(project):
    root, start = project
    _, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("Tab", "Delete")
        hand.saved()
        other = "fetch('/api/sheets/1').then(r => r.json()).then(now => fetch('/api/sheets/1', {method: 'PUT', "
        other += "headers: {'Content-Type': 'application/json'}, body: JSON.stringify({packet: PACKET, revision: "
        other += "now.revision, status: 'reviewed', seconds: 9, boxes: []})})).then(r => r.status)"
        packet = json.dumps(read_review(root / REVIEW).packet_id)
        assert tab.evaluate(other.replace("PACKET", packet)) == 200
        hand.press("Tab", "Delete")
        tab.until("document.getElementById('note').textContent.includes('changed in another window')")
        tab.until("document.querySelector('.boxes')?.childElementCount === 0")
        hand.press("j")
        hand.ready("b.png")
        conflict = [one for one in tab.errors() if "409 (Conflict)" not in one]
        assert conflict == []
    assert boxes(root) == []


def test_what_an_earlier_page_could_not_save_is_saved_by_the_next(project):
    """The page was closed while the server was away: the browser has kept the change."""
    root, start = project
    _, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("Tab", "Delete")
        hand.saved()
        two_boxes = tab.evaluate("fetch('/api/sheets/1').then(r => r.json())")
        kept = {"revision": two_boxes["revision"], "sheet": sheet(two_boxes["boxes"][:1]), "sent": []}
        leave_behind(tab, root, kept)
        tab.open(url)
        hand.ready("a.png")
        hand.saved()
        assert [box[5] for box in boxes(root)] == ["1-2"]
        # The answer to a save was lost in the kill, and one more change came after it: it was made from ours.
        kept = {"revision": two_boxes["revision"], "sheet": sheet([]), "sent": [sheet(two_boxes["boxes"][:1])]}
        leave_behind(tab, root, kept)
        tab.open(url)
        hand.ready("a.png")
        hand.saved()
        assert boxes(root) == []
        # This one was made from what somebody else has changed since.
        leave_behind(tab, root, {"revision": two_boxes["revision"], "sheet": sheet(two_boxes["boxes"]), "sent": []})
        tab.open(url)
        tab.until("document.getElementById('note').textContent.includes('changed in another window')")
        hand.ready("a.png")
        assert boxes(root) == []
        assert tab.evaluate("Object.keys(localStorage).filter(key => key.startsWith('yoloop:')).length") == 0


def told(tab, text):
    tab.until(f"document.getElementById('saved').textContent === {json.dumps(text)}")


def test_a_sheet_that_is_refused_is_told_and_the_person_goes_on(project):
    """The server will not take what the browser kept: a box of a class that this packet does not have."""
    root, start = project
    server, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("Tab", "Delete")
        hand.saved()
        now = tab.evaluate("fetch('/api/sheets/1').then(r => r.json())")
        stranger = {"class_name": "window", "x1": 10, "y1": 10, "x2": 90, "y2": 90, "prelabel": None}
        kept = {"revision": now["revision"], "sheet": sheet([*now["boxes"], stranger]), "sent": []}
        line = "Sheet 1 is not saved: There is no class 'window'."
        leave_behind(tab, root, kept)
        tab.open(url)
        hand.ready("a.png")
        told(tab, line)
        hand.press("j")
        hand.ready("b.png")
        hand.press("Tab", "Delete", "d")  # other sheets are saved all the same
        hand.ready("c.png")
        until(lambda: [one.status for one in read_review(root / REVIEW).sheets] == ["unreviewed", "reviewed"])
        told(tab, line)
        hand.push("finish")
        hand.push("ending-finish")
        tab.until("document.getElementById('note').textContent.includes('not finished')")
        assert hand.text("note") == f"The review is not finished. {line}"
        hand.push("again")
        told(tab, line)
        hand.push("drop")
        hand.saved()
        for name in ("b.png", "a.png"):
            hand.press("k")
            hand.ready(name)
        assert len(hand.marks()) == len(boxes(root)) == 2
        hand.saved()  # a page with something unsaved asks before it goes

        leave_behind(tab, root, kept)
        tab.open(url)
        hand.ready("a.png")
        told(tab, line)
        hand.click(50, 50)
        hand.press("Delete")  # the person mends it
        hand.saved()
        assert [box[5] for box in boxes(root)] == [box["prelabel"] for box in now["boxes"]]
        hand.push("finish")
        hand.push("ending-finish")
        tab.until("document.body.textContent.startsWith('The review is finished')")
        assert [one for one in tab.errors() if "422" not in one] == []
    assert server.wait(20) == 0


def test_a_sheet_that_fails_holds_up_no_other(project):
    root, start = project
    _, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("Tab", "Delete")
        hand.saved()
        file = sheet_file(root / REVIEW, 1)
        whole = file.read_bytes()
        file.write_text("{")
        hand.press("Tab", "Delete")
        tab.until("document.getElementById('saved').textContent.startsWith('Not saved, trying again: data/review')")
        hand.press("j")
        hand.ready("b.png")
        hand.press("Tab", "Delete")
        until(lambda: sheet_file(root / REVIEW, 2).is_file())
        assert hand.text("saved").startswith("Not saved, trying again: data/review/sheets/001.json")
        hand.push("finish")
        file.write_bytes(whole)
        hand.saved()
        assert len(boxes(root)) == 1


def test_a_change_waits_while_a_command_is_at_work_on_the_review(project):
    root, start = project
    _, url = start()
    with opened(url) as tab:
        hand = Hand(tab)
        with reviewing(root):
            hand.press("Tab", "Delete")
            busy = "Not saved, trying again: data/review: expected no other yoloop command at work on it"
            tab.until(f"document.getElementById('saved').textContent.startsWith({busy!r})")
            assert not (root / REVIEW).exists()
        hand.saved()
        assert len(boxes(root)) == 2


def sheet(boxes):
    return {"status": "unreviewed", "seconds": 1, "boxes": boxes}


def leave_behind(tab, root, entry):
    key = f"yoloop:{read_review(root / REVIEW).packet_id}:1"
    tab.evaluate(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(entry))})")


def test_the_key_stands_in_no_command_line(tmp_path):
    """The browser is told of a file that only this user can read, and that leads to the page."""
    build(tmp_path)
    browser, told = tmp_path / "browser", tmp_path / "told"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}.part && mv {told}.part {told}\n')
    browser.chmod(0o755)
    server, url = serve(tmp_path, browser=browser)
    try:
        until(told.exists)
        (entry,) = told.read_text().splitlines()
        assert url.partition("=")[2] not in entry
        file = tmp_path / STATE / "review_page.html"
        assert (entry, file.stat().st_mode & 0o777) == (file.as_uri(), 0o600)
        with opened(entry) as tab:
            hand = Hand(tab)
            hand.press("Tab", "Delete")
            hand.saved()
            assert len(boxes(tmp_path)) == 2
            tab.reload()  # the cookie is ours from now on
            hand.ready("a.png")
            assert tab.evaluate("location.href") == url.partition("?")[0]
            assert tab.errors() == []
        server.send_signal(2)
        assert server.wait(20) == 3
        assert not file.exists()
    finally:
        kill(server)


def test_three_hundred_boxes_are_no_burden(tmp_path):
    build(tmp_path, boxes=300)
    server, url = serve(tmp_path)
    try:
        with opened(url, width=1920) as tab:
            hand = Hand(tab)
            assert len(hand.marks()) == 303
            begin = time.monotonic()
            hand.drag((2450, 1800), (2550, 1900))
            hand.press(*["Tab"] * 10)
            for _ in range(5):
                tab.wheel(hand.place(900, 900), -200)
            hand.saved()
            assert time.monotonic() - begin < 10  # it takes one on an idle core
            assert len(boxes(tmp_path)) == 304
            only_ours(tab, url)
    finally:
        kill(server)
