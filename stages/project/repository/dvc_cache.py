"""Looks into DVC's cache: what is there of a tracked file or folder, and where?"""

import json
import time
from pathlib import Path

import yaml

from stages.project.repository import dvc

_PATIENCE = 1.0  # seconds; DVC writes an entry of its list of runs in milliseconds


def store(root: Path) -> Path:
    """Return the folder in which the cache keeps files under their digests."""
    return _cache(root) / "files/md5"


def _cache(root: Path) -> Path:
    return Path(dvc.run(root, "cache", "dir").strip())


def drop_unfinished_runs(root: Path) -> None:
    """Delete entries of the cache's list of runs that a killed DVC was still writing.

    DVC takes such a file for the newest run of its stage, and fails each time, since it names only some of the outs.
    """
    found = list((_cache(root) / "runs").glob(f"*/*/{dvc.TEMPORARY}"))
    if found:
        time.sleep(_PATIENCE)  # another project that shares the cache may be at work
    for file in found:
        file.unlink(missing_ok=True)


def listed(place: Path, digest: str) -> dict[str, Path]:
    """Return the files of a tracked folder (path in it -> file in the cache); empty when the cache lacks the list."""
    file = place / digest[:2] / digest[2:]
    items = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return {item["relpath"]: place / item["md5"][:2] / item["md5"][2:] for item in items}


def lacks(root: Path, pointers: dict[str, bytes]) -> list[str]:
    """Return those of `pointers` (name -> content of a .dvc file) of whose files the cache does not have all."""
    place = store(root)
    outs = {name: yaml.safe_load(pointer)["outs"] for name, pointer in pointers.items()}
    return [name for name, listed in outs.items() if not all(_has(place, str(out["md5"])) for out in listed)]


def _has(store: Path, digest: str) -> bool:
    file = store / digest[:2] / digest[2:]
    if not digest.endswith(".dir"):
        return file.is_file()
    return file.is_file() and all(_has(store, item["md5"]) for item in json.loads(file.read_text(encoding="utf-8")))
