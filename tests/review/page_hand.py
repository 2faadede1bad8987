"""A person at the review page: a mouse and keys in a real browser."""

import time

from tests.review.page_project import HEIGHT, WIDTH


class Hand:
    """Works on the page as a person does; places are px of the sheet."""

    def __init__(self, tab, name="a.png"):
        self.tab = tab
        self.ready(name)

    def ready(self, name):
        self.tab.until(
            f"document.getElementById('name').textContent === {name!r} && !!document.querySelector('.marks')"
        )
        time.sleep(0.1)  # until it is drawn

    def place(self, x, y):
        script = "(r => [r.left, r.top, r.width, r.height])(document.getElementById('paper').getBoundingClientRect())"
        left, top, width, height = self.tab.evaluate(script)
        return left + x / WIDTH * width, top + y / HEIGHT * height

    def drag(self, start, end):
        self.tab.drag(self.place(*start), self.place(*end))

    def click(self, x, y):
        self.tab.click(self.place(x, y))

    def press(self, *keys):
        for key in keys:
            self.tab.press(key)

    def text(self, place):
        return self.tab.evaluate(f"document.getElementById({place!r}).textContent")

    def push(self, place):
        self.tab.evaluate(f"document.getElementById({place!r}).click()")

    def saved(self):
        self.tab.until("document.getElementById('saved').textContent === 'Saved'")

    def marks(self):
        """Return the boxes as they are drawn: class of each mark, px of the sheet."""
        script = """[...document.querySelectorAll('.boxes g')].map(g => {
            const r = g.querySelector('.line');
            return [g.getAttribute('class'), ...['x', 'y', 'width', 'height'].map(a => Number(r.getAttribute(a)))];
        })"""
        return self.tab.evaluate(script)
