"""Looks into DVC's cache: is what a .dvc file tracks there?"""

import json
from pathlib import Path
from typing import Any

import yaml

from stages.files import dvc


def lacks(root: Path, pointers: dict[str, bytes]) -> list[str]:
    """Return those of `pointers` (name -> content of a .dvc file) of whose files the cache does not have all."""
    store = Path(dvc.run(root, "cache", "dir").strip()) / "files/md5"
    return [name for name, pointer in pointers.items() if not _whole(store, yaml.safe_load(pointer))]


def _whole(store: Path, pointer: dict[str, Any]) -> bool:
    return all(_has(store, str(out["md5"])) for out in pointer["outs"])


def _has(store: Path, digest: str) -> bool:
    file = store / digest[:2] / digest[2:]
    if not digest.endswith(".dir"):
        return file.is_file()
    return file.is_file() and all(_has(store, item["md5"]) for item in json.loads(file.read_text(encoding="utf-8")))
