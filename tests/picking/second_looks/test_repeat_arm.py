"""When a sheet goes out once more, which, and that it is treated like one that nobody has seen."""

import numpy as np
import pandas as pd
import pytest

from stages.dataset.sheets.manifest import ManifestRow
from stages.picking.second_looks.repeat_arm import as_pool, draw_repeat, hides_a_repeat, is_due, with_new

SOURCES = ("import", "oracle", "person", "folder", "auto", "none")
ROWS = [ManifestRow(f"{source}.png", 0, source, "", "", "") for source in SOURCES]


@pytest.mark.parametrize(("every", "due"), [(0, []), (1, [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), (3, [3, 6]), (10, [])])
def test_one_packet_in_so_many_and_never_the_first(every, due):
    assert [iteration for iteration in range(7) if is_due(iteration, every)] == due


def test_only_what_somebody_reviewed_is_drawn_each_as_likely():
    drawn = [draw_repeat(ROWS, without=(), rng=np.random.default_rng(seed)) for seed in range(300)]
    counts = pd.Series(drawn).value_counts()
    assert set(counts.index) == {"oracle.png", "person.png", "folder.png"}
    assert counts.min() > 70
    rest = draw_repeat(ROWS, without={"oracle.png", "folder.png"}, rng=np.random.default_rng(0))
    assert rest == "person.png"
    assert draw_repeat(ROWS[:1], without=(), rng=np.random.default_rng(0)) is None


@pytest.mark.parametrize(("labelled", "hides"), [(True, False), (False, True)])
def test_it_goes_only_where_others_start_from_the_models_boxes(labelled, hides):
    images = pd.DataFrame({"split": ["pool", "pool"], "image_id": ["a", "b"], "labelled": [labelled, False]})
    packet = pd.DataFrame({"image_id": ["a", "b"], "arm": ["picked", ""]})  # b stays in the pool
    assert hides_a_repeat(packet, images) == hides


def test_the_sheet_is_taken_for_one_of_the_pool():
    images = pd.DataFrame({"split": ["train", "train", "val"], "image_id": ["a", "b", "c"], "labelled": [True] * 3})
    assert as_pool(images, "a").to_numpy().tolist() == [["pool", "a", False]]
    assert len(as_pool(images, "c")) == 0  # never one of val
    assert with_new(images, []) is images
    assert with_new(images, ["b"])["split"].tolist() == ["train", "train", "val", "pool"]
