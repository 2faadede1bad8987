"""The server of the review page: who may ask, what it gives, and what it takes."""

import http.client
import json
import shutil
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from stages.base.boxes import BOX
from stages.picking.packet import PACKET, read_packet
from stages.review.kept.kept_review import REVIEW, ReviewedSheet, head_of, read_review, write_head, write_sheet
from stages.review.page.desk import Desk, Refused
from stages.review.page.memory import recall
from stages.review.page.pictures import picture
from stages.review.page.server import STATIC, serving
from tests.review.page_asking import Browser, sent
from tests.review.page_project import CLASSES, HEIGHT, WIDTH, build, until

NAN = '{"packet": "x", "revision": "", "status": "reviewed", "seconds": NaN, "boxes": []}'


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
        ("/api/packet", {"Host": "evil.example", "Origin": None}),
        ("/?token={token}", {"Host": "evil.example:{port}", "Origin": None}),
        ("/api/packet", {"Host": "127.0.0.1", "Origin": None}),
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


@pytest.mark.parametrize(
    "jar",
    [
        'theme="dark; {ours}',
        '{ours}; theme="dark',
        "other[1]=a; {ours}; {{}}=1",
        "a=b=c;{ours};=;;",
        "naïve={ours}; {ours}",
        "{name}=older; {ours}",
    ],
)
def test_cookies_of_others_on_this_machine_do_no_harm(browser, jar):
    name = f"yoloop-{browser.port}"
    cookies = jar.format(name=name, ours=f"{name}={browser.token}")
    assert browser.ask("GET", "/api/packet", Cookie=cookies.encode("latin-1"))[0] == 200
    strange = cookies.replace(browser.token, "x").encode("latin-1")
    assert browser.ask("GET", "/api/packet", Cookie=strange)[0] == 403


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
    _, packet, _ = browser.ask("GET", "/api/packet")
    listed = [(one["status"], one["seconds"]) for one in packet["sheets"]]
    assert listed == [("reviewed", 1.5), ("untouched", 0), ("untouched", 0)]


def test_what_cannot_be_written_is_said(browser, root):
    (root / REVIEW).write_text("a file where the folder should be")
    status, said, _ = browser.ask("PUT", "/api/sheets/1", sent(browser))
    assert status == 500
    assert str(REVIEW) in said["error"]


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


HUGE = NAN.replace("NaN", "9" * 5000)
HALF = NAN.replace("NaN", "1").replace(
    "[]", json.dumps([{**dict.fromkeys(BOX, 1), "class_name": "\ud800", "prelabel": "\ud800"}])
)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", NAN, HUGE, HALF, '{"packet": 1}', "\xff\xfe", "[" * 100_000]
)
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


PUT = "PUT /api/sheets/1 HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"{PUT}Content-Type: application/json\r\nContent-Length: {'9' * 5000}\r\n\r\n", 413),
        (f"{PUT}Content-Type: application/json\r\nContent-Length: {'0' * 5000}2\r\n\r\n{{}}", 413),
        (f"{PUT}Content-Type: application/json\r\nContent-Length: -2\r\n\r\n{{}}", 411),
        (f"{PUT}Content-Type: application/json\r\nContent-Length: \xb2\r\n\r\n{{}}", 411),
        (f"{PUT}Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{{}}", 411),
        (f"{PUT}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", 411),
        ("GET http://[ HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n", 404),
        ("GET http://\u2100.x/ HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n", 404),
        ("GET /?token=%ff%00&&=%zz HTTP/1.1\r\nHost: {host}\r\n\r\n", 403),
        ("GET / HTTP/1.1\r\nHost: {host}\r\nHost\r\n\r\n", 403),
        (f"GET / HTTP/{'1' * 5000}.1\r\n\r\n", 400),
        (f"GET /{'a' * 70_000} HTTP/1.1\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\n" + "x: y\r\n" * 200 + "\r\n", 431),
        (f"GET / HTTP/1.1\r\nCookie: {'x' * 70_000}\r\n\r\n", 431),
        ("\x16\x03\x01\x02\r\n\r\n", 400),
    ],
    ids=lambda value: str(value).split("Cookie: {cookie}")[-1][:40],
)
def test_a_request_that_is_none_gets_an_answer_and_no_traceback(browser, root, capfd, text, status):
    known = {"host": browser.host, "cookie": browser.headers()["Cookie"]}
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    with socket.create_connection(("127.0.0.1", browser.port), timeout=10) as connection:
        connection.sendall(text.encode("utf-8" if "\u2100" in text else "latin-1"))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, list(json.loads(answer.read()))) == (status, ["error"])
    assert browser.ask("GET", "/api/packet")[0] == 200
    assert "Traceback" not in "".join(capfd.readouterr())
    assert not (root / REVIEW).exists()


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_of_who_has_no_token_not_a_byte_more_is_read(browser, method):
    """The answer is there though the body never comes, and the connection ends."""
    head = f"{method} /api/sheets/1 HTTP/1.1\r\nHost: {browser.host}\r\nOrigin: http://{browser.host}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 3000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", browser.port), timeout=5) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"it holds the key" in answer


def test_two_tabs_never_overwrite_each_other(browser, root):
    mine, theirs = sent(browser), sent(browser)
    _, said, _ = browser.ask("PUT", "/api/sheets/1", {**mine, "boxes": []})
    status, refused, _ = browser.ask("PUT", "/api/sheets/1", {**theirs, "status": "reviewed"})
    assert (status, refused["conflict"]) == (409, True)
    assert read_review(root / REVIEW).sheets[0].boxes == ()
    # The answer to a request may be lost: sending the same again is no conflict.
    assert browser.ask("PUT", "/api/sheets/1", {**mine, "boxes": []})[1] == said


@pytest.fixture
def restless():
    """Let Python change the thread all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_of_many_writers_at_once_one_wins_each_time(root):
    packet = read_packet(root / PACKET)
    desk = Desk(root, packet)

    together = threading.Barrier(8)

    def write(body):
        together.wait()
        try:
            return bool(desk.save(1, json.dumps(body).encode()))
        except Refused:
            return False

    many = [{"class_name": "door", "x1": 1.0, "y1": 1.0, "x2": 9.0, "y2": 9.0, "prelabel": None}] * 1500
    for turn in range(4):
        revision = desk.sheet(1)["revision"]
        body = {"packet": packet.packet_id, "revision": revision, "status": "unreviewed", "boxes": many}
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(write, [{**body, "seconds": float(8 * turn + n)} for n in range(8)]))
        assert sum(won) == 1


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
    assert [(sheet.image_id, sheet.source) for sheet in review.sheets] == [("b.png", "page")]
    assert review.tools == "page"


def test_every_tool_that_a_sheet_went_through_is_named(root):
    """An import that went on to the page: one sheet as the tool left it, one changed here, one begun here."""
    packet = read_packet(root / PACKET)
    write_head(head_of(packet, source="label-studio"), root / REVIEW)
    for one in packet.sheets[:2]:
        done = ReviewedSheet(one.image_id, one.sha256, "reviewed", None, (), "label-studio")
        write_sheet(done, root / REVIEW, order=one.order)
    with serving(Desk(root, packet), recall(root, packet.packet_id), port=0) as server:
        browser = Browser(server.url)
        for order in (2, 3):
            body = sent(browser, order=order, status="reviewed")
            for _ in range(2):  # the answer to the first may be lost
                assert browser.ask("PUT", f"/api/sheets/{order}", body)[0] == 200
    review = read_review(root / REVIEW)
    assert [sheet.source for sheet in review.sheets] == ["label-studio", "label-studio and page", "page"]
    assert review.tools == "label-studio and page"


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
