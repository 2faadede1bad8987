"""The servers that a packet can go to, and come back from: Label Studio and Roboflow."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import problem
from stages.picking.packet import Packet
from stages.review.formats.returned_boxes import Returned

Say = Callable[[str], None]


class ServerChoice(NamedTuple):
    """A server of Label Studio (`url`, and a project on it), or a project of Roboflow and a version of that."""

    url: str | None = None
    project: str | None = None
    version: int | None = None

    @property
    def named(self) -> str:
        """The options that were given, for a message."""
        return " and ".join(f"--{name}" for name, value in self._asdict().items() if value is not None)


def send(packet: Packet, *, to: str, server: ServerChoice, say: Say) -> Sequence[str]:
    """Put the packet on a server; return what to do there. Raises `UserError` for options that name none."""
    if to == "label-studio" and server.url is not None:
        from stages.review.servers import label_studio_api
        from stages.review.servers.label_studio_server import token_of

        token = token_of(os.environ)
        return label_studio_api.export_to(packet, url=server.url, token=token, project=server.project, say=say)
    if to == "roboflow" and server.url is None and server.project is not None:
        from stages.review.servers import roboflow_api

        return roboflow_api.export_to(packet, project=server.project, key=roboflow_api.key_of(os.environ), say=say)
    raise problem("server_choice.label_studio_url", f"--to {to}", found=server.named)


def fetch(packet: Packet, *, word: str | None, server: ServerChoice, folder: Path, say: Say) -> Returned | Path:
    """Return what was done in Label Studio, or the archive of a Roboflow version, downloaded into `folder`.

    `word` is the format that the person named. Raises `UserError` for options that name no server.
    """
    if word in (None, "label-studio") and server.url is not None and server.version is None:
        from stages.review.servers import label_studio_api
        from stages.review.servers.label_studio_server import token_of

        project = server.project or label_studio_api.project_title(packet)
        return label_studio_api.fetch_from(url=server.url, token=token_of(os.environ), project=project, say=say)
    if word in (None, "roboflow") and server.url is None and server.project is not None:
        from stages.review.servers import roboflow_api

        key = roboflow_api.key_of(os.environ)
        return roboflow_api.fetch_from(project=server.project, version=server.version, key=key, folder=folder, say=say)
    raise problem(
        "server_choice.path_url_label",
        "yoloop review import",
        value=server.named or "nothing",
        value_2=f" with --format {word}" if word else "",
    )
