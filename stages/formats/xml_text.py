"""Reads XML that somebody else wrote: no document type, so no entity can grow or fetch anything."""

import math
import re
from pathlib import Path

from lxml import etree

from stages.base.errors import problem

Node = etree._Element
_HEAD = 4096  # bytes at the start of a file in which its root is looked for
_TWICE = re.compile(r", line [0-9]+(?=, column [0-9]+$)")  # `line` has it already


class DamagedXmlError(ValueError):
    """The file is no XML, or declares a document type, which annotations never need; `line` is where."""

    def __init__(self, found: str, line: int) -> None:
        super().__init__(found)
        self.line = line


def has_root(file: Path, tag: str) -> bool:
    """Say whether `file` begins with the element `tag`, as far as a look at its first bytes tells."""
    if not file.is_file():
        return False
    with file.open("rb") as data:
        return re.search(rf"<{tag}[\s>]".encode(), data.read(_HEAD)) is not None


def number(text: str) -> float:
    """Return the number in `text`, NaN for anything else."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_xml(data: bytes) -> Node:
    """Return the root element, without comments; raise `DamagedXmlError`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DamagedXmlError(_TWICE.sub("", str(error.msg)), error.lineno or 1) from error
    if root.getroottree().docinfo.internalDTD is not None:
        line = data.partition(b"<!DOCTYPE")[0].count(b"\n") + 1
        raise DamagedXmlError("a document type declaration (<!DOCTYPE ...>)", line)
    for node in root.iter() if None in root.nsmap else ():  # names without the namespace that the whole file may have
        node.tag = etree.QName(node).localname
    return root


def read_xml(file: Path) -> Node:
    """Return the root element of `file`; raise `UserError` with the line for what is broken or not safe."""
    try:
        return parse_xml(file.read_bytes())
    except DamagedXmlError as error:
        raise problem("xml_text.xml", f"{file}:{error.line}", found=str(error)) from error
