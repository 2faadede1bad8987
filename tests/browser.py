"""Opens a page in a real Chromium, without a window, and says what it asked for, complained about and drew."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
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
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                return asyncio.run(_visit(Path(profile), page, asking or {}, width, dark, png))
            finally:
                browser.terminate()


async def _visit(
    profile: Path, page: Path, asking: Mapping[str, str], width: int, dark: bool, png: Path | None
) -> Seen:
    port = await _port(profile / "DevToolsActivePort")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            address = next(tab["webSocketDebuggerUrl"] for tab in await answer.json() if tab["type"] == "page")
        async with session.ws_connect(address, max_msg_size=0) as socket:
            tab = _Tab(socket)
            for domain in ("Page", "Network", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
            )
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            await tab.call("Emulation.setEmulatedMedia", features=[scheme])
            await tab.call("Page.navigate", url=page.as_uri())
            await tab.until("Page.loadEventFired")
            await asyncio.sleep(0.5)  # what a script draws or asks for after the page is there
            answers = {name: await tab.evaluate(script) for name, script in asking.items()}
            if png:
                taken = await tab.call("Page.captureScreenshot", captureBeyondViewport=True)
                png.write_bytes(base64.b64decode(taken["data"]))
            return Seen(tab.requests(besides=page.as_uri()), tab.errors(), answers)


async def _port(file: Path) -> int:
    for _ in range(int(START / 0.1)):
        if file.exists() and file.read_text().count("\n"):
            return int(file.read_text().split()[0])
        await asyncio.sleep(0.1)
    raise TimeoutError("Chromium did not start")


class _Tab:
    """A tab of the browser, over the DevTools protocol; keeps every event."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket, self.events, self.number = socket, [], 0

    async def call(self, method: str, **params: Any) -> Any:
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": params})
        while (message := await self._next()).get("id") != self.number:
            pass
        assert "error" not in message, message
        return message["result"]

    async def until(self, method: str) -> None:
        while (await self._next()).get("method") != method:
            pass

    async def evaluate(self, script: str) -> Any:
        done = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return done["result"].get("value")

    async def _next(self) -> dict[str, Any]:
        message = json.loads((await self.socket.receive(timeout=START)).data)
        self.events.append(message)
        return message

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

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") == method]
