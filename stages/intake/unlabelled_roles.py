"""Which role each sheet has where none is labelled: val and test are drawn by chance, all others are the pool."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.firewall.roles import Assignment, Kinship, RolePart, assign

VAL_SHARE, MOST_VAL = 0.2, 30  # of the sheets, where nobody says: a person labels val before anything else happens


def assign_unlabelled(
    splits: Mapping[str, Sequence[str]],
    wanted: Mapping[str, RolePart],
    rng: np.random.Generator,
    *,
    kinship: Kinship,
    regroup: bool,
    one_of_each: bool = False,
) -> Assignment:
    """Return the roles of the images of `splits`: val, and test if `wanted`, as `assign` draws them; the rest is pool.

    Train is empty. Splits of the source called train or pool are what is drawn from. Raises as `assign` does.
    """
    open_names = [name for split in ("train", "pool") for name in splits.get(split, ())]
    known = {split: names for split, names in splits.items() if split not in ("train", "pool")}
    parts = dict(wanted)
    if "val" not in parts and not known.get("val"):
        parts["val"] = RolePart(share=val_share(len(open_names)))
    done = assign({**known, "train": open_names}, parts, rng, kinship=kinship, regroup=regroup, one_of_each=one_of_each)
    roles = {**done.roles, "train": (), "pool": done.roles["train"]}
    return done._replace(roles=roles)


def val_share(sheets: int) -> float:
    """Return the share of `sheets` that becomes val where nobody says."""
    return min(VAL_SHARE, MOST_VAL / max(1, sheets))
