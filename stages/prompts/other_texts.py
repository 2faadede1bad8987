"""Proposes other texts for a class: from what its prompt says, and from what its labels really look like.

Each rule is a plain edit of words, so that a person sees what was changed; whether one helps is measured elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.prompts.rewording import MAX_TOKENS, SMALL_WORDS, Suggestion, tokens
from stages.prompts.texts.examples import is_example
from stages.prompts.texts.prompt_file import Prompts

MOST = 8  # candidates for a class: each is one row more that the network compares every place with
MOSTLY = 0.5  # share of a class's labels from which a word about them is true
WIDE = 2.0  # width / height from which a box is called wide, and below the inverse of which it is called tall
SQUARE = 1.5  # up to which, and down to the inverse of which, it is neither
SOLID = 0.5  # share of dark pixels in a box from which it looks filled; little ink says nothing: a part may be filled

_LARGE = ("large", "big", "huge")
_WIDE, _TALL = ("wide", "long", "flat", "horizontal"), ("tall", "high", "vertical")
_ROUND = ("round", "circle", "circular", "bubble", "ring", "dot")
_SOLID, _OPEN = ("solid", "filled"), ("open", "outlined", "hollow")
_JOINTS = (", ", " with ", " in ", " under ", " over ", " beside ", " and ")  # where a phrase ends


class LabelProfile(NamedTuple):
    """What the labels of one class look like; None where there are too few to say."""

    small: float | None  # share of boxes that are tiny or small
    aspect: float | None  # median width / height
    border: float | None  # share of boxes at an edge or in a corner
    ink: float | None  # median share of dark pixels inside a box


class OtherText(NamedTuple):
    """Other texts for a class, and the rule that they come from."""

    rule: str
    texts: tuple[str, ...]


def label_profile(sizes: pd.Series, aspects: pd.Series, positions: pd.Series, inks: pd.Series) -> LabelProfile:
    """Return the profile of labels given by their size name, width / height, position name and share of dark pixels."""
    if sizes.empty:
        return LabelProfile(None, None, None, None)
    return LabelProfile(
        float(sizes.isin(["tiny", "small"]).mean()),
        float(aspects.median()),
        float(positions.isin(["edge", "corner"]).mean()),
        float(inks.median()) if inks.notna().any() else None,
    )


def other_texts(class_name: str, prompts: Prompts, profile: LabelProfile, faint: bool) -> list[OtherText]:
    """Return at most MOST other texts for a class, none of them one that a class has already.

    `faint` says whether most of its misses have hardly any contrast.
    """
    own = prompts[class_name]
    found = list(_named(class_name, profile))
    first = next((text for text in own if not is_example(text)), None)
    if first is not None:
        words = _words_for(first, profile, faint)
        found = [*_without_wrong(first, profile), *words, *_shorter(first), *found]
    # the present texts and the first other one: what both say together
    ensemble = [OtherText("ensemble", (*own, one.texts[0])) for one in found[:1]]
    return _distinct([*found, *ensemble], prompts)[:MOST]


def contradictions(texts: Sequence[str], profile: LabelProfile) -> list[Suggestion]:
    """Return what the texts of a class say that its labels contradict, with what these look like."""
    return [
        Suggestion("contradicted", f"Leave out {_quoted(said)}{f', or say {right}' if right else ''}.", why)
        for wrong, right, why in _contradicted(profile)
        if (said := [word for text in texts if not is_example(text) for word in _bare_words(text) if word in wrong])
    ]


def _quoted(words: Sequence[str]) -> str:
    return " and ".join(f"'{word}'" for word in dict.fromkeys(words))


def _bare_words(text: str) -> list[str]:
    return [word.strip(",.").casefold() for word in text.split()]


def _without_wrong(text: str, profile: LabelProfile) -> Iterator[OtherText]:
    """Yield the text without words that its labels contradict, and with the right one in their place."""
    for wrong, right, _ in _contradicted(profile):
        kept = [word for word, bare in zip(text.split(), _bare_words(text), strict=True) if bare not in wrong]
        if len(kept) < len(text.split()):
            yield OtherText("contradicted", (" ".join([*([right] if right else []), *kept]),))


def _contradicted(profile: LabelProfile) -> Iterator[tuple[Sequence[str], str, str]]:
    """Yield words that are wrong for most labels of a class, the word that is right ("" for none), and why."""
    if profile.small is not None:
        share = f"{profile.small:.0%} of its boxes are tiny or small."
        yield (_LARGE, "small", share) if profile.small >= MOSTLY else (SMALL_WORDS, "", share)
    if profile.aspect is not None:
        shape = f"Half of its boxes are at least {profile.aspect:.1f} times as wide as high."
        if profile.aspect >= WIDE:
            yield (*_ROUND, *_TALL), "wide", shape
        elif profile.aspect <= 1 / WIDE:
            yield (
                (*_ROUND, *_WIDE),
                "tall",
                f"Half of its boxes are at least {1 / profile.aspect:.1f} times as high as wide.",
            )
        elif 1 / SQUARE <= profile.aspect <= SQUARE:
            yield (*_WIDE, *_TALL), "", "Most of its boxes are about as wide as high."
    if profile.ink is not None and profile.ink >= SOLID:
        yield _OPEN, "solid", f"Half of its boxes are dark over {profile.ink:.0%} of their area."


def _words_for(text: str, profile: LabelProfile, faint: bool) -> Iterator[OtherText]:
    """Yield the text with one true word more that it does not say yet."""
    said = set(_bare_words(text))
    for rule, word, known in _true_words(profile):
        if not said & set(known):
            yield OtherText(rule, (f"{word} {text}",))
    if faint and not said & {"thin", "faint", "grey", "gray"}:
        yield OtherText("low_contrast", (f"{text}, thin grey outline",))
    if profile.border is not None and profile.border >= MOSTLY and "border" not in said:
        yield OtherText("border", (f"{text} at the border of a sheet",))


def _true_words(profile: LabelProfile) -> Iterator[tuple[str, str, Sequence[str]]]:
    if profile.small is not None and profile.small >= MOSTLY:
        yield "small", "small", SMALL_WORDS
    if profile.aspect is not None and profile.aspect >= WIDE:
        yield "wide", "wide", _WIDE
    if profile.aspect is not None and profile.aspect <= 1 / WIDE:
        yield "tall", "tall", _TALL
    if profile.ink is not None and profile.ink >= SOLID:
        yield "solid", "solid", _SOLID


def _shorter(text: str) -> Iterator[OtherText]:
    """Yield the text up to its first joint: what is said first is what matters."""
    ends = [place for joint in _JOINTS if (place := text.find(joint)) > 0]
    if ends:
        yield OtherText("shorter", (text[: min(ends)],))


def _named(class_name: str, profile: LabelProfile) -> Iterator[OtherText]:
    """Yield the name of the class with all true words before it."""
    words = [word for _, word, _ in _true_words(profile)]
    yield OtherText("name", (" ".join([*words, class_name.replace("_", " ")]),))


def _distinct(found: Sequence[OtherText], prompts: Mapping[str, tuple[str, ...]]) -> list[OtherText]:
    """Return the candidates that can be read whole and mean something new, each once."""
    taken = {text.casefold() for texts in prompts.values() for text in texts}
    kept: dict[tuple[str, ...], OtherText] = {}
    for one in found:
        key = tuple(text.casefold() for text in one.texts)
        new = set(key) - taken
        if new and all(text.strip() and tokens(text) <= MAX_TOKENS for text in one.texts):
            kept.setdefault(key, one)
    return list(kept.values())


def dark_share(grey: np.ndarray) -> float:
    """Return the share, in [0, 1], of pixels of a crop (h, w) darker than half of its range; NaN for an empty one."""
    if not grey.size:
        return float("nan")
    low, high = int(grey.min()), int(grey.max())
    return float((grey < (low + high) / 2).mean()) if high > low else 0.0
