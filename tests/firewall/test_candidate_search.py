"""The search proposes copies and few strangers, in any order of the sheets; all bits then decide as they always did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.firewall.candidate_search import candidates, every_candidate, nearest_views, proposed
from stages.firewall.copies import HASH_BAR, HASH_BITS, ORIENTATIONS, THUMB, Candidate, Fingerprint, packed
from stages.firewall.fingerprinting import fingerprint
from stages.firewall.sheet_hashes import PROBED, bands, frequencies
from tests.firewall.brute_force import all_candidates

BLANK = fingerprint(np.zeros((THUMB, THUMB), np.uint8))


def print_of(*hashes: np.ndarray, turned: np.ndarray | None = None, seed: int = 9) -> Fingerprint:
    """Return a fingerprint with these hashes of windows, (256,) each, and with `turned` in the third orientation."""
    all_turned = np.random.default_rng(seed).random((ORIENTATIONS, HASH_BITS)) < 0.5
    all_turned[0] = hashes[0]
    if turned is not None:
        all_turned[3] = turned
    return BLANK._replace(turned=packed(all_turned), windows=packed(np.stack(hashes)))


def flipped(bits: np.ndarray, count: int) -> np.ndarray:
    """Return the hash with `count` bits changed, spread over its words."""
    changed = bits.copy()
    at = np.linspace(0, HASH_BITS - 1, count).round().astype(int)
    changed[at] = ~changed[at]
    return changed


def test_a_pair_is_kept_up_to_the_bar_and_by_its_nearest_view():
    rng = np.random.default_rng(3)
    a, b, c = rng.random((3, HASH_BITS)) < 0.5
    most = int(HASH_BAR * HASH_BITS)
    whole, pair = print_of(a, b), np.array([[0, 0]])
    assert nearest_views([whole], [print_of(flipped(a, most))], pair) == [Candidate(0, 0, 0, 0)]
    assert nearest_views([whole], [print_of(flipped(a, most + 1))], pair) == []
    assert nearest_views([whole], [print_of(flipped(b, 3))], pair) == [Candidate(0, 0, 1, 0)]  # a crop
    assert nearest_views([whole], [print_of(c, turned=flipped(a, 3))], pair) == [Candidate(0, 0, 0, 3)]
    assert nearest_views([whole], [whole], np.zeros((0, 2), np.int64)) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_all_bits_decide_as_if_all_were_compared_with_all(seed, wholes, parts):
    """Random sheets around a few hashes, so that many lie about the bar."""
    rng = np.random.default_rng(seed)
    base = rng.random((2, HASH_BITS)) < 0.5
    near = [base[k % 2] ^ (rng.random(HASH_BITS) < rng.choice([0.1, 0.3])) for k in range(3 * (wholes + parts))]
    mine = [print_of(*near[3 * k : 3 * k + 3], seed=k) for k in range(wholes)]
    theirs = [print_of(*near[3 * (wholes + k) :][:3], turned=near[-k], seed=9 + k) for k in range(parts)]
    pairs = np.array([(i, j) for i in range(wholes) for j in range(parts)])
    assert nearest_views(mine, theirs, pairs) == every_candidate(mine, theirs) == all_candidates(mine, theirs)


def test_bands_are_keys_of_low_bits_and_leave_out_the_mean():
    for band in bands():
        assert len(np.unique(band)) == len(band) <= 32
        assert band.min() > 0
        assert (np.array(np.divmod(band, 16)) < 13).all()


@pytest.fixture(scope="module")
def pages() -> list[Fingerprint]:
    """Forty squares of soft noise: sheets that have nothing in common."""
    rng = np.random.default_rng(5)
    thumbs = rng.integers(0, 256, (40, 16, 16), np.uint8).repeat(THUMB // 16, axis=1).repeat(THUMB // 16, axis=2)
    return [fingerprint(thumb) for thumb in thumbs]


def test_a_sheet_whose_surest_bits_stay_is_proposed(pages):
    """The least sure bits of every band are turned over: each value of them was looked up."""
    for number, page in enumerate(pages[:8]):
        low = frequencies(page.thumb).ravel()
        margin = np.abs(low - np.median(low))
        bits = np.unpackbits(page.turned[0].view(np.uint8)).astype(bool)
        for band in bands():
            unsure = band[margin[band].argsort(kind="stable")[:PROBED]]
            changed = bits.copy()
            changed[unsure] = ~changed[unsure]
            whole = page._replace(windows=packed(changed))
            assert proposed([whole], [page]).tolist() == [[0, 0]], number


def test_few_strangers_are_proposed_and_each_sheet_itself(pages):
    found = proposed(pages, pages).tolist()
    assert [pair for pair in found if pair[0] == pair[1]] == [[k, k] for k in range(len(pages))]
    assert len(found) < 40 + 0.02 * 40 * 39
    assert found == sorted(found)


def test_what_is_proposed_does_not_depend_on_the_order_nor_on_other_sheets(pages):
    order = np.random.default_rng(1).permutation(len(pages))
    there = {(order[i], order[j]) for i, j in proposed([pages[k] for k in order], [pages[k] for k in order]).tolist()}
    whole = set(map(tuple, proposed(pages, pages).tolist()))
    assert there == whole
    few = set(map(tuple, proposed(pages[:7], pages[:9]).tolist()))
    assert few == {(i, j) for i, j in whole if i < 7 and j < 9}


def test_nothing_is_found_among_none(pages):
    assert candidates([], pages) == candidates(pages, []) == every_candidate([], pages) == []
