"""`yoloop review open`: the page on which a person reviews the packet, until it is finished or left."""

import fcntl
import os
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.base.errors import problem
from stages.picking.packet import Packet
from stages.project.project_lock import STATE
from stages.review.kept.kept_review import HEAD, read_review, review_folder
from stages.review.kept.open_packet import packet_under_review
from stages.review.kept.review_gate import require_of_packet
from stages.review.page.desk import Desk
from stages.review.page.memory import entry, recall
from stages.review.page.server import serving


def open_review(root: Path, *, port: int, browser: bool, say: Callable[[str], None]) -> bool:
    """Serve the page of the packet that waits for its review; as `show_page`, and raises as `packet_under_review`."""
    return show_page(root, packet_under_review(root), port=port, browser=browser, say=say)


def show_page(root: Path, packet: Packet, *, port: int, browser: bool, say: Callable[[str], None]) -> bool:
    """Serve the page of `packet`; return True when its review was finished there, False after Ctrl+C.

    `port` 0: any that is free. `browser`: open the page. Raises `UserError` for a review that belongs to another packet
    or is damaged, and for a second server.
    """
    folder, of_pool = review_folder(root, packet), packet.split == "pool"
    what = f"Review of iteration {packet.iteration}" if of_pool else f"Labels of {packet.split}"
    again = "yoloop review open" + ("" if of_pool else f" --split {packet.split}")
    if (folder / HEAD).is_file():
        require_of_packet(root, read_review(folder), packet)
    with (
        _only_one(root),
        serving(Desk(root, packet), recall(root, packet.packet_id), port=port) as server,
        entry(root, server.url) as page,
    ):
        try:
            say(f"{what}: {len(packet.sheets)} sheets, at\n\n  {server.url}\n")
            say("Keep this address to yourself: who has it may write the review.")
            place = folder.relative_to(root)
            say(f"Everything is saved as you go, into {place}. Ctrl+C leaves; this command goes on where you were.")
            if browser and not webbrowser.open(page.resolve().as_uri()):
                say("No browser was found here: open the URL yourself.")
            server.finished.wait()
        except KeyboardInterrupt:
            say(f"\nThe page is closed; what was saved stays in {folder.relative_to(root)}. Go on with: {again}")
            return False
    say("The review is finished.")
    return True


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Hold a lock of its own, the kernel's: other commands of yoloop go on working beside the page."""
    (root / STATE).mkdir(exist_ok=True)
    file = root / STATE / "review_page.lock"
    with file.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise problem("page_session.other_page_project", file, value=file.read_text() or "?") from error
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
