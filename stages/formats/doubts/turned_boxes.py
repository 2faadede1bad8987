"""Boxes that a tool keeps as they were before they were turned about their centre, with the angle beside them."""

import math
from collections.abc import Mapping
from typing import Any

from stages.formats.source_sheets import Box


def around_turned(xywh: Box, degrees: float) -> Box:
    """Return centre and size of the upright box around `xywh`, turned about its centre."""
    x, y, w, h = xywh
    if not degrees % 180:
        return xywh
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return x, y, w * cos + h * sin, w * sin + h * cos


def rotation_of(attributes: object) -> float:
    """Return the angle in degrees that CVAT and Datumaro keep among the `attributes` of an object, 0 for none."""
    value = attributes.get("rotation") if isinstance(attributes, Mapping) else None
    return degrees_in(value)


def degrees_in(value: Any) -> float:
    """Return the finite number that `value` is, 0 for anything else."""
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        return 0.0
    return degrees if math.isfinite(degrees) else 0.0
