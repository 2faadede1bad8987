"""Writes the manifests of a dataset anew after a person has changed it by hand, and says what changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.file_facts import digests
from stages.dataset.sheets.manifest import MANIFEST, ManifestRow, manifest_row, read_manifest
from stages.dataset.sheets.split_folder import sheets_in
from stages.firewall.roles import ROLES

Lists = dict[str, list[ManifestRow]]  # split -> its rows


class ManifestChanges(NamedTuple):
    """What differs in one split: names of sheets, each sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[str, ...]
    repainted: tuple[str, ...]  # another image under the same name
    unlabelled: tuple[str, ...] = ()  # labelled before


def listed(dataset: Path) -> Lists:
    """Return what the manifests of all splits list; raise `UserError` for one that is missing or damaged."""
    folders = {split: dataset / split for split in ROLES if (dataset / split).is_dir()}
    return {split: read_manifest(folder / MANIFEST, without_content=True) for split, folder in folders.items()}


def relisted(dataset: Path, before: Lists, *, iteration: int, groups: Mapping[str, str]) -> Lists:
    """Return the rows of what lies in `dataset` now, for `iteration`.

    A sheet keeps its group, and as long as it stays in its split the iteration that it came with; who labelled it
    stays until its labels change: what a person changed by hand counts as imported. `groups` names groups of sheets
    that have none yet.
    """
    old = {row.image_id: (split, row) for split, rows in before.items() for row in rows}
    found: Lists = {}
    for split in before:
        found[split] = []
        sheets = sheets_in(dataset / split)
        known = digests(sheet.image for sheet in sheets)
        for sheet in sheets:
            fresh = manifest_row(
                sheet.image,
                sheet.label,
                added_iteration=iteration,
                label_source="import" if sheet.labelled else "none",
                group=groups.get(sheet.image_id, ""),
                image_sha256=known[sheet.image],
            )
            found[split].append(_kept(fresh, split, *old.get(sheet.image_id, ("", None))))
    return found


def _kept(fresh: ManifestRow, split: str, old_split: str, old: ManifestRow | None) -> ManifestRow:
    """Return the row of a sheet with what the old one knew and is still true."""
    if old is None:
        return fresh
    kept = fresh._replace(group=old.group or fresh.group)
    if old_split == split:
        kept = kept._replace(added_iteration=old.added_iteration)
    as_before = not _relabelled(old, fresh) and bool(fresh.label_sha256) == (old.label_source != "none")
    return kept._replace(label_source=old.label_source) if as_before else kept


def changes(before: Sequence[ManifestRow], now: Sequence[ManifestRow]) -> ManifestChanges:
    """Return what differs between two lists of one split."""
    old, new = ({row.image_id: row for row in rows} for rows in (before, now))
    both = [(old[name], new[name]) for name in sorted(old.keys() & new.keys())]
    return ManifestChanges(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(row.image_id for was, row in both if _relabelled(was, row) and row.label_sha256),
        tuple(row.image_id for was, row in both if was.image_sha256 not in ("", row.image_sha256)),
        tuple(row.image_id for was, row in both if _relabelled(was, row) and not row.label_sha256),
    )


def _relabelled(old: ManifestRow, new: ManifestRow) -> bool:
    """Say whether the labels differ; a list from before it named content (no digest of the image) knows nothing."""
    return bool(old.image_sha256) and old.label_sha256 != new.label_sha256
