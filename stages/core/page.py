"""The page of an iteration: one HTML document that asks for nothing outside, and runs no script."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.core import page_wording as wording
from stages.core.document import document
from stages.core.markup import badge, fold, number, pairs, section, text
from stages.core.page_losses import error_view, ledger_view
from stages.core.page_numbers import Seconds, charts, cost_table, iteration_table, miss_bars, tiles
from stages.core.page_review import review_view
from stages.core.page_ruler import ruler_block
from stages.core.page_scores import opening_table, score_tables
from stages.core.page_shots import Shot, gallery, shown_of
from stages.holdout.openings import opened_text

_VERSIONS = ("ultralytics", "torch", "encoder", "device", "start", "weights_sha256")


class Pictures(NamedTuple):
    """The shots of a page; `note` says why there are none, or is ""."""

    misses: Sequence[Shot] = ()
    alarms: Sequence[Shot] = ()
    packet: Sequence[Shot] = ()
    note: str = ""


class Page(NamedTuple):
    """All that stands on a page."""

    report: Mapping[str, Any]  # as in metrics/reports/iteration_NN.json
    history: pd.DataFrame  # a row per iteration, up to this one
    commit: str | None  # of the finished iteration
    suggestions: Sequence[Mapping[str, Any]]  # as in metrics/prompt_suggestions.json
    pictures: Pictures
    seconds: Seconds
    pages: Mapping[int, str]  # earlier iterations that have a page -> its address
    suspects: str | None = None  # address of the page of labels that look wrong, if there is one
    openings: Sequence[Mapping[str, Any]] = ()  # of test: the rows of metrics/holdout.csv


def page_html(page: Page) -> str:
    """Return the document; undefined numbers are a dash, and equal input gives equal bytes."""
    report = page.report
    limits, validate, tables = report["params"]["converge"], report["validate"], report["tables"]
    parts = [
        _top(page),
        section("In numbers", tiles(validate, page.history, tables["scores"], report["verdict"]), legend=wording.TILES),
        section(
            "Over the iterations",
            charts(page.history, limits["target_f1"]),
            iteration_table(page.history, page.pages),
            legend=wording.rules(limits),
        ),
        section(
            "Class by class, size by size on val",
            score_tables(tables["scores"]),
            legend=wording.SCORES,
        ),
        section("The ruler", ruler_block(validate, page.history), legend=wording.RULER),
        section("Where the boxes of val went", ledger_view(tables["ledger"]), legend=wording.LEDGER),
        section("What the errors cost", error_view(tables["errors"]), legend=wording.ERRORS),
        _missed(page),
        _alarms(page),
        _review(page),
        _packet(page),
        _prompts(page),
        _test(page),
        section("What it cost", cost_table(page.history, page.seconds), legend=wording.COST),
        _made_of(page),
    ]
    return document(f"Iteration {report['iteration']}", "\n".join(part for part in parts if part))


def _top(page: Page) -> str:
    report, verdict = page.report, page.report["verdict"]
    at = f"commit {page.commit[:10]}" if page.commit else "not finished yet"
    return (
        f'<header><div class="top"><h1>Iteration {text(report["iteration"])}</h1>{badge(verdict["verdict"])}'
        f'<span class="soft">{text(wording.because(verdict["rule"]))}</span></div>'
        f'<p class="reason">{text(verdict["reason"])}</p>'
        f'<div class="soft">{text(report["dataset"])} · {text(at)}</div>{_unseen(report.get("labels", {}))}</header>'
    )


def _unseen(labels: Mapping[str, int]) -> str:
    """Return a warning where sheets were trained on whose labels nobody looked at."""
    count, total = labels.get("auto", 0), sum(labels.values())
    return f'<p class="note">{text(wording.unseen(count, total))}</p>' if count else ""


def _missed(page: Page) -> str:
    missed, shots = page.report["validate"]["fn"], page.pictures.misses
    if not missed:
        return section("What was missed on val", "<p>Nothing.</p>")
    counts = f"{miss_bars(page.report['tables']['counts'], missed=missed)}{_suspects(page)}"
    pictures = f"<p>{text(shown_of(len(shots), missed, 'missed boxes'))}</p>{gallery(shots)}" if shots else _note(page)
    return section("What was missed on val", counts, pictures, legend=wording.MISSED)


def _suspects(page: Page) -> str:
    """Return a link to the page of labels that look wrong, where there is one."""
    if not page.suspects:
        return ""
    return f'<p>Label or model? <a href="{text(page.suspects)}">Labels that look wrong</a>, side by side.</p>'


def _alarms(page: Page) -> str:
    shots, total = page.pictures.alarms, page.report["validate"]["fp"]
    if not shots:
        return ""
    said = f"<p>{text(shown_of(len(shots), total, 'false alarms'))}, the surest first.</p>"
    return section("What was seen wrongly on val", said, gallery(shots), legend=wording.ALARMS)


def _review(page: Page) -> str:
    """Return what the review before this iteration found; nothing where there was none, or a report has none yet."""
    said = review_view(page.report.get("review", {}))
    return section("The review before this iteration", said, legend=wording.REVIEW) if said else ""


def _packet(page: Page) -> str:
    counts, shots = page.report["sample"], page.pictures.packet
    said = f"<p>{text(wording.chosen(counts))}</p>"
    if not counts["chosen_objects"]:
        return section("What goes to review", said)
    count = shown_of(len(shots), counts["chosen_objects"], "objects")
    pictures = f"<p>{text(count)}, the most valuable first.</p>{gallery(shots, wide=True)}" if shots else _note(page)
    return section("What goes to review, and why", said, pictures, legend=wording.PACKET)


def _note(page: Page) -> str:
    return f'<p class="note">{text(page.pictures.note)}</p>'


def _test(page: Page) -> str:
    """Return what came out whenever test was opened; nothing where it never was."""
    if not page.openings:
        return ""
    said = opened_text(len(page.openings))
    parts = [f"<p>{text(said[:1].upper())}{text(said[1:])}.</p>", opening_table(page.openings)]
    return section("On test", *parts, legend=wording.TEST)


def _prompts(page: Page) -> str:
    if not page.suggestions:
        return section("Prompts", pairs(page.report["prompts"]), legend=wording.NO_PROMPTS)
    return section("Prompts: what to change", *map(_suggestion, page.suggestions), legend=wording.PROMPTS)


def _suggestion(one: Mapping[str, Any]) -> str:
    items = "".join(
        f'<li>{text(each["change"])} <span class="soft">{text(each["why"])}</span></li>' for each in one["suggestions"]
    )
    return (
        f"<h3>{text(one['class_name'])}: “{text(one['prompt'])}”</h3>"
        f'<p class="soft">{number(one["misses"])} of {number(one["boxes"])} boxes missed on val and pool</p>'
        f'<ul class="plain">{items}</ul>'
    )


def _made_of(page: Page) -> str:
    report, train = page.report, page.report["train"]
    made = {
        "dataset": report["dataset"],
        "started from commit": report["start"],
        "finished as commit": page.commit or "not finished yet",
        **{name: train[name] for name in _VERSIONS if name in train},
    }
    rest = {key: value for key, value in train.items() if key not in _VERSIONS}
    return section(
        "What it is made of",
        pairs(made),
        fold("What the training used", pairs(rest)),
        fold("Parameters", pairs(report["params"])),
        fold("Prompts", pairs(report["prompts"])),
        legend=wording.MADE_OF,
    )
