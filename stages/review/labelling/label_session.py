"""`yoloop review open --split val`: the page on which a person labels a split, which then is part of the dataset."""

from collections.abc import Callable
from pathlib import Path

from stages.review.labelling.split_labels import take_labels
from stages.review.labelling.split_packet import Split, packet_for
from stages.review.page_session import show_page


def label_split(root: Path, split: Split, *, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page of the unlabelled sheets of `split`, and take the labels in when they are finished there.

    Ctrl+C leaves with all that was saved; the same again goes on. Raises as `packet_for` and `take_labels` do.
    """
    packet = packet_for(root, split)
    if show_page(root, packet, port=port, browser=browser, say=say):
        say(take_labels(root, packet))
