"""The strategies by name."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from stages.picking.strategies.coverage_order import coverage_order
from stages.picking.strategies.crowd_order import crowd_order
from stages.picking.strategies.diverse_order import diverse_order
from stages.picking.strategies.earned_order import earned_order
from stages.picking.strategies.group_order import group_order
from stages.picking.strategies.pool_view import Order, PoolView
from stages.picking.strategies.random_order import random_order
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.uncertain_order import uncertain_order

SheetStrategy = Literal["earned", "uncertain", "diverse", "coverage", "crowd", "by_group", "random"]
_PLAIN: Mapping[str, Callable[[PoolView, np.random.Generator], Order]] = {
    "uncertain": uncertain_order,
    "diverse": diverse_order,
    "coverage": coverage_order,
    "crowd": crowd_order,
    "by_group": group_order,
    "random": random_order,
}
SHEET_STRATEGIES = ("earned", *_PLAIN)
TRUST_SCORES = ("earned", "uncertain", "diverse", "crowd")  # what they choose by says little before anything is learned


def order_sheets(name: SheetStrategy, view: PoolView, *, cost: ReviewCost, rng: np.random.Generator) -> Order:
    """Return the sheets of `view` in the order of the strategy `name`."""
    return earned_order(view, cost, rng) if name == "earned" else _PLAIN[name](view, rng)
