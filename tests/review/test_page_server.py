"""The server of the review page: who may ask, what it takes, and what a kill leaves behind."""

import hashlib
import http.client
import json
import shutil
import socket
import threading
import time

import cv2
import numpy as np
import pytest

from stages.commands.review_open import open_review
from stages.core.errors import UserError
from stages.files.lock import STATE
from stages.files.packet import PACKET, read_packet
from stages.files.reviewed import REVIEW, head_of, read_review, sheet_file, write_head, write_sheet
from stages.review.page.desk import Desk
from stages.review.page.memory import recall
from stages.review.page.pictures import picture
from stages.review.page.server import STATIC, serving
from tests.review.page_project import CLASSES, HEIGHT, WIDTH, build, kill, serve, until

NAN = '{"packet": "x", "revision": "", "status": "reviewed", "seconds": NaN, "boxes": []}'


class Browser:
    """Asks a server as the page does."""

    def __init__(self, url):
        self.host, query = url.removeprefix("http://").split("/")
        self.token = query.partition("=")[2]
        self.port = int(self.host.partition(":")[2])

    def headers(self, **changed):
        cookie = f"yoloop-{self.port}={self.token}"
        origin = f"http://{self.host}"
        known = {"Host": self.host, "Cookie": cookie, "Origin": origin, "Content-Type": "application/json"}
        changed = {key.replace("_", "-"): value for key, value in changed.items()}
        return {key: value for key, value in {**known, **changed}.items() if value is not None}

    def ask(self, method, path, body=None, **changed):
        connection = http.client.HTTPConnection(self.host, timeout=10)
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        connection.request(method, path, text, self.headers(**changed))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        is_json = answer.headers.get("Content-Type") == "application/json"
        return answer.status, json.loads(data) if is_json else data, answer.headers


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("built")
    build(root)
    return root


@pytest.fixture
def root(built, tmp_path):
    shutil.copytree(built, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def server(root):
    packet = read_packet(root / PACKET)
    with serving(Desk(root, packet), recall(root, packet.packet_id), port=0) as running:
        yield running


@pytest.fixture
def browser(server):
    return Browser(server.url)


def sent(browser, order=1, **changed):
    """Return a sheet as it is now, to send back with changes."""
    _, now, _ = browser.ask("GET", f"/api/sheets/{order}")
    _, packet, _ = browser.ask("GET", "/api/packet")
    kept = {key: now[key] for key in ("revision", "status", "boxes")}
    return {"packet": packet["packet"], "seconds": 1.5, **kept, **changed}


def test_the_url_lets_in_and_its_cookie_afterwards(server, browser):
    status, page, headers = browser.ask("GET", f"/?token={browser.token}", Cookie=None, Origin=None)
    assert (status, b"app.js" in page) == (200, True)
    cookie = headers["Set-Cookie"]
    assert cookie == f"yoloop-{browser.port}={browser.token}; Path=/; HttpOnly; SameSite=Strict"
    assert browser.ask("GET", "/", Origin=None)[0] == 200
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/", {"Cookie": None}),
        ("/?token=wrong", {"Cookie": None}),
        ("/app.js", {"Cookie": None}),
        ("/api/packet", {"Cookie": None}),
        ("/api/packet", {"Cookie": "yoloop-1=x"}),
        ("/api/sheets/1/image", {"Cookie": None}),
        ("/api/packet?token={token}", {"Cookie": None}),
        ("/api/packet", {"Host": "evil.example"}),
        ("/?token={token}", {"Host": "evil.example:{port}"}),
        ("/api/packet", {"Host": "127.0.0.1"}),
        ("/api/packet", {"Origin": "http://evil.example"}),
        ("/api/packet", {"Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_nobody_else_is_let_in(browser, path, changed):
    known = {"token": browser.token, "port": browser.port}
    changed = {key: value and value.format(**known) for key, value in changed.items()}
    status, said, _ = browser.ask("GET", path.format(**known), **changed)
    assert status == 403
    assert list(said) == ["error"]


@pytest.mark.parametrize("origin", [None, "null", "http://127.0.0.1:1", "https://{host}"])
def test_a_write_says_that_it_comes_from_the_page(browser, root, origin):
    body = sent(browser)
    given = origin and origin.format(host=browser.host)
    assert browser.ask("PUT", "/api/sheets/1", body, Origin=given)[0] == 403
    assert browser.ask("POST", "/api/finish", {"packet": "x", "partial": True}, Origin=given)[0] == 403
    assert not (root / REVIEW).exists()


@pytest.mark.parametrize("path", ["/?token={token}", "/app.js", "/api/packet", "/api/sheets/1/image", "/none"])
def test_every_answer_forbids_all_but_the_page_itself(browser, path):
    _, _, headers = browser.ask("GET", path.format(token=browser.token))
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {key for key, value in policy.items() if value == "'self'"} == {
        "script-src",
        "style-src",
        "img-src",
        "connect-src",
    }
    assert set(policy.values()) == {"'none'", "'self'"}
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/%2e%2e/server.py",
        "/vendor/../../desk.py",
        "//etc/passwd",
        "/vendor",
        "/vendor/vendor.txt",
        "/api/sheets/../packet",
        "/api/sheets/0",
        "/api/sheets/4",
        "/api/sheets/-1",
        "/api/sheets/%31",
        "/api/sheets/1/image/../../../params.yaml",
        "/api/sheets/99999999999999999999",
    ],
)
def test_only_what_the_page_needs_is_served(browser, path):
    assert browser.ask("GET", path)[0] == 404


def test_what_the_page_is_made_of_is_served(browser):
    for file in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.svg")]:
        status, data, headers = browser.ask("GET", f"/{file.relative_to(STATIC).as_posix()}")
        assert (status, data, headers["Cache-Control"]) == (200, file.read_bytes(), "no-store")


def test_a_sheet_starts_from_its_proposals_and_says_what_to_look_at(browser, root):
    _, packet, _ = browser.ask("GET", "/api/packet")
    assert [sheet["status"] for sheet in packet["sheets"]] == ["untouched"] * 3
    assert (packet["classes"], packet["at"]) == (list(CLASSES), 1)
    _, sheet, _ = browser.ask("GET", "/api/sheets/1")
    assert [box["prelabel"] for box in sheet["boxes"]] == ["1-1", "1-2", "1-3"]
    assert [one["confidence"] for one in sheet["prelabels"]] == pytest.approx([0.9, 0.8, 0.7])
    assert sheet["focus"][0]["reason"] == "The model missed <this> door & more."
    _, claims, _ = browser.ask("GET", "/api/sheets/2")
    assert [one["confidence"] for one in claims["prelabels"]] == [None, None]
    assert "arm" not in json.dumps([packet, sheet, claims])
    _, image, headers = browser.ask("GET", f"/{sheet['image']}")
    assert (image, headers["Content-Type"]) == ((root / PACKET / "images/a.png").read_bytes(), "image/png")
    assert not (root / REVIEW).exists()  # looking is no review


def test_a_picture_that_no_browser_knows_is_shown_as_png(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.tif"), pixels)
    data, kind = picture(tmp_path / "a.tif")
    assert kind == "image/png"
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) == pixels).all()


def test_a_saved_sheet_is_what_read_review_reads(browser, root):
    new = {"class_name": "Tür ü", "x1": -5.0, "y1": 10.25, "x2": 30, "y2": 5000.0, "prelabel": None}
    body = sent(browser, status="reviewed")
    status, said, _ = browser.ask("PUT", "/api/sheets/1", {**body, "boxes": [*body["boxes"][1:], new]})
    assert status == 200
    review = read_review(root / REVIEW)
    assert (review.source, review.packet_id, review.partial) == ("page", body["packet"], False)
    (sheet,) = review.sheets
    assert (sheet.image_id, sheet.status, sheet.seconds) == ("a.png", "reviewed", 1.5)
    assert [box.prelabel for box in sheet.boxes] == ["1-2", "1-3", None]
    assert sheet.boxes[2][1:5] == (0.0, 10.25, 30.0, float(HEIGHT))  # what is beside the sheet is cut off
    _, again, _ = browser.ask("GET", "/api/sheets/1")
    assert (again["revision"], again["status"], len(again["boxes"])) == (said["revision"], "reviewed", 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"class_name": "window"},
        {"class_name": 1},
        {"x1": "12"},
        {"x1": None},
        {"x1": 1e999},
        {"x2": 400.0},  # no width
        {"y1": 425.0},  # the wrong way round
        {"x1": WIDTH + 1.0, "x2": WIDTH + 9.0},  # beside the sheet
        {"prelabel": "2-1"},  # of another sheet
        {"prelabel": "1-2"},  # twice
        {"note": "x"},
    ],
)
def test_a_box_that_cannot_be_is_refused(browser, root, wrong):
    body = sent(browser)
    body["boxes"] = [{**body["boxes"][0], **wrong}, *body["boxes"][1:]]
    text = json.dumps(body).replace("Infinity", "1e999")
    status, said, _ = browser.ask("PUT", "/api/sheets/1", text)
    assert (status, list(said)) == (422, ["error"])
    assert not (root / REVIEW).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", NAN, '{"packet": 1}', "\xff\xfe", "[" * 100_000])
def test_a_body_that_is_no_sheet_is_refused(browser, root, text):
    status, said, _ = browser.ask("PUT", "/api/sheets/1", text.encode("latin-1"))
    assert (status, list(said)) == (422, ["error"])
    assert not (root / REVIEW).exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content_Type": "text/plain"}, 415), ({"Content_Length": "99999999"}, 413), ({"Content_Length": "x"}, 411)],
)
def test_a_request_of_another_kind_is_refused(browser, root, headers, status):
    assert browser.ask("PUT", "/api/sheets/1", b"{}", **headers)[0] == status
    assert browser.ask("DELETE", "/api/sheets/1")[0] == 501
    assert not (root / REVIEW).exists()


def test_two_tabs_never_overwrite_each_other(browser, root):
    mine, theirs = sent(browser), sent(browser)
    _, said, _ = browser.ask("PUT", "/api/sheets/1", {**mine, "boxes": []})
    status, refused, _ = browser.ask("PUT", "/api/sheets/1", {**theirs, "status": "reviewed"})
    assert (status, refused["conflict"]) == (409, True)
    assert read_review(root / REVIEW).sheets[0].boxes == ()
    # The answer to a request may be lost: sending the same again is no conflict.
    assert browser.ask("PUT", "/api/sheets/1", {**mine, "boxes": []})[1] == said


def test_of_many_writers_at_once_one_wins_each_time(browser, root):
    bodies = [sent(browser, seconds=float(n)) for n in range(8)]
    answers = []
    threads = [
        threading.Thread(target=lambda body=body: answers.append(browser.ask("PUT", "/api/sheets/1", body)[0]))
        for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


def test_a_packet_that_has_gone_on_takes_nothing(browser, root):
    body = sent(browser)
    (root / "params.yaml").write_text(f"iteration: 2\nclasses: {list(CLASSES)}\n", encoding="utf-8")
    status, said, _ = browser.ask("PUT", "/api/sheets/1", body)
    assert (status, said["gone"]) == (410, True)
    (root / "params.yaml").write_text(f"iteration: 1\nclasses: {list(CLASSES)}\n", encoding="utf-8")
    other = build(root, seed=1)  # another packet of the same iteration
    for packet_id in (body["packet"], other.packet_id):
        assert browser.ask("PUT", "/api/sheets/1", {**body, "packet": packet_id})[0] == 410
    assert not (root / REVIEW).exists()


def test_a_review_of_another_packet_is_not_written_into(browser, root):
    body = sent(browser)
    head = head_of(read_packet(root / PACKET), source="coco")
    write_head(head._replace(packet_id="0" * 12), root / REVIEW)
    assert browser.ask("PUT", "/api/sheets/1", body)[0] == 410
    assert not (root / REVIEW / "sheets").exists()


def test_an_imported_review_is_gone_on_with(root):
    packet = read_packet(root / PACKET)
    write_head(head_of(packet, source="label-studio"), root / REVIEW)
    with serving(Desk(root, packet), recall(root, packet.packet_id), port=0) as server:
        browser = Browser(server.url)
        assert browser.ask("PUT", "/api/sheets/2", sent(browser, order=2, status="reviewed"))[0] == 200
    review = read_review(root / REVIEW)
    assert (review.source, [sheet.image_id for sheet in review.sheets]) == ("label-studio", ["b.png"])


def test_finishing_needs_a_done_sheet_and_a_word_about_the_others(browser, root, server):
    end = {"packet": sent(browser)["packet"]}
    assert browser.ask("POST", "/api/finish", {**end, "partial": True})[0] == 409
    browser.ask("PUT", "/api/sheets/1", sent(browser, status="reviewed"))
    assert browser.ask("POST", "/api/finish", {**end, "partial": False})[1]["open"] == 2
    assert not server.finished.is_set()
    assert browser.ask("POST", "/api/finish", {**end, "partial": True})[:2] == (200, {"done": 1, "open": 2})
    until(server.finished.is_set)
    assert read_review(root / REVIEW).partial


def test_all_done_is_not_partial(browser, root):
    for order in (1, 2, 3):
        browser.ask("PUT", f"/api/sheets/{order}", sent(browser, order=order, status="reviewed"))
    end = {"packet": sent(browser)["packet"], "partial": True}
    assert browser.ask("POST", "/api/finish", end)[0] == 200
    assert not read_review(root / REVIEW).partial


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
            open_review(root, port=0, browser=False, say=print)
    finally:
        kill(process)


def refusal(root):
    with pytest.raises(UserError) as caught:
        open_review(root, port=0, browser=False, say=print)
    return str(caught.value)


def test_what_cannot_be_reviewed_is_refused(root, tmp_path):
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
    (root / "params.yaml").write_text(f"iteration: 2\nclasses: {list(CLASSES)}\n", encoding="utf-8")
    assert "expected the packet of iteration 2, found that of iteration 1" in refusal(root)


def read_of(packet):
    from stages.files.reviewed import ReviewedSheet

    sheet = packet.sheets[0]
    return ReviewedSheet(sheet.image_id, sheet.sha256, "reviewed", None, ())


def test_the_vendored_files_are_those_that_were_taken():
    vendor = STATIC / "vendor"
    listed = (vendor / "vendor.txt").read_text(encoding="utf-8").split("sha256\n", 1)[1].splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in listed)}
    found = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    del found["vendor.txt"]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == sums
