"""What the page's server remembers between two runs: where it was reached, and which sheet was open."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.base.shapes import read_shape
from stages.project.project_lock import STATE

_FILE = "review_page.json"
_ENTRY = "review_page.html"
_LEADS = '<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={}">\n'


class Memory(NamedTuple):
    """Of the review of one packet; with the same port and token, a tab that was left open goes on after a restart."""

    packet_id: str
    port: int  # 0: none yet
    token: str
    order: int  # of the sheet that was open


def recall(root: Path, packet_id: str) -> Memory:
    """Return what is remembered of this packet; a new token, and the first sheet, when that is nothing."""
    with suppress(OSError, ValueError):
        known = read_shape(Memory, root / STATE / _FILE)
        if known.packet_id == packet_id and known.token:
            return known
    return Memory(packet_id, 0, secrets.token_urlsafe(24), 1)


def remember(root: Path, memory: Memory) -> None:
    """Write `memory`, readable by this user alone: who has the token may write the review."""
    _write_private(root / STATE / _FILE, json.dumps(memory._asdict()))


@contextmanager
def entry(root: Path, url: str) -> Iterator[Path]:
    """Yield a page, readable by this user alone, that leads to `url`; it goes with the block.

    A browser is told of this file: every user of the machine can read the command line that it is started with.
    """
    file = root / STATE / _ENTRY
    _write_private(file, _LEADS.format(escape(url)))
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def forget(root: Path) -> None:
    """Forget the review, once it is finished."""
    (root / STATE / _FILE).unlink(missing_ok=True)


def _write_private(file: Path, text: str) -> None:
    with replacing(file) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
