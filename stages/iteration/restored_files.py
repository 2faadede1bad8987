"""Puts back what a failed run took away: DVC removes a stage's outs before it runs."""

from collections.abc import Iterable
from pathlib import Path

from stages.base.atomic import replacing
from stages.base.errors import UserError
from stages.dataset.clutter import is_clutter
from stages.picking.written_sample import SAMPLE
from stages.project.repository import dvc, dvc_cache, git
from stages.project.repository.transaction import put_aside

_RESULTS = ("metrics/**/*.json", "plots/**/*.csv")  # not in DVC's cache; in Git only once an iteration is finished


def remember(root: Path) -> dict[str, bytes]:
    """Return the results that DVC could not restore, by path: what `put_back` needs when the run that begins fails."""
    paths = [str(file.relative_to(root)) for pattern in _RESULTS for file in root.glob(pattern)]
    return {path: data for path in paths if (data := git.here(root, path)) is not None}


def set_aside(root: Path, altered: Iterable[str], cache: Path) -> list[str]:
    """Keep what a person may have put among outputs that are written anew, and return lines to print.

    DVC deletes an output before its stage writes it. Of the outputs `altered` all is kept that DVC's `cache` has not,
    be it a file of the person's or one that was changed. Small results that no dvc.lock knows were computed here once.
    """
    digests, place = dvc_cache.out_digests(root), cache / "files/md5"
    asked = [path for path in altered if path in digests or Path(path).suffix not in (".json", ".csv")]
    found = [file for path in asked for file in _files(root / path) if not dvc_cache.holds(place, file)]
    # A note beside the packet counts as no change of it.
    known = dvc_cache.listed(place, digests[str(SAMPLE)]) if str(SAMPLE) in digests else {}
    notes = [file for file in _files(root / SAMPLE) if file.relative_to(root / SAMPLE).as_posix() not in known]
    names = sorted({file.relative_to(root).as_posix() for file in [*found, *(notes if known else [])]})
    return [f"{name} is none of what was computed there, so it is kept in {put_aside(root, name)}" for name in names]


def _files(out: Path) -> list[Path]:
    found = out.rglob("*") if out.is_dir() else [out]
    return [file for file in found if file.is_file() and not is_clutter(file.name)]


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
