"""Says whether `data/sample` holds what the stage wrote; whatever else lies there is passed over."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

SAMPLE = Path("data/sample")
_HEAD = Path("packet/packet.json")  # as stages/picking/packet.py has it, which loads pandas
_TABLES = ("arms.csv", "candidates.csv")


def is_as_written(root: Path, lock: bytes) -> bool:
    """Say whether the stage's own files in the project `root` are those whose digest `lock`, a dvc.lock, has.

    A label cache, `.DS_Store` or a person's notes beside them are no damage. To ask DVC takes a second, and it looks at
    everything.
    """
    outs = [out for stage in ((yaml.safe_load(lock) or {}).get("stages") or {}).values() for out in stage["outs"]]
    wanted = next((str(out["md5"]) for out in outs if out["path"] == str(SAMPLE)), "")
    folder = root / SAMPLE
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return wanted in (_digest(files, _own(root)), _digest(files, files))


def _own(root: Path) -> list[str]:
    """Return the paths of the stage's files in `data/sample`: its tables, and what the packet lists."""
    try:
        listed = list(json.loads((root / SAMPLE / _HEAD).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        listed = []
    return [*_TABLES, _HEAD.as_posix(), *((_HEAD.parent / str(name)).as_posix() for name in listed)]


def _digest(files: Mapping[str, Path], names: Iterable[str]) -> str:
    """Return the digest that DVC forms of a folder with those of `files` that are in `names`."""
    listed = [
        {"md5": hashlib.md5(files[name].read_bytes()).hexdigest(), "relpath": name}
        for name in sorted(set(names) & set(files))
    ]
    return f"{hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()}.dir"
