"""The review page with more classes than there are digits: a colour for each, and a key for any."""

import itertools
import math

import pytest

from stages.review.kept.kept_review import REVIEW, read_review
from stages.review.page.desk import Desk
from stages.review.page.memory import recall
from stages.review.page.server import serving
from tests.browser import CHROMIUM, opened
from tests.review.page_hand import Hand
from tests.review.page_project import build, kill, serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

NAMED = ("door", "big window", "Tür ü", "diode", "diode, zener", "02146", "photodiode", "12", "a/b", "ground")
CLASSES = (*NAMED, *(f"symbol {number}" for number in range(30)))
# The red, green and blue that the line of a box of each class has on the screen.
DRAWN = """(() => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    return Array.from({length: COUNT}, (_, nth) => {
        pen.fillStyle = getComputedStyle(document.querySelector(`.boxes .k${nth} .line`)).stroke;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    });
})()"""


@pytest.fixture
def page(tmp_path):
    """A packet of 40 classes under review, with a box of each: the folder, and where it is served."""
    build(tmp_path, boxes=80, classes=CLASSES, used=len(CLASSES))
    process, url = serve(tmp_path)
    yield tmp_path, url
    kill(process)


def linear(colour):
    return [c / 12.92 if (c := part / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for part in colour]


def oklab(colour):
    red, green, blue = linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def contrast(one, other):
    """Return the contrast ratio of WCAG."""
    light, dark = sorted(
        (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True)) for colour in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def least_difference(colours):
    return min(math.dist(oklab(one), oklab(other)) for one, other in itertools.combinations(colours, 2))


def test_each_class_has_a_colour_of_its_own(page):
    """0.02 is a difference in OKLab that an eye just sees, side by side."""
    with opened(page[1]) as tab:
        Hand(tab)
        colours = tab.evaluate(DRAWN.replace("COUNT", "40"))
        assert least_difference(colours[:13]) > 0.1
        assert least_difference(colours) > 0.06
        assert min(contrast(colour, (255, 255, 255)) for colour in colours) > 2.8  # the paper
        tab.evaluate("import('/palette.js').then(palette => palette.paint(13))")
        assert tab.evaluate(DRAWN.replace("COUNT", "13")) == colours[:13]  # whatever classes follow
        tab.evaluate("import('/palette.js').then(palette => palette.paint(1000))")
        assert tab.evaluate(DRAWN.replace("COUNT", "40")) == colours
        assert tab.errors() == []


def listed(tab):
    return tab.evaluate("[...document.querySelectorAll('#classes .name')].map(one => one.textContent)")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("dio", ["diode", "diode, zener", "photodiode"]),
        ("ze", ["diode, zener"]),
        ("tur", ["Tür ü"]),  # without what a keyboard lacks
        ("TUR U", ["Tür ü"]),
        ("12", ["12", "symbol 12"]),  # the whole name first
        ("2146", ["02146"]),
        ("b", ["big window", "a/b", *(f"symbol {number}" for number in range(30))]),
        ("xyz", []),
        (" ", list(CLASSES)),
    ],
)
def test_a_part_of_a_name_finds_the_class(page_of_classes, typed, found):
    tab = page_of_classes
    tab.evaluate("document.getElementById('area').focus()")
    tab.press("c")
    for letter in typed:
        tab.press(letter)
    assert listed(tab) == found
    tab.press("Escape")
    assert listed(tab) == list(CLASSES)


@pytest.fixture(scope="module")
def page_of_classes(tmp_path_factory):
    root = tmp_path_factory.mktemp("classes")
    build(root, classes=CLASSES, used=len(CLASSES))
    process, url = serve(root)
    with opened(url) as tab:
        Hand(tab)
        yield tab
        assert tab.errors() == []
    kill(process)


def classes_of(root):
    return [box.class_name for box in read_review(root / REVIEW).sheets[0].boxes[:3]]


def test_a_class_without_a_digit_is_taken_by_its_name(page):
    root, url = page
    with opened(url) as tab:
        hand = Hand(tab)
        hand.click(460, 360)
        hand.press("c", *"symbol 29", "Enter")  # none of these letters is a key of the sheet meanwhile
        hand.saved()
        assert classes_of(root) == ["symbol 29", "big window", "Tür ü"]
        hand.press("2")  # the sheet has the keys again
        hand.saved()
        assert classes_of(root)[0] == "big window"
        hand.press("c", *"no such", "Enter", "Escape", "Delete")
        hand.saved()
        assert classes_of(root)[0] == "big window"  # the one that was second
        hand.click(2050, 1600)
        hand.press("c", *"ground")
        left, top = tab.evaluate(
            "(r => [r.left + 20, r.top + 9])(document.querySelector('#classes button').getBoundingClientRect())"
        )
        tab.click((left, top))  # the one that is left
        hand.saved()
        assert classes_of(root)[1] == "ground"
        assert listed(tab) == list(CLASSES)
        assert tab.evaluate("document.activeElement.id") == "area"
        assert tab.errors() == []


def test_few_classes_have_no_field_until_it_is_asked_for(tmp_path):
    build(tmp_path)
    process, url = serve(tmp_path)
    try:
        with opened(url) as tab:
            hand = Hand(tab)
            assert tab.evaluate("document.getElementById('find').hidden")
            hand.click(460, 360)
            hand.press("c", *"tur", "Enter")
            hand.saved()
            assert classes_of(tmp_path)[0] == "Tür ü"
            assert tab.evaluate("document.getElementById('find').hidden")
    finally:
        kill(process)


def test_the_page_opens_at_a_sheet_that_is_not_done(page):
    _, url = page
    with opened(url) as tab:
        hand = Hand(tab)
        hand.press("d")
        hand.ready("b.png")
        hand.press("k")
        hand.ready("a.png")
        hand.saved()
        tab.reload()
        hand.ready("b.png")  # the one that was open is done
        hand.press("j")
        hand.ready("c.png")
        tab.reload()
        hand.ready("c.png")  # where it was left


def test_a_sheet_without_a_group_does_not_stand_under_that_of_others(tmp_path):
    packet = build(tmp_path)
    grouped = [sheet._replace(group=group) for sheet, group in zip(packet.sheets, ("plan", "plan", ""), strict=True)]
    desk = Desk(tmp_path, packet._replace(sheets=grouped))
    with serving(desk, recall(tmp_path, packet.packet_id), port=0) as server, opened(server.url) as tab:
        tab.until("document.querySelectorAll('#sheets li').length === 5")
        listed = "[...document.querySelectorAll('#sheets li')].map((item) => item.textContent)"
        assert [text for text in tab.evaluate(listed) if ".png" not in text] == ["plan", "no group"]
        assert ".png" in tab.evaluate(listed)[4]
