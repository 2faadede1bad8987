"""Says, by fixed rules, what to change in the prompt of a class that the model misses."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.prompts.texts.prompt_file import Prompts, plain, shown

MAX_TOKENS = 77  # where the text encoders cut, start and end marks included
MOSTLY = 0.5  # share of a class's misses from which a trouble dominates
SMALL_WORDS = ("small", "tiny", "little")
OFTEN = 0.2  # share from which a confusion with another class is worth a word


class Evidence(NamedTuple):
    """What went wrong with one class, counted over the misses of some splits."""

    class_name: str
    prompt: tuple[str, ...]  # its texts
    misses: int
    boxes: int
    size: Mapping[str, int]
    position: Mapping[str, int]
    low_contrast: int
    confused_with: Mapping[str, int]


class Suggestion(NamedTuple):
    """One thing to change, by which rule, and why; sentences for a person."""

    rule: str  # name of the rule that speaks
    change: str  # what to change
    why: str  # the counts behind it


def gather(
    *,
    findings: pd.DataFrame,
    ground_truth: pd.DataFrame,
    confused: pd.DataFrame,
    classes: Sequence[str],
    prompts: Prompts,
) -> list[Evidence]:
    """Return the evidence of every class with misses, most misses first.

    `findings` and `ground_truth` hold the splits that count; `confused` comes from `findings.confusions`.
    """
    misses = findings[findings["outcome"] == "fn"]
    rows = [
        _evidence(
            (name, prompts[name]),
            misses=misses[misses["class_id"] == i],
            boxes=int((ground_truth["class_id"] == i).sum()),
            others=confused.loc[confused["class_id"] == i, "other_class_id"].map(dict(enumerate(classes))),
        )
        for i, name in enumerate(classes)
    ]
    return sorted((row for row in rows if row.misses), key=lambda row: -row.misses)


def suggest(evidence: Evidence, prompts: Prompts, *, told: bool = True) -> list[Suggestion]:
    """Return what to change for one class, the surest first; at least one suggestion.

    Misses of a model that was not `told` the prompts say nothing about words: then only the texts themselves are
    looked at, and there may be no suggestion.
    """
    rules = (_too_long, _shared, _bare, *((_confused, _tiny, _border, _faint) if told else ()))
    found = [one for rule in rules if (one := rule(evidence, prompts)) is not None]
    return found or ([_look(evidence)] if told else [])


def report(evidence: Sequence[Evidence], prompts: Prompts, *, told: bool = True) -> list[dict[str, Any]]:
    """Return one JSON object per class that has suggestions: counts, what dominates, and these."""
    rows = [_reported(one, suggest(one, prompts, told=told)) for one in evidence]
    return [row for row in rows if row["suggestions"]]


def _reported(one: Evidence, suggestions: Sequence[Suggestion]) -> dict[str, Any]:
    return {
        "class_name": one.class_name,
        "prompt": plain(one.prompt),  # as it was
        "misses": one.misses,  # on val and in the pool
        "boxes": one.boxes,
        "mostly": {  # the size and place that most misses share, and whether most are faint; null: none
            "size": _dominating(one.size),
            "position": _dominating(one.position),
            "contrast": "low" if one.low_contrast >= MOSTLY * one.misses else None,
        },
        "confused_with": dict(one.confused_with),  # classes that misses were taken for, and how often
        "suggestions": [dict(row._asdict()) for row in suggestions],
    }


def tokens(text: str) -> int:
    """Return roughly how many tokens `text` has: words (long ones have several), marks, plus two."""
    words = re.findall(r"\w+|[^\w\s]", text)
    return 2 + sum(1 if len(word) <= 8 else -(-len(word) // 4) for word in words)


def _evidence(named: tuple[str, tuple[str, ...]], *, misses: pd.DataFrame, boxes: int, others: pd.Series) -> Evidence:
    """Count the misses of one class; `named` is its name and prompt, `others` what it was taken for."""
    return Evidence(
        *named,
        misses=len(misses),
        boxes=boxes,
        size=_counts(misses["size"]),
        position=_counts(misses["position"]),
        low_contrast=int(misses["low_contrast"].sum()),
        confused_with=_counts(others),
    )


def _counts(values: pd.Series) -> dict[str, int]:
    """Return how often each value occurs, the most frequent first, ties by name."""
    counts = values.value_counts().to_dict()
    return {str(key): int(counts[key]) for key in sorted(counts, key=lambda key: (-counts[key], str(key)))}


def _dominating(counts: Mapping[str, int]) -> str | None:
    """Return what at least half of the misses have, or None."""
    name = max(counts, key=lambda key: counts[key], default=None)
    return name if name is not None and counts[name] >= MOSTLY * sum(counts.values()) else None


def _too_long(one: Evidence, _: Prompts) -> Suggestion | None:
    count = max(map(tokens, one.prompt))
    if count <= MAX_TOKENS:
        return None
    why = f"It has about {count} tokens, and what comes after {MAX_TOKENS} is cut."
    return Suggestion("too_long", "Shorten it, with what matters most first.", why)


def _shared(one: Evidence, prompts: Prompts) -> Suggestion | None:
    own = set(map(_words, one.prompt))
    twins = [name for name, texts in prompts.items() if name != one.class_name and own & set(map(_words, texts))]
    if not twins:
        return None
    change = f"Give {_names([one.class_name, *twins])} different prompts."
    return Suggestion("shared", change, "With the same text the model cannot tell the classes apart.")


def _bare(one: Evidence, _: Prompts) -> Suggestion | None:
    if set(map(_words, one.prompt)) != {_words(one.class_name)}:
        return None
    change = "Describe what it looks like: its outline, what is written in it, what it stands beside."
    return Suggestion(
        "bare_name", change, f"'{shown(one.prompt)}' is only the name of the class; the model knows shapes better."
    )


def _confused(one: Evidence, prompts: Prompts) -> Suggestion | None:
    other = next(iter(one.confused_with), None)
    if other is None or one.confused_with[other] < OFTEN * one.misses:
        return None
    change = f"Name what tells it from '{other}' (its prompt: '{shown(prompts[other])}')."
    return Suggestion(
        "confused", change, f"{one.confused_with[other]} of {one.misses} misses were taken for '{other}'."
    )


def _tiny(one: Evidence, _: Prompts) -> Suggestion | None:
    little = one.size.get("tiny", 0) + one.size.get("small", 0)
    if little < MOSTLY * one.misses:
        return None
    mend = "raise imgsz in train and predict, or set tile."
    said = any(word.strip(",.") in SMALL_WORDS for text in one.prompt for word in _words(text))
    change = mend.capitalize() if said else f"Say that it is small, as in 'small ...'; if that does not help, {mend}"
    return Suggestion("small", change, f"{little} of {one.misses} misses are tiny or small.")


def _border(one: Evidence, _: Prompts) -> Suggestion | None:
    outside = one.position.get("edge", 0) + one.position.get("corner", 0)
    if outside < MOSTLY * one.misses:
        return None
    change = "Say what it stands beside at the border of a sheet, such as a frame or a title block."
    return Suggestion("border", change, f"{outside} of {one.misses} misses lie at a border of the sheet.")


def _faint(one: Evidence, _: Prompts) -> Suggestion | None:
    if one.low_contrast < MOSTLY * one.misses:
        return None
    change = "Say how faint it is, as in 'thin grey outline'."
    return Suggestion("low_contrast", change, f"{one.low_contrast} of {one.misses} misses have hardly any contrast.")


def _look(one: Evidence) -> Suggestion:
    change = "Look at the crops, and name what these have in common that the prompt does not say."
    return Suggestion("look", change, f"Nothing stands out among its {one.misses} misses, nor in the prompt.")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.casefold().split())


def _names(names: Sequence[str]) -> str:
    return " and ".join([", ".join(f"'{name}'" for name in names[:-1]), f"'{names[-1]}'"])
