"""Reads XML that somebody else wrote: no document type, so no entity can grow or fetch anything."""

from pathlib import Path
from typing import cast
from xml.etree import ElementTree
from xml.parsers import expat

from stages.base.errors import problem


class DocumentTypeError(ValueError):
    """The file declares a document type, which annotations never need; `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__("a document type declaration (<!DOCTYPE ...>)")
        self.line = line


class Node(ElementTree.Element):
    """An element, and the line that it begins in."""

    line = 0


def parse_xml(data: bytes) -> Node:
    """Return the root element; raise `DocumentTypeError`, or what ElementTree raises for broken XML."""
    parser = expat.ParserCreate()
    builder = ElementTree.TreeBuilder(element_factory=Node)

    def start(tag: str, attributes: dict[str, str]) -> None:
        cast(Node, builder.start(tag, attributes)).line = parser.CurrentLineNumber

    def refuse(*_: object) -> None:
        raise DocumentTypeError(parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        broken = ElementTree.ParseError(str(error))
        broken.position = error.lineno, error.offset
        raise broken from error
    return cast(Node, builder.close())


def read_xml(file: Path) -> Node:
    """Return the root element of `file`; raise `UserError` with the line for what is broken or not safe."""
    try:
        return parse_xml(file.read_bytes())
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        line = error.position[0] if isinstance(error, ElementTree.ParseError) else getattr(error, "line", None)
        where = f"{file}{'' if line is None else f':{line}'}"
        raise problem("xml_text.xml", where, found=str(error)) from error
