"""Section `sample` of params.yaml: how much goes to review, and what is preferred."""

from math import ceil
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stages.base.params import Strict
from stages.picking.greedy_choice import Weights
from stages.picking.packet_choice import PickPlan
from stages.picking.sheet_choice import SheetPlan, Unit
from stages.picking.strategies.strategy_list import SheetStrategy

Weight = Annotated[float, Field(ge=0)]


class SampleParams(Strict):
    """Section `sample` of params.yaml, where each key is explained."""

    strategy: Literal["hard"] | SheetStrategy = "hard"  # as it was before there were others
    budget: float = Field(ge=1)
    unit: Unit = "objects"
    class_balance: Weight
    size_diversity: Weight
    spatial_diversity: Weight
    uncertainty: Weight
    most_per_sheet: float = Field(gt=0, le=1)
    plausible: float = Field(ge=0, le=1)
    prelabel_confidence: float = Field(ge=0, le=1)
    random_share: float = Field(default=0.1, ge=0, lt=1)
    recheck_share: float = Field(default=0.0, ge=0, lt=1)
    repeat_every: int = Field(default=0, ge=0)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_weight_counts(self) -> Self:
        if sum(self.weights()) == 0:
            raise ValueError("at least one of the four weights above 0")
        return self

    def weights(self) -> Weights:
        """Return the weights of the four factors."""
        return Weights(self.class_balance, self.size_diversity, self.spatial_diversity, self.uncertainty)

    def hard_plan(self) -> PickPlan:
        """Return what the strategy `hard` needs of it, which counts objects, whatever the unit."""
        return PickPlan(ceil(self.budget), self.weights(), self.most_per_sheet)

    def sheet_plan(self) -> SheetPlan:
        """Return what the other strategies need of it."""
        return SheetPlan(self.budget, self.unit, self.most_per_sheet)

    def splits(self) -> tuple[str, ...]:
        """Return where the sheets of a packet may come from: nothing is read of train unless it is asked for."""
        return ("pool", "train") if self.recheck_share or self.repeat_every else ("pool",)
