"""All sheets compared with all, as plainly as can be: what the search must not propose beyond, and what it may miss."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.firewall.candidate_search import FIRST_WORD_BAR
from stages.firewall.copies import HASH_BAR, HASH_BITS, ORIENTATIONS, Candidate, Fingerprint
from stages.firewall.laying.alignment import likeness


def all_candidates(wholes: Sequence[Fingerprint], parts: Sequence[Fingerprint]) -> list[Candidate]:
    """Return every pair whose nearest hashes are within the bars, by its nearest view."""
    found = []
    for i, whole in enumerate(wholes):
        for j, part in enumerate(parts):
            views = [(0, turn) for turn in range(ORIENTATIONS)] + [(w, 0) for w in range(1, len(whole.windows))]
            bits = {view: np.bitwise_count(whole.windows[view[0]] ^ part.turned[view[1]]).tolist() for view in views}
            near = {view: sum(words) for view, words in bits.items() if words[0] <= FIRST_WORD_BAR * 64}
            if near and min(near.values()) <= HASH_BAR * HASH_BITS:
                found.append(Candidate(i, j, *min(near, key=lambda view: (near[view], view))))
    return found


def every_pair(mine: Mapping[str, Fingerprint], theirs: Mapping[str, Fingerprint], bar: float) -> list[tuple[str, str]]:
    """Return the pairs of names that the pixels confirm, each laid on the other both ways, sorted."""
    names, others = list(mine), list(theirs)
    prints, other_prints = list(mine.values()), list(theirs.values())
    found = set()
    for wholes, parts, swapped in ((prints, other_prints, False), (other_prints, prints, True)):
        for pair in all_candidates(wholes, parts):
            if likeness(wholes[pair.whole], parts[pair.part], pair) >= bar:
                i, j = (pair.part, pair.whole) if swapped else (pair.whole, pair.part)
                found.add((names[i], others[j]))
    return sorted(pair for pair in found if pair[0] != pair[1])
