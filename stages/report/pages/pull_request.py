"""An iteration on half a page of Markdown, for a pull request: verdict, F1, class by class, what goes to review."""

import re
from collections.abc import Mapping
from typing import Any

from stages.convergence.regression_lines import lost_text
from stages.report.pages.iteration_page import Page, of_part
from stages.report.pages.iterations import Tile, tiles
from stages.wording.quantities import counted
from stages.wording.rates import rate, rate_in

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def iteration_markdown(page: Page) -> str:
    """Return the text for a pull request; no name in it is markup, nor calls anybody."""
    report = page.report
    verdict, scores = report["verdict"], report["tables"]["scores"]
    numbers = tiles(page.history, scores, verdict)
    named = {"F1 on val": "f1", "Precision": "precision", "Recall": "recall", "mAP50": "ap50"}
    parts = [
        f"## Iteration {report['iteration']}: {verdict['verdict']}",
        escaped(str(verdict["reason"])),
        _lost(verdict),
        "\n".join(
            ["| on val | |", "| --- | --- |", *(f"| {name} | {_tile(numbers[key])} |" for name, key in named.items())]
        ),
        "\n".join(f"- {escaped(note)}" for note in report["validate"].get("notes", [])),
        _classes(of_part(scores, "class")),
        _to_review(report["sample"]),
        f"{escaped(report['dataset'])}, {f'commit {page.commit[:10]}' if page.commit else 'not finished yet'}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("@", "&#64;")


def _tile(tile: Tile) -> str:
    said = rate_in(tile.value, tile.low, tile.high)
    if tile.since is None:
        return said
    return f"{said}; {f'{tile.change} since' if tile.change else 'another ruler than'} iteration {tile.since}"


def _lost(verdict: Mapping[str, Any]) -> str:
    lost = lost_text(verdict)
    return f"**Lost since iteration {verdict['regression']['since']}:** {escaped(lost)}" if lost else ""


def _classes(rows: Any) -> str:
    if not rows:
        return ""
    lines = [
        f"| {escaped(row['name'])} | {rate_in(row['f1'], row.get('f1_low'), row.get('f1_high'))} | "
        f"{rate(row['precision'])} | {rate(row['recall'])} | {row['boxes']} | {row['fn']} | {row['fp']} |"
        for row in rows
    ]
    head = "| class | F1 | P | R | boxes | missed | false alarms |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    return "\n".join([head, *lines])


def _to_review(sample: Mapping[str, Any]) -> str:
    sheets, minutes = sample["packet_sheets"], sample.get("packet_minutes")
    if not sheets:
        return "**To review:** nothing was picked."
    work = "" if minutes is None else f", with {counted(sample['packet_boxes'], 'box')} drawn on them"
    cost = "" if minutes is None else f", about {counted(max(round(minutes), 1), 'minute')}"
    places = f"{counted(sample['chosen_objects'], 'place')} to look at first"
    return f"**To review:** {counted(sheets, 'sheet')} of {sample['pool_sheets']} in the pool{work}{cost}; {places}."
