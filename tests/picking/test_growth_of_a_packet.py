"""Four times the sheets are four times the work of picking, and no more memory for pictures."""

import cv2
import numpy as np

from benchmarks.picking_speed import pool_of
from stages.firewall.fingerprinting import fingerprint
from stages.firewall.signatures import copies
from stages.picking import packet as packet_module
from stages.picking.packet_choice import pick
from stages.picking.sampling import copies_in_turn
from stages.picking.sampling.copies_in_turn import CopiesInTurn
from stages.picking.sheet_choice import SheetPlan, sheet_chooser
from stages.picking.strategies.earned_order import earned_order, expected
from stages.picking.strategies.group_order import group_order
from stages.picking.strategies.pool_view import nearest_cosines
from stages.picking.strategies.review_cost import ReviewCost
from tests.fake_project import picture
from tests.growth import FOUR_TIMES, ComparedRows, calls, peak
from tests.review.packets import build_packet, many_spec

FEW, MANY = 6, 24  # sheets


def test_no_table_is_gone_through_for_every_sheet_to_write_a_packet(tmp_path, monkeypatch):
    rows = ComparedRows(monkeypatch)
    few, many = (rows.of(build_packet, many_spec(count), tmp_path / str(count)) for count in (FEW, MANY))
    assert many <= FOUR_TIMES * few


def test_the_pictures_of_a_packet_are_let_go_once_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(packet_module, "MOST_PICTURES", 2)  # that a figure shows, and is given
    few, many = (peak(build_packet, many_spec(count), tmp_path / str(count)) for count in (FEW, MANY))
    assert many - few < 2 * 2**20  # each picture has 0.7 MB


def test_a_pool_is_not_gone_through_for_every_sheet_that_chance_draws(monkeypatch):
    rows, found = ComparedRows(monkeypatch), []
    for count in (50, 200):
        pool = pool_of(0, sheets=count, detections=3 * count)
        order = earned_order(pool.view, ReviewCost(), np.random.default_rng(0))
        plan = SheetPlan(count // 5, "sheets", 1.0)
        chooser = sheet_chooser(pool.view, order, expected(pool.view, ReviewCost()), plan, lambda name, taken: False)
        facts = {
            "pool": pool.images.assign(confidence=0.25),
            "detections": pool.detections,
            "classes": ["door"] * 5,
            "bounds": (1.0, 2.0, 3.0),
        }
        more = {"chooser": chooser, "plausible": 0.1, "random_share": 0.5}
        found.append(rows.of(pick, pool.candidates, **facts, **more, rng=np.random.default_rng(0)))
    assert found[1] <= FOUR_TIMES * found[0]


def test_copies_are_known_in_turn_without_an_index_for_each_sheet(monkeypatch):
    names = [f"s{i}" for i in range(24)]
    pictures = {name: cv2.resize(picture(name), (160, 160), interpolation=cv2.INTER_NEAREST) for name in names}
    pictures |= {"s9": pictures["s2"][::-1].copy(), "s20": pictures["s19"]}
    prints = {name: fingerprint(one) for name, one in pictures.items()}
    held: list[int] = []
    monkeypatch.setattr(copies_in_turn, "copies", lambda mine, theirs: held.append(len(theirs)) or copies(mine, theirs))
    turn, taken = CopiesInTurn(names, prints.__getitem__, first=4), list[str]()
    for name in names:
        if turn.is_copy(name, taken):
            continue
        taken.append(name)
    assert sorted(set(names) - set(taken)) == ["s20", "s9"]
    assert sum(held) <= 8 * len(names)  # one by one it would be a sheet times all before it: 276


def test_groups_take_turns_without_a_look_at_all_sheets_for_each():
    few, many = (pool_of(0, sheets=count, detections=count).view for count in (50, 200))
    named = [view._replace(groups=np.array([f"set {i // 2}" for i in range(len(view.sheets))])) for view in (few, many)]
    counted = [calls(group_order, view, np.random.default_rng(0)) for view in named]
    assert counted[1] <= 1.5 * counted[0]
    turns = group_order(named[0], np.random.default_rng(0)).places // 2  # the set of each sheet
    assert sorted(turns[:25]) == sorted(turns[25:]) == list(range(25))


def test_objects_are_held_against_all_that_is_labelled_without_a_table_of_both():
    rng = np.random.default_rng(0)
    features, known = rng.normal(size=(3000, 4)), rng.normal(size=(3000, 4))
    assert peak(nearest_cosines, features, known) < 40 * 2**20  # the table has 69 MiB
    some = features[:7] / 10
    assert np.allclose(nearest_cosines(some, known), np.clip((some @ known.T).max(axis=1), 0, 1))
    assert nearest_cosines(some, known[:0]).tolist() == [0.0] * 7
