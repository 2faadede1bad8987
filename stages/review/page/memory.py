"""What the page's server remembers between two runs: where it was reached, and which sheet was open."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.project.project_lock import STATE

_FILE = "review_page.json"


class Memory(NamedTuple):
    """Of the review of one packet; with the same port and token, a tab that was left open goes on after a restart."""

    packet_id: str
    port: int  # 0: none yet
    token: str
    order: int  # of the sheet that was open


def recall(root: Path, packet_id: str) -> Memory:
    """Return what is remembered of this packet; a new token, and the first sheet, when that is nothing."""
    try:
        known = Memory(**json.loads((root / STATE / _FILE).read_text(encoding="utf-8")))
        if known.packet_id == packet_id and known.token:
            return Memory(packet_id, int(known.port), str(known.token), int(known.order))
    except (OSError, ValueError, TypeError):
        pass
    return Memory(packet_id, 0, secrets.token_urlsafe(24), 1)


def remember(root: Path, memory: Memory) -> None:
    """Write `memory`, readable by this user alone: who has the token may write the review."""
    with replacing(root / STATE / _FILE) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(memory._asdict(), stream)


def forget(root: Path) -> None:
    """Forget the review, once it is finished."""
    (root / STATE / _FILE).unlink(missing_ok=True)
