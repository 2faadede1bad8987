"""Takes every picture of a dataset once: tools list one several times, with the same boxes or with others."""

from collections.abc import Sequence
from pathlib import Path

from stages.dataset.defects import Defect, finding
from stages.formats.source_sheets import Box, Dataset, SourceSheet


def once_each(dataset: Dataset) -> Dataset:
    """Return `dataset` with each picture once where its entries agree; where they do not, each has an error."""
    entries: dict[Path, list[SourceSheet]] = {}
    for sheet in dataset.sheets:
        entries.setdefault(sheet.item.image, []).append(sheet)
    if len(entries) == len(dataset.sheets):
        return dataset
    sheets: list[SourceSheet] = []
    findings: list[Defect] = []
    for group in entries.values():
        if len({sheet.split for sheet in group}) == 1 and all(_content(sheet) == _content(group[0]) for sheet in group):
            sheets.append(group[0])
            findings += [_twice(group)] if len(group) > 1 else []
        else:
            sheets += [sheet._replace(findings=(*sheet.findings, _differ(group))) for sheet in group]
    return dataset._replace(sheets=tuple(sheets), findings=(*dataset.findings, *findings))


def _content(sheet: SourceSheet) -> tuple[object, list[tuple[int, Box]]]:
    return sheet.frame, sorted((row.class_id, row.xywh) for row in sheet.rows)


def _twice(group: Sequence[SourceSheet]) -> Defect:
    image, label = group[0].item
    return finding("warning", "once_each.listed-twice", label, name=image.name, count=len(group))


def _differ(group: Sequence[SourceSheet]) -> Defect:
    image = group[0].item.image
    splits = list(dict.fromkeys(sheet.split for sheet in group))
    if len(splits) > 1:
        return finding("error", "once_each.two-splits", image, splits=" and in ".join(splits))
    boxes = " and ".join(f"{len(sheet.rows)} boxes" for sheet in group)
    files = dict.fromkeys(sheet.item.label.name for sheet in group)
    return finding("error", "once_each.two-entries", image, boxes=boxes, files=", ".join(files))
