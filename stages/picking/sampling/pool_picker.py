"""Who picks: the strategy that `sample.strategy` names, made ready for this pool; and what it makes of the pool."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.firewall.copies import Fingerprint
from stages.firewall.fingerprinting import fingerprint_file
from stages.firewall.grey_squares import GreySquares
from stages.firewall.signatures import copies
from stages.picking.candidates import labels_to_check, pool_candidates, with_class_names, without_wrong_labels
from stages.picking.packet_choice import Chooser, hard_chooser, pick, rarities_of
from stages.picking.pool_tables import PoolTables, pool_view
from stages.picking.reasons import with_check
from stages.picking.sampling.copies_in_turn import CopiesInTurn
from stages.picking.sampling.one_of_copies import CopiesAmong, one_of_copies
from stages.picking.sampling.sample_inputs import SampleInputs
from stages.picking.sheet_choice import Forecast, forecast, sheet_chooser
from stages.picking.strategies.earlier_reviews import judged_detections
from stages.picking.strategies.earned_order import expected
from stages.picking.strategies.pool_view import Order, PoolView
from stages.picking.strategies.review_cost import known_cost
from stages.picking.strategies.strategy_list import TRUST_SCORES, SheetStrategy, order_sheets
from stages.ruler.pairing.box_tables import PREDICTED

WITH_LABELS = "the pool has labels"
COLD = "no label has taught the model anything yet (train.baseline: zero-shot), so that its scores say little"
FEATURES = PREDICTED / "features.npy"


class Picker(NamedTuple):
    """How sheets are chosen, and what is expected of some (None: the strategy expects nothing)."""

    strategy: str  # that chooses
    chooser: Chooser
    expects: Callable[[Sequence[str]], Forecast] | None
    because: str = ""  # why it is not the one that `sample.strategy` names


def picker_of(known: SampleInputs, rng: np.random.Generator) -> Picker:
    """Return the picker that `sample.strategy` names; in a pool with labels it is `hard`.

    Where nothing has been learned from labels yet it is `coverage`, unless the one that is named does not go by scores.
    """
    params, pool = known.params, known.seen.pool
    labelled = bool(pool["labelled"].any())
    if known.cold and not labelled and not pool.empty and params.strategy in (*TRUST_SCORES, "hard"):
        return _by_sheets(known, "coverage", rng, because=COLD)
    if params.strategy == "hard" or pool.empty or labelled:
        rarities = rarities_of(known.seen.train, classes=known.classes, bounds=known.limits.size_bounds)
        used = params.strategy if pool.empty else "hard"
        because = "" if used == params.strategy else WITH_LABELS
        chooser = hard_chooser(rarities, params.hard_plan())
        return Picker(used, one_of_copies(chooser, _copies_among(known)), None, because)
    return _by_sheets(known, params.strategy, rng)


def _by_sheets(known: SampleInputs, strategy: SheetStrategy, rng: np.random.Generator, *, because: str = "") -> Picker:
    """Return the picker of a strategy that orders sheets; no sheet of the pool has labels."""
    params, cost = known.params, known_cost(known.reviewed)
    view = pool_view(
        known.seen.pool,
        PoolTables(known.seen.detections, np.load(FEATURES), known.seen.truth),
        reviews=[judged_detections(known.reviewed.get("judged", []), known.classes)],
        classes=len(known.classes),
        prelabel=params.prelabel_confidence,
        wanted=params.sheet_plan().wanted(),
        iou=known.iou,
    )
    order, guess = order_sheets(strategy, view, cost=cost, rng=rng), expected(view, cost)
    places = pd.Index(view.sheets)
    return Picker(
        strategy,
        sheet_chooser(view, order, guess, params.sheet_plan(), _copy_check(known, view, order)),
        lambda names: forecast(guess, places.get_indexer(pd.Index(names)).astype(np.int64)),
        because,
    )


def _copy_check(known: SampleInputs, view: PoolView, order: Order) -> Callable[[str, Sequence[str]], bool]:
    """Return what says whether a sheet is a copy of one of some others; each picture is opened once at most."""
    turn = [view.sheets[place] for place in order.places.tolist()]
    wanted = known.params.sheet_plan().wanted()
    squares = GreySquares()
    return CopiesInTurn(turn, lambda name: fingerprint_file(known.files[name].image, squares), first=wanted).is_copy


def _copies_among(known: SampleInputs) -> CopiesAmong:
    """Return what finds the copies among some sheets; each picture is opened once at most."""
    squares, prints = GreySquares(), dict[str, Fingerprint]()

    def among(names: Sequence[str]) -> list[tuple[str, str]]:
        for name in names:
            if name not in prints:
                prints[name] = fingerprint_file(known.files[name].image, squares)
        some = {name: prints[name] for name in names}
        return copies(some, some)

    return among


def scored_pool(
    known: SampleInputs, findings: pd.DataFrame, chooser: Chooser, rng: np.random.Generator
) -> pd.DataFrame:
    """Return all candidates of the pool, with what `chooser` and chance made of them; `findings` are rows of FINDINGS.

    Their columns are those of `pick`; a reason says as well which labels of the sheet are to be checked.
    """
    params, seen = known.params, known.seen
    found = pool_candidates(
        images=seen.images, findings=without_wrong_labels(findings, seen.suspects), plausible=params.plausible
    )
    scored = pick(
        with_class_names(found, known.classes),
        pool=seen.pool,
        detections=seen.detections[seen.detections["split"] == "pool"],
        classes=known.classes,
        bounds=known.limits.size_bounds,
        chooser=chooser,
        plausible=params.plausible,
        random_share=params.random_share,
        rng=rng,
    )
    checks = scored["image_id"].map(labels_to_check(seen.suspects)).fillna(0).astype(int)
    scored["reason"] = [said and with_check(said, n) for said, n in zip(scored["reason"], checks, strict=True)]
    return scored
