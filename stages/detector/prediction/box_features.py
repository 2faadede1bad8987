"""What the network knows of a detection, as a few numbers: for pickers that compare objects with each other.

The maps that its head looks at (the neck's, one per stride) are averaged over the box, joined, and brought down to
`FEATURES` numbers by a fixed random projection, which keeps angles (Johnson and Lindenstrauss, 1984); the result has
length 1. Comparable within one model only.
"""

from typing import Any

FEATURES = 64  # numbers per detection: cosines between objects are kept to about a tenth
_SAMPLES = 2  # points per side at which a map is read inside a box


def watch(head: Any) -> list[Any]:
    """Return a list that holds, after each forward pass of `head`, the maps that went in: (b, channels, h, w) each."""
    seen: list[Any] = []

    def keep(module: Any, inputs: Any) -> None:
        seen[:] = [one for one in inputs[0] if one.ndim == 4]  # a promptable head is given its prompts as well

    head.register_forward_pre_hook(keep)
    return seen


def box_features(maps: list[Any], boxes: Any, *, sheet: int, height: int) -> Any:
    """Return (n, FEATURES) for `boxes` xyxy, (n, 4), in px of what the network saw, which is `height` px high.

    `sheet` is the place of the sheet in the batch of `maps`.
    """
    import torch
    from torchvision.ops import roi_align

    found = [
        roi_align(
            level[sheet : sheet + 1].float(),
            [boxes.float()],
            output_size=1,
            spatial_scale=level.shape[2] / height,
            sampling_ratio=_SAMPLES,
            aligned=True,
        ).flatten(1)
        for level in maps
    ]
    joined = torch.cat(found, dim=1)  # (n, channels of all levels)
    projected = joined @ _projection(joined.shape[1]).to(joined.device)
    return torch.nn.functional.normalize(projected, dim=1)


def _projection(channels: int) -> Any:
    """Return a matrix (channels, FEATURES) that is the same on every machine."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return torch.randn(channels, FEATURES, generator=generator) / FEATURES**0.5
