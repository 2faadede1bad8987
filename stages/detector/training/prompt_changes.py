"""What an edit of the prompts does: which classes are told something else, and which cannot be told apart."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.prompts.texts.prompt_file import Prompts, shown

Embeddings = Mapping[str, NDArray[np.float32]]  # class name: (512,), of length 1, as a head understands its prompt
NEAR = 0.9  # cosine of two classes' embeddings from which F1 of both falls by 0.08: `python -m benchmarks.wordings`
SAME = 0.9999  # from which nothing can: to wordllama the order of words does not count


class PromptChange(NamedTuple):
    """What became of one class."""

    class_name: str
    kind: Literal["same", "reworded", "new", "gone"]
    before: tuple[str, ...]  # its texts; none for a new one, and where nobody knows them
    after: tuple[str, ...]  # none for one that is gone
    cosine: float | None  # of its embeddings before and after, in [-1, 1]; None without both


class NearPair(NamedTuple):
    """Two classes whose prompts mean almost the same to the encoder."""

    one: str
    other: str
    cosine: float


def prompt_changes(
    *, before: Embeddings, after: Embeddings, texts_before: Prompts | None, texts_after: Prompts
) -> list[PromptChange]:
    """Return what became of every class, those of `after` first, in their order.

    `texts_before` is None for a model that does not remember its texts; then the embeddings alone decide.
    """
    gone = [name for name in before if name not in after]
    return [
        *(_change(name, before, after, texts_before, texts_after) for name in after),
        *(PromptChange(name, "gone", (texts_before or {}).get(name, ()), (), None) for name in gone),
    ]


def _change(
    name: str, before: Embeddings, after: Embeddings, texts_before: Prompts | None, texts_after: Prompts
) -> PromptChange:
    told, tells = (texts_before or {}).get(name, ()), texts_after[name]
    if name not in before:
        return PromptChange(name, "new", (), tells, None)
    cosine = float(before[name] @ after[name])
    same = told == tells if texts_before is not None else cosine >= SAME
    return PromptChange(name, "same" if same else "reworded", told, tells, cosine)


def near_pairs(embeddings: Embeddings, least: float = NEAR) -> list[NearPair]:
    """Return the pairs of classes with a cosine from `least` on, the nearest first."""
    pairs = [NearPair(a, b, float(embeddings[a] @ embeddings[b])) for a, b in combinations(embeddings, 2)]
    return sorted((pair for pair in pairs if pair.cosine >= least), key=lambda pair: -pair.cosine)


def change_lines(changes: Sequence[PromptChange]) -> list[str]:
    """Return a line for each class whose prompt is another one now."""
    return [_line(one) for one in changes if one.kind != "same"]


def near_lines(pairs: Sequence[NearPair]) -> list[str]:
    """Return a line for each pair of classes that are hard to tell apart."""
    return [
        f"'{pair.one}' and '{pair.other}' mean almost the same to the text encoder (cosine {pair.cosine:.3f}): "
        "say what tells them apart"
        for pair in pairs
    ]


def _line(one: PromptChange) -> str:
    if one.kind == "new":
        return f"{one.class_name}: new, told '{shown(one.after)}'; nothing was learned for it yet"
    if one.kind == "gone":
        return f"{one.class_name}: is no class any more"
    before = f"'{shown(one.before)}' -> " if one.before else ""
    return f"{one.class_name}: {before}'{shown(one.after)}' (cosine of the embeddings {one.cosine:.3f})"
