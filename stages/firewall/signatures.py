"""Confirms on pixels which sheets are copies of one. Two sheets are laid on each other once, ever."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from stages.base.decoding import PACKAGES
from stages.base.file_facts import code_of, digest_of, kind_of, remembered
from stages.firewall.candidate_search import candidates, every_candidate
from stages.firewall.copies import NEAR, SAME, Fingerprint, Joined
from stages.firewall.laying.alignment import Laying, Softened, alike
from stages.firewall.laying.rough_fit import may_fit

Names = Mapping[str, Fingerprint]
Pair = tuple[int, int]
# The code that says whether two fingerprints are of copies: a change of it makes all anew.
_NAMES = ("candidate_search", "copies", "grey_squares", "sheet_hashes", "signatures")
_LAYING = ("alignment", "patches", "rough_fit")
SOURCES = tuple(Path(__file__).parent / f"{name}.py" for name in (*_NAMES, *(f"laying/{one}" for one in _LAYING)))
_CODE = code_of(SOURCES)
# Pairs that are told apart roughly at a time. Of many copies of one sheet, so few are before all are joined.
_PAIRS = 1024
_YES, _NO = b"1", b"0"


def copies(mine: Names, theirs: Names) -> list[tuple[str, str]]:
    """Return the pairs (of `mine`, of `theirs`) that are copies of one sheet, sorted; a sheet is no copy of itself."""
    return _pairs(mine, theirs, SAME)


def near_copies(mine: Names, theirs: Names) -> dict[str, list[str]]:
    """Return each sheet of `mine` that has a near copy in `theirs`, with those; a looser bar than that of `copies`."""
    found: dict[str, list[str]] = {}
    for name, other in _pairs(mine, theirs, NEAR):
        found.setdefault(name, []).append(other)
    return found


def links(prints: Names) -> list[tuple[str, str]]:
    """Return pairs of copies that join the same sheets as all pairs of `copies` do, but fewer, in any order.

    Of sheets that look the same to the last pixel each is joined with the next, and no pair is laid on each other
    that others have joined: with many copies of one sheet, pairs are many.
    """
    kinds = _kinds(prints)
    one_each = [prints[names[0]] for names in kinds]
    joined = Joined(len(kinds))
    for pair in _alike(one_each, one_each, SAME, passed_over=lambda pair: joined.root(pair[0]) == joined.root(pair[1])):
        joined.join(*pair)
    sets = [[name for kind in members for name in kinds[kind]] for members in joined.sets()]
    return [pair for names in sets for pair in pairwise(names)]


def _pairs(mine: Names, theirs: Names, bar: float) -> list[tuple[str, str]]:
    kinds = _kinds(mine)
    others = kinds if theirs is mine else _kinds(theirs)
    prints = [mine[names[0]] for names in kinds]
    other_prints = prints if theirs is mine else [theirs[names[0]] for names in others]
    found = set(_alike(prints, other_prints, bar))
    if theirs is mine:
        found |= {(j, i) for i, j in found} | {(i, i) for i in range(len(kinds))}
    pairs = ((name, other) for i, j in found for name in kinds[i] for other in others[j])
    return sorted(pair for pair in pairs if pair[0] != pair[1])


def _alike(
    mine: Sequence[Fingerprint],
    theirs: Sequence[Fingerprint],
    bar: float,
    *,
    passed_over: Callable[[Pair], bool] = lambda pair: False,
) -> Iterator[Pair]:
    """Yield the pairs of `_layings` that agree in a share `bar` of their tiles; of others, nobody need know.

    The answer hangs on the two fingerprints alone, and is kept.
    """
    layings = _layings(mine, theirs, bar)
    every, soft = list(layings), Softened()
    for start in range(0, len(every), _PAIRS):
        pairs = [pair for pair in every[start : start + _PAIRS] if not passed_over(pair)]
        if bar >= SAME:
            pairs = _fitting(pairs, layings)

        def find(place: int, pairs: list[Pair] = pairs) -> bytes | None:
            if passed_over(pairs[place]):
                return None
            return _YES if alike(layings[pairs[place]], bar, soft) else _NO

        keys = [digest_of(sorted((mine[i].identity, theirs[j].identity))) for i, j in pairs]
        answers = remembered(keys, kind_of(f"alike {bar}", _CODE, PACKAGES), find)
        yield from (pair for pair, answer in zip(pairs, answers, strict=True) if answer == _YES)


def _fitting(pairs: list[Pair], layings: Mapping[Pair, list[Laying]]) -> list[Pair]:
    """Return those of `pairs` whose sheets may fit in one of the ways to lay them.

    Pairs are many, and asking for each takes as long as this. So the answers of all are kept as one.
    """
    ways = [one for pair in pairs for one in layings[pair]]
    if not ways:
        return []
    key = digest_of([b"".join(one.whole.identity + one.part.identity + _view(one) for one in ways)])
    kind = kind_of("fit", _CODE, PACKAGES)
    answers = next(remembered([key], kind, lambda _: np.packbits(may_fit(ways)).tobytes()))
    fits = iter(np.unpackbits(np.frombuffer(answers or b"", np.uint8))[: len(ways)].tolist())
    # All ways are gone through, whether or not the first fits.
    return [pair for pair, fit in [(pair, [next(fits) for _ in layings[pair]]) for pair in pairs] if any(fit)]


def _view(one: Laying) -> bytes:
    return bytes([one.pair.window, one.pair.orientation])


def _layings(mine: Sequence[Fingerprint], theirs: Sequence[Fingerprint], bar: float) -> dict[Pair, list[Laying]]:
    """Return the pairs (of `mine`, of `theirs`) to look at, with the ways to lay each: either on the other.

    Where the two are the same, a pair is named by its lower number first, and none is of a sheet and itself.
    """
    propose = candidates if bar >= SAME else every_candidate
    found: dict[Pair, list[Laying]] = {}
    for pair in propose(mine, theirs):
        if mine is not theirs or pair.whole != pair.part:
            key = (pair.whole, pair.part)
            key = (min(key), max(key)) if mine is theirs else key
            found.setdefault(key, []).append(Laying(mine[pair.whole], theirs[pair.part], pair))
    for pair in propose(theirs, mine) if mine is not theirs else []:
        found.setdefault((pair.part, pair.whole), []).append(Laying(theirs[pair.whole], mine[pair.part], pair))
    return found


def _kinds(prints: Names) -> list[list[str]]:
    """Return the names in sets that have one fingerprint; most sets have one name."""
    found: dict[bytes, list[str]] = {}
    for name, one in prints.items():
        found.setdefault(one.identity, []).append(name)
    return list(found.values())
