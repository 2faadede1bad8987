"""Opens a page in a real Chromium, without a window: what it asked for, complained about and drew; mouse and keys."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START = 60.0  # seconds that a busy machine may take
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]
MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}
ARROWS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
CODES = {**ARROWS, "Tab": 9, "Enter": 13, "Escape": 27, "Delete": 46}


class Seen(NamedTuple):
    """What a page did: URLs asked for besides itself and data, errors and warnings, answers to the questions."""

    requests: list[str]
    errors: list[str]
    answers: dict[str, Any]


def look(
    page: Path,
    *,
    asking: Mapping[str, str] | None = None,
    width: int = 1280,
    dark: bool = False,
    png: Path | None = None,
) -> Seen:
    """Open `page` in a window `width` px wide; `asking` maps names to JavaScript, `png` takes the whole page."""
    with opened(page.as_uri(), width=width, dark=dark) as tab:
        time.sleep(0.5)  # what a script draws or asks for after the page is there
        answers = {name: tab.evaluate(script) for name, script in (asking or {}).items()}
        if png:
            tab.picture(png, whole=True)
        return Seen(tab.requests(besides=page.as_uri()), tab.errors(), answers)


@contextmanager
def opened(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Iterator["Tab"]:
    """Open `url` in a browser of its own; the block has its only tab."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            tab = None
            try:
                tab = Tab(_port(Path(profile) / "DevToolsActivePort"))
                tab.size(width, height, dark=dark)
                tab.open(url)
                yield tab
            finally:
                if tab is not None:
                    tab.close()
                browser.terminate()


def _port(file: Path) -> int:
    for _ in range(int(START / 0.1)):
        if file.exists() and file.read_text().count("\n"):
            return int(file.read_text().split()[0])
        time.sleep(0.1)
    raise TimeoutError("Chromium did not start")


class Tab:
    """A tab of the browser, over the DevTools protocol; keeps every event."""

    def __init__(self, port: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.events: list[dict[str, Any]] = []
        self.number = 0
        self.session, self.socket = self._wait(_connect(port))
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._wait(self.session.close())
        self.loop.close()

    def size(self, width: int, height: int, *, dark: bool) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        self._load("Page.navigate", url=url)

    def reload(self) -> None:
        self._load("Page.reload")

    def _load(self, method: str, **params: Any) -> None:
        """Go on once the new page has loaded: a script that is asked for before would die with the old one."""
        before = len(self._of("Page.loadEventFired"))
        self.call(method, **params)
        while len(self._of("Page.loadEventFired")) == before:
            self._next()

    def call(self, method: str, **params: Any) -> Any:
        self.number += 1
        self._wait(self.socket.send_json({"id": self.number, "method": method, "params": params}))
        while (message := self._next()).get("id") != self.number:
            pass
        assert "error" not in message, message
        return message["result"]

    def evaluate(self, script: str) -> Any:
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return done["result"].get("value")

    def until(self, script: str, *, seconds: float = START) -> Any:
        """Wait until `script` is something that is true, and return it."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            assert time.monotonic() < end, f"still not true: {script}"
            time.sleep(0.05)
        return value

    def picture(self, png: Path, *, whole: bool = False) -> None:
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        png.write_bytes(base64.b64decode(taken["data"]))

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, button: str = "left") -> None:
        """Press at `start`, move to `end` in steps, as a hand does, and let go."""
        self._mouse("mouseMoved", start)
        self._mouse("mousePressed", start, button=button, clickCount=1)
        for step in range(1, 6):
            place = tuple(a + (b - a) * step / 5 for a, b in zip(start, end, strict=True))
            self._mouse("mouseMoved", place, button=button, buttons=4 if button == "middle" else 1)
        self._mouse("mouseReleased", end, button=button, clickCount=1)

    def click(self, place: tuple[float, float]) -> None:
        self._mouse("mouseMoved", place)
        self._mouse("mousePressed", place, button="left", clickCount=1)
        self._mouse("mouseReleased", place, button="left", clickCount=1)

    def wheel(self, place: tuple[float, float], delta: float) -> None:
        self._mouse("mouseWheel", place, deltaX=0, deltaY=delta)

    def press(self, keys: str) -> None:
        """Press what is joined by +: `d`, `Shift+ArrowLeft`, `Control+Shift+z`."""
        *held, key = keys.split("+")
        code = f"Key{key.upper()}" if key.isalpha() and len(key) == 1 else f"Digit{key}" if key.isdigit() else key
        number = ord(key.upper()) if len(key) == 1 else CODES[key]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        common["modifiers"] = sum(MODIFIERS[one] for one in held)
        text = {"text": key} if len(key) == 1 and not set(held) - {"Shift"} else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def requests(self, *, besides: str) -> list[str]:
        sent = [event["params"]["request"]["url"] for event in self._of("Network.requestWillBeSent")]
        return [url for url in sent if url != besides and not url.startswith("data:")]

    def errors(self) -> list[str]:
        logged = [event["params"]["entry"]["text"] for event in self._of("Log.entryAdded")]
        thrown = [str(event["params"]["exceptionDetails"]) for event in self._of("Runtime.exceptionThrown")]
        said = [
            str(event["params"]["args"])
            for event in self._of("Runtime.consoleAPICalled")
            if event["params"]["type"] in ("error", "warning")
        ]
        return [*logged, *thrown, *said]

    def _mouse(self, kind: str, place: tuple[float, ...], **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **more)

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") == method]

    def _next(self) -> dict[str, Any]:
        message = json.loads(self._wait(self.socket.receive(timeout=START)).data)
        self.events.append(message)
        return message

    def _wait(self, coming: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coming)


async def _connect(port: int) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
    session = aiohttp.ClientSession()
    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
        address = next(tab["webSocketDebuggerUrl"] for tab in await answer.json() if tab["type"] == "page")
    return session, await session.ws_connect(address, max_msg_size=0)
