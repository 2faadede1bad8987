"""Puts back what a failed run took away: DVC removes a stage's outs before it runs."""

from collections.abc import Iterable
from pathlib import Path

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.base.params import read_yaml
from stages.dataset.clutter import is_clutter
from stages.picking.written_sample import SAMPLE
from stages.project.repository import dvc, dvc_cache, git
from stages.project.repository.transaction import put_aside

_RESULTS = ("metrics/**/*.json", "plots/**/*.csv")  # not in DVC's cache; in Git only once an iteration is finished


def remember(root: Path) -> dict[str, bytes]:
    """Return the results that DVC could not restore, by path: what `put_back` needs when the run that begins fails."""
    paths = [str(file.relative_to(root)) for pattern in _RESULTS for file in root.glob(pattern)]
    return {path: data for path in paths if (data := git.here(root, path)) is not None}


def set_aside(root: Path, altered: Iterable[str]) -> list[str]:
    """Move what a person has put into folders of outputs to a safe place, and return lines to print.

    DVC deletes such a folder before its stage writes it anew. Files of the names that the stage wrote are not kept.
    """
    graph = read_yaml(root / "dvc.lock").get("stages", {}) if (root / "dvc.lock").is_file() else {}
    digests = {out["path"]: out["md5"] for stage in graph.values() for out in stage.get("outs", [])}
    # A note beside the packet counts as no change of it.
    folders = [path for path in sorted({*altered, str(SAMPLE)}) if (root / path).is_dir() and path in digests]
    place = dvc_cache.store(root) if folders else root
    said = []
    for path in folders:
        known = dvc_cache.listed(place, digests[path])
        files = [file for file in sorted((root / path).rglob("*")) if file.is_file()]
        for file in files if known else []:
            if file.relative_to(root / path).as_posix() not in known and not is_clutter(file.name):
                name = file.relative_to(root).as_posix()
                said.append(f"{name} is none of what was computed there, so it is kept in {put_aside(root, name)}")
    return said


def put_back(root: Path, results: dict[str, bytes]) -> None:
    """Restore what is gone; what stages wrote in the meantime stays."""
    for path, data in results.items():
        if git.here(root, path) is None:
            with replacing(root / path) as temporary:
                temporary.write_bytes(data)
    try:
        stages = {name: changes for name, changes in dvc.status(root).items() if not name.endswith(".dvc")}
        if gone := dvc.outs_in("deleted", stages):
            dvc.checkout(root, *gone)
    except UserError:
        pass  # what the cache does not have either was never complete, and the next run makes it
