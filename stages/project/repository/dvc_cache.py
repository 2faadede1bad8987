"""Looks into DVC's cache: what is there of a tracked file or folder, and where?"""

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import yaml

from stages.dataset.clutter import is_clutter
from stages.project.repository import dvc

_PATIENCE = 1.0  # seconds; DVC writes an entry of its list of runs in milliseconds


def store(root: Path) -> Path:
    """Return the folder in which the cache keeps files under their digests."""
    return cache_folder(root) / "files/md5"


def cache_folder(root: Path) -> Path:
    """Return where DVC keeps its cache."""
    return Path(dvc.run(root, "cache", "dir").strip())


def drop_unfinished_runs(cache: Path) -> bool:
    """Delete entries of the cache's list of runs that a killed DVC was still writing; say whether there were any.

    DVC takes such a file for the newest run of its stage, and fails each time, since it names only some of the outs.
    """
    found = unfinished_runs(cache)
    if found:
        time.sleep(_PATIENCE)  # another project that shares the cache may be at work
    for path in found:
        folder = path if path.is_dir() else path.parent
        with suppress(OSError):  # somebody has filled the folder meanwhile
            if path != folder:
                path.unlink(missing_ok=True)
            folder.rmdir()
    return bool(found)


def unfinished_runs(cache: Path) -> list[Path]:
    """Return what a killed DVC was still writing in the cache's list of runs: files, and folders without a file.

    DVC fails at an empty folder as well.
    """
    runs = cache / "runs"
    empty = (folder for folder in runs.glob("*/*") if folder.is_dir() and not any(folder.iterdir()))
    return [*runs.glob(f"*/*/{dvc.TEMPORARY}"), *empty]


def listed(place: Path, digest: str) -> dict[str, Path]:
    """Return the files of a tracked folder (path in it -> file in the cache); empty when the cache lacks the list.

    A tracked file has none.
    """
    file = place / digest[:2] / digest[2:]
    items = json.loads(file.read_text(encoding="utf-8")) if digest.endswith(".dir") and file.is_file() else []
    return {item["relpath"]: place / item["md5"][:2] / item["md5"][2:] for item in items}


def out_digests(root: Path) -> dict[str, str]:
    """Return the digest that dvc.lock has of every output; none where there is no lock yet."""
    file = root / "dvc.lock"
    graph = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    stages = (graph or {}).get("stages", {}).values()
    return {out["path"]: str(out["md5"]) for stage in stages for out in stage.get("outs", [])}


def altered_files(root: Path, outs: Iterable[str]) -> list[str]:
    """Return the files that make `outs` differ from what dvc.lock says of them: other ones, changed or missing ones."""
    digests, place = out_digests(root), store(root)
    found: list[str] = []
    for out in outs:
        known = listed(place, digests.get(out, ""))
        here = {file.relative_to(root / out).as_posix(): file for file in (root / out).rglob("*") if file.is_file()}
        other = {
            name for name, file in here.items() if not is_clutter(file.name) and known.get(name) != _at(place, file)
        }
        found += sorted(f"{out}/{name}" for name in other | (known.keys() - here.keys())) or [out]
    return found


def holds(place: Path, file: Path) -> bool:
    """Say whether the cache, which keeps its files in `place`, has the content of `file`."""
    return _at(place, file).is_file()


def _at(place: Path, file: Path) -> Path:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "md5").hexdigest()
    return place / digest[:2] / digest[2:]


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
