"""Shows what a page needs of a finished iteration: its files in Git, and links into DVC's cache."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from stages.project.repository import dvc_cache as cache
from stages.project.repository import git

# Tracked folder -> what of it is shown
_SHOWN = {
    "data/analyze": ("findings.parquet",),
    "data/sample": ("packet/packet.json", "packet/prelabels.csv", "packet/focus.csv", "packet/crops/"),
    "data/dataset": ("val/images/",),
}


@contextmanager
def iteration_view(root: Path, rev: str, texts: Sequence[str]) -> Iterator[Path]:
    """Yield a folder laid out like the project at the commit `rev`, to read from; it goes with the block.

    It holds the files `texts` of Git, and, as far as DVC's cache has them, findings, packet and the sheets of val.
    """
    with TemporaryDirectory() as folder:
        view = Path(folder)
        for name in texts:
            data = git.content(root, rev, name)
            if data is not None:
                _place(view, name).write_bytes(data)
        store = cache.store(root)
        for out, digest in _digests(root, rev).items():
            for name, file in cache.listed(store, digest).items():
                if name.startswith(_SHOWN[out]) and file.is_file():
                    _place(view, f"{out}/{name}").symlink_to(file)
        yield view


def _digests(root: Path, rev: str) -> dict[str, str]:
    """Return the digests of the folders in `_SHOWN` as `rev` has them."""
    lock, pointer = (
        yaml.safe_load(git.content(root, rev, name) or b"") or {} for name in ("dvc.lock", "data/dataset.dvc")
    )
    outs: list[dict[str, Any]] = [out for stage in lock.get("stages", {}).values() for out in stage.get("outs", [])]
    outs += [{**out, "path": "data/dataset"} for out in pointer.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if out["path"] in _SHOWN}


def _place(view: Path, name: str) -> Path:
    place = view / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
