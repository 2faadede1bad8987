"""The random arm beside the picker's choice: what is shown of it, and that it takes nothing from the budget."""

import itertools

import numpy as np
import pandas as pd
import pytest

from stages.picking.greedy_choice import Weights
from stages.picking.packet_choice import PickPlan, Rarities, hard_chooser, pick, score
from stages.picking.sampling.one_of_copies import one_of_copies

BOUNDS = (500, 2000, 10000)
SHEETS = {name: [0.5, 0.4, 0.3][: 1 + i % 3] for i, name in enumerate("abcdefghijklmnopqrst")}
RARITIES = Rarities({"door": 0.0, "sign": 0.8}, {"tiny": 0.9, "small": 0.4, "medium": 0.0, "large": 1.0})
WEIGHTS = Weights(0.3, 0.3, 0.2, 0.2)
OBJECT = {
    **{"kind": "uncertain", "class_id": 0, "class_name": "door", "object_id": pd.NA, "detection_id": 0},
    **{"x1": 90.0, "y1": 40.0, "x2": 110.0, "y2": 60.0, "size": "tiny", "position": "center"},
    **{"low_contrast": False, "unusual_aspect": False, "near_miss": pd.NA, "width": 200, "height": 100},
}
TYPES = {"confidence": "Float64", "near_miss": "Float64", "class_id": "Int32", "object_id": "Int32", "kind": "str"}


def candidates(**sheets):
    """Objects per sheet, by how sure the model is of each."""
    rows = [
        {**OBJECT, "image_id": f"{name}.png", "confidence": sure} for name, all_of in sheets.items() for sure in all_of
    ]
    return pd.DataFrame(rows, columns=["image_id", "confidence", *OBJECT]).astype(TYPES)


def box(place):
    return {"x1": 40.0 * place, "y1": 10.0, "x2": 40.0 * place + 20, "y2": 30.0}


def pool(names):
    sheets = [{"split": "pool", "image_id": f"{name}.png", "width": 200, "height": 100} for name in names]
    return pd.DataFrame(sheets).assign(labelled=True, group="", confidence=0.25)


def picked(objects, names, *, budget=4, share=0.1, seed=0, detections=(), copies=()):
    rows = [
        {"split": "pool", "image_id": f"{name}.png", "detection_id": i, "class_id": 1, "confidence": sure, **box(i)}
        for i, (name, sure) in enumerate(detections)
    ]
    columns = ["split", "image_id", "detection_id", "class_id", "confidence", *box(0)]
    return pick(
        objects,
        pool=pool(names),
        detections=pd.DataFrame(rows, columns=columns),
        classes=["door", "sign"],
        bounds=BOUNDS,
        chooser=one_of_copies(hard_chooser(RARITIES, plan(budget)), lambda sheets: among(sheets, copies)),
        plausible=0.1,
        random_share=share,
        rng=np.random.default_rng(seed),
    )


def among(sheets, copies):
    """Return the pairs of `copies`, each a word of names, of which both are among `sheets`."""
    together = [[f"{name}.png" for name in word if f"{name}.png" in sheets] for word in copies]
    return [pair for names in together for pair in itertools.combinations(names, 2)]


def plan(budget):
    return PickPlan(budget, WEIGHTS, most_per_sheet=0.5)


def arms(scored):
    shown = scored[scored["arm"] != ""]
    return {arm: set(shown.loc[shown["arm"] == arm, "image_id"]) for arm in ("picked", "random")}


def test_of_copies_the_surest_choice_is_picked_and_others_take_their_places():
    plain = picked(candidates(**SHEETS), SHEETS, budget=8, share=0)
    first = plain.dropna(subset="rank").sort_values("rank")["image_id"].drop_duplicates().str[0].tolist()
    words = ["".join(first[:3]), "".join(first[3:5])]
    scored = picked(candidates(**SHEETS), SHEETS, budget=8, share=0, copies=words)
    assert scored["rank"].dropna().tolist() == list(range(1, 9))
    on = {name[0] for name in arms(scored)["picked"]}
    assert [sorted(on & set(word)) for word in words] == [[first[0]], [first[3]]]
    assert len(on - set(first)) >= 3  # as many as went
    assert len(scored) == len(plain)  # what was left for it is still told
    assert set(scored["image_id"]) == set(plain["image_id"])
    pd.testing.assert_frame_equal(
        picked(candidates(**SHEETS), SHEETS, budget=8, copies=["yz"]), picked(candidates(**SHEETS), SHEETS, budget=8)
    )


@pytest.mark.parametrize("seed", range(20))
def test_laws(seed):
    scored = picked(candidates(**SHEETS), SHEETS, budget=8, share=0.3, seed=seed)
    assert len(scored) == sum(map(len, SHEETS.values()))  # no candidate comes twice
    sheets = arms(scored)
    assert not sheets["picked"] & sheets["random"]
    assert scored["rank"].dropna().tolist() == list(range(1, 9))  # the budget is the picker's alone
    assert (scored["rank"].notna() == (scored["arm"] == "picked")).all()
    shown = scored[scored["arm"] != ""].groupby(["arm", "image_id"]).size()
    assert shown["random"].max() <= shown["picked"].max()
    for name in sheets["random"]:
        seen = scored.loc[(scored["image_id"] == name) & (scored["arm"] == "random"), "confidence"].tolist()
        assert seen == SHEETS[name.removesuffix(".png")][: len(seen)]  # its best ones, the best first
    assert scored["reason"].str.endswith("% sure of this tiny door; its size is rare in train.").all()


def test_without_a_share_it_is_the_choice_of_the_picker():
    objects = candidates(**SHEETS)
    scored = picked(objects, SHEETS, share=0.0)
    alone = score(objects, rarities=RARITIES, plan=plan(4), rng=np.random.default_rng(0))
    pd.testing.assert_frame_equal(scored.drop(columns="arm"), alone)
    assert arms(scored)["random"] == set()


def test_chance_takes_any_sheet_of_the_pool_whatever_is_on_it():
    objects = {"best": [0.5], "worst": [0.99], "some": [0.7]}
    names = [*objects, "none"]  # one without any candidate
    drawn = [arms(picked(candidates(**objects), names, budget=1, seed=seed))["random"] for seed in range(40)]
    assert set().union(*drawn) == {f"{name}.png" for name in names}
    assert {len(sheets) for sheets in drawn} == {1}


@pytest.mark.parametrize(
    ("detections", "shown"),
    [
        ([("b", 0.9), ("b", 0.35), ("a", 0.2)], ("uncertain", "sign", "The model is 35% sure of this tiny sign")),
        ([("b", 0.05), ("a", 0.2)], ("nothing_seen", "", "Nothing was seen on this sheet")),
    ],
)
def test_a_random_sheet_on_which_all_was_found_shows_one_object_all_the_same(detections, shown):
    scored = next(
        one
        for one in (picked(candidates(a=[0.5]), "ab", seed=seed, detections=detections) for seed in range(20))
        if arms(one)["random"] == {"b.png"}
    )
    row = scored[scored["image_id"] == "b.png"]
    kind, class_name, said = shown
    assert row[["kind", "class_name", "arm"]].values.tolist() == [[kind, class_name, "random"]]
    assert row["reason"].iloc[0].startswith(said)


def test_when_chance_takes_all_that_the_picker_had_there_is_still_a_packet():
    scored = [picked(candidates(a=[0.5, 0.4]), "ab", budget=1, seed=seed) for seed in range(20)]
    assert {(len(sheets["picked"]), len(sheets["random"])) for sheets in map(arms, scored)} == {(1, 1), (0, 1)}
    without = next(one for one in scored if not arms(one)["picked"])
    assert (without["arm"] == "random").sum() == 1  # of its two objects: a sheet that is picked has one or more
