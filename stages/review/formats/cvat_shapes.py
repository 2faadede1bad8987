"""The shapes of CVAT's XML as the upright boxes around them."""

import math
from collections.abc import Callable

from stages.base.errors import problem
from stages.formats import xml_text
from stages.formats.xml_text import Node

Corners = tuple[float, float, float, float]  # x1 y1 x2 y2 in px
_MEND = "Export it again: the file is damaged."


def corners(shape: Node, where: str) -> Corners:
    """Return the box around `shape`; raise `UserError`, at `where`, for what has no inside or no numbers."""
    if shape.tag not in _SHAPES:
        raise problem("cvat_shapes.box_polygon_ellipse", where, tag=shape.tag)
    return _SHAPES[shape.tag](shape, where)


def is_outline(shape: Node) -> bool:
    """Say whether `shape` is something else than an upright box, so that only the box around it is kept."""
    return shape.tag != "box" or float(shape.get("rotation", "0")) != 0


def number(node: Node, name: str, where: str) -> float:
    """Return the attribute `name` of `node`; raise `UserError` for none and for what is no finite number."""
    return _finite(node.get(name, "nothing"), name, where)


def _finite(text: str, name: str, where: str) -> float:
    value = xml_text.number(text)
    if not math.isfinite(value):
        raise problem("cvat_shapes.number", where, name=name, found=repr(text)[:60], mend=_MEND)
    return value


def _box(shape: Node, where: str) -> Corners:
    x1, y1, x2, y2 = (number(shape, side, where) for side in ("xtl", "ytl", "xbr", "ybr"))
    return _turned((x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2, *_angle(shape, where))


def _turned(x: float, y: float, half_w: float, half_h: float, cos: float, sin: float) -> Corners:
    """Return the box around a rectangle that is turned about its centre."""
    w = half_w * abs(cos) + half_h * abs(sin)
    h = half_w * abs(sin) + half_h * abs(cos)
    return x - w, y - h, x + w, y + h


def _angle(shape: Node, where: str) -> tuple[float, float]:
    """Return cosine and sine of the rotation, exactly 1 and 0 for none."""
    degrees = _finite(shape.get("rotation", "0"), "rotation", where)
    return (math.cos(math.radians(degrees)), math.sin(math.radians(degrees))) if degrees else (1.0, 0.0)


def _ellipse(shape: Node, where: str) -> Corners:
    x, y, rx, ry = (number(shape, name, where) for name in ("cx", "cy", "rx", "ry"))
    cos, sin = _angle(shape, where)
    w, h = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return x - w, y - h, x + w, y + h


def _polygon(shape: Node, where: str) -> Corners:
    points = [_point(pair, where) for pair in shape.get("points", "").split(";")]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _point(pair: str, where: str) -> tuple[float, float]:
    parts = pair.split(",")
    if len(parts) != 2:
        raise problem("cvat_shapes.points_x_y", where, found=repr(pair)[:60], mend=_MEND)
    return _finite(parts[0], "points", where), _finite(parts[1], "points", where)


def _mask(shape: Node, where: str) -> Corners:
    left, top, width, height = (number(shape, name, where) for name in ("left", "top", "width", "height"))
    return left, top, left + width, top + height


_SHAPES: dict[str, Callable[[Node, str], Corners]] = {
    "box": _box,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "mask": _mask,
}
