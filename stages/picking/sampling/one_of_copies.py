"""Lets a strategy that picks objects, whatever their sheet, take one of the copies of a sheet: the first it picks."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from stages.picking.packet_choice import Chooser, Ints

CopiesAmong = Callable[[Sequence[str]], Sequence[tuple[str, str]]]  # pairs of sheets that are copies of each other


def one_of_copies(chooser: Chooser, copies_among: CopiesAmong) -> Chooser:
    """Return `chooser` as one that chooses again without the copies of sheets that it has picked, until it has none.

    What it left for that is still among what it returns, without a rank.
    """

    def choose(candidates: pd.DataFrame, rows: Ints, rng: np.random.Generator) -> pd.DataFrame:
        left, gone = rows, list[pd.DataFrame]()
        while True:
            ranked = chooser.choose(candidates, left, rng)
            spare = _later_copies(_picked_sheets(ranked, candidates), copies_among)
            if not spare:
                return pd.concat([ranked, *gone], ignore_index=True) if gone else ranked
            out = candidates["image_id"].iloc[left].isin(spare).to_numpy()
            passed = ranked[ranked["row"].isin(left[out])]
            gone.append(passed.assign(rank=pd.array([pd.NA] * len(passed), dtype="Int64")))
            left = left[~out]

    return chooser._replace(choose=choose)


def _picked_sheets(ranked: pd.DataFrame, candidates: pd.DataFrame) -> list[str]:
    """Return the sheets of which objects are picked, in the order of their first ones."""
    best = ranked[ranked["rank"].notna()].sort_values("rank")
    return list(dict.fromkeys(candidates["image_id"].iloc[best["row"]].tolist()))


def _later_copies(sheets: Sequence[str], copies_among: CopiesAmong) -> set[str]:
    """Return those of `sheets` that are copies of one before them that stays."""
    pairs = {frozenset(pair) for pair in copies_among(sheets)}
    kept: list[str] = []
    for name in sheets:
        if not any(frozenset((name, other)) in pairs for other in kept):
            kept.append(name)
    return set(sheets) - set(kept)
