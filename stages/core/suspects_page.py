"""The page of the labels that look wrong: each as it is labelled and as the model saw it, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.analysis.suspicion import KINDS
from stages.core.document import document
from stages.core.markup import Column, meter, section, table, text

MISTAKES = [kind for kind in KINDS if kind not in ("missed", "false_alarm")]  # what blames the label
_COLUMNS = (
    Column("split", ""),
    Column("label", "it looks wrong: suspicion of 0.5 and more"),
    Column("unclear", "suspicion from 0.25 on"),
    Column("model", "it is wrong: misses and false alarms that nothing in the labels explains"),
)
_LEGEND = (
    "Left: the sheet as it is labelled. Right: what the model saw there. Red is what the sentence speaks of, blue what "
    "lies around it. "
    "A suspicion is no proof: where the model errs in the same way again and again, it is sure and wrong. These labels "
    "are never counted as learning, and nothing changes them but you: after `yoloop advance`, and before the next run, "
    "correct the label file on disk, then make the correction official with `yoloop data accept`."
)


class Pair(NamedTuple):
    """A suspect, a row of SUSPECTS, and its two pictures (data URIs), None without a sheet."""

    row: Mapping[Any, Any]
    class_name: str
    other_name: str  # of other_class_id; else class_name
    labelled: str | None
    seen: str | None


def suspects_html(iteration: int, suspects: pd.DataFrame, pairs: Sequence[Pair]) -> str:
    """Return the document: `suspects` are counted, `pairs` are shown, in their order."""
    blamed = int((suspects["judgement"] != "model").sum())
    said = f"{len(pairs)} of {blamed} suspects are shown" if len(pairs) < blamed else f"{blamed} suspects"
    shown = f"<p>{text(said)}, the most suspicious first.</p>{_choice(pairs)}" if pairs else "<p>None.</p>"
    parts = [
        f"<header><h1>Check the label: iteration {iteration}</h1></header>",
        section("Label or model?", _counts(suspects)),
        section("Suspects", shown, legend=_LEGEND),
    ]
    return document(f"Suspects of iteration {iteration}", "\n".join(parts), style=_STYLE + _filters())


def _counts(suspects: pd.DataFrame) -> str:
    """Return how many judgements of each kind every split has."""
    splits = [split for split in ("val", "train", "pool") if (suspects["split"] == split).any()]
    rows = [
        [
            text(split),
            *(
                str(int(((suspects["split"] == split) & (suspects["judgement"] == one)).sum()))
                for one in ("label", "unclear", "model")
            ),
        ]
        for split in splits
    ]
    return table(_COLUMNS, rows) if rows else "<p>Nothing was missed and nothing seen wrongly.</p>"


def _choice(pairs: Sequence[Pair]) -> str:
    """Return the pictures with a row of buttons before them, which show one kind; no script is needed."""
    counts = {kind: sum(pair.row["kind"] == kind for pair in pairs) for kind in MISTAKES}
    buttons = [("all", "all", len(pairs)), *((kind, KINDS[kind], count) for kind, count in counts.items() if count)]
    inputs = "".join(
        f'<input type="radio" name="kind" id="show-{kind}"{" checked" if kind == "all" else ""}>'
        f'<label for="show-{kind}">{text(name)} <span>{count}</span></label>'
        for kind, name, count in buttons
    )
    return f'<div class="choice">{inputs}<div class="pairs">{"".join(map(_figure, pairs))}</div></div>'


def _figure(pair: Pair) -> str:
    row = pair.row
    alone = pd.isna(row["iou"])
    overlap = "" if alone else f", IoU {row['iou']:.2f}"
    where = f"{row['split']} · {row['image_id']}{overlap}"
    pictures = "".join(
        f'<div>{_picture(picture, name)}<small class="soft">{text(name)}</small></div>'
        for name, picture in zip(_captions(pair), (pair.labelled, pair.seen), strict=True)
    )
    return (
        f'<figure class="{text(row["kind"])}"><div class="two">{pictures}</div><figcaption>'
        f"<b>{text(KINDS[row['kind']])}</b><span>{text(row['reason'])}</span>"
        f'<span>{text(where)}</span><span title="suspicion, 0 to 1">{meter(float(row["score"]))} '
        f"{'the label looks wrong' if row['judgement'] == 'label' else 'unclear'}</span></figcaption></figure>"
    )


def _captions(pair: Pair) -> tuple[str, str]:
    """Return what the label says, and what the model."""
    row, said = pair.row, pair.other_name if pair.row["kind"] == "wrong_class" else pair.class_name
    labelled = "no label" if pd.isna(row["object_id"]) else f"label: {pair.class_name}"
    return labelled, "the model" if pd.isna(row["detection_id"]) else f"the model: {said}, {row['confidence']:.0%}"


def _picture(picture: str | None, alt: str) -> str:
    return f'<img src="{text(picture)}" alt="{text(alt)}">' if picture else '<div class="blank">no sheet</div>'


def _filters() -> str:
    """Return the CSS that hides the other kinds when one is chosen."""
    return "".join(f"#show-{kind}:checked ~ .pairs figure:not(.{kind}) {{ display: none; }}\n" for kind in MISTAKES)


_STYLE = """
.choice > input { position: absolute; opacity: 0; }
.choice > label { display: inline-block; padding: 3px 12px; margin: 0 6px 12px 0; cursor: pointer; }
.choice > label { border: 1px solid var(--line); border-radius: 999px; }
.choice > label span { color: var(--soft); }
.choice > input:checked + label { background: var(--k0); border-color: var(--k0); color: var(--paper); }
.choice > input:checked + label span { color: inherit; }
.choice > input:focus-visible + label { outline: 2px solid var(--ink); outline-offset: 2px; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 26px 30px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.two small { display: block; text-align: center; }
"""
