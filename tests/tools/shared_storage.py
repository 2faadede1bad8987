"""Where several machines keep what DVC pushes: a folder, a bucket of a real S3 server, a folder behind a real sshd."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.tools.environments import python_of

SETTLED = 300.0  # seconds until a server answers; one, where nothing else runs


class Storage(NamedTuple):
    """A remote of DVC."""

    url: str
    settings: dict[str, str]  # of the remote
    env: dict[str, str]  # what everybody who uses it needs


@contextmanager
def shared_storage(kind: str, folder: Path) -> Iterator[Storage]:
    """Hold a storage of that kind, empty, with all that it needs under `folder`; skip the test where it cannot be."""
    folder.mkdir()
    if kind == "folder":
        yield Storage(str(folder / "store"), {}, {})
    elif kind == "s3":
        with _bucket() as address:
            keys = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "tester", "AWS_DEFAULT_REGION": "us-east-1"}
            yield Storage("s3://sheets/store", {"endpointurl": address}, keys)
    else:
        with _sshd(folder) as port:
            settings = {"port": str(port), "user": getpass.getuser(), "keyfile": str(folder / "key")}
            yield Storage(f"ssh://127.0.0.1{folder / 'store'}", settings, {})


@contextmanager
def _bucket() -> Iterator[str]:
    port = _free_port()
    server = python_of("storage").parent / "moto_server"
    with _served([str(server), "-H", "127.0.0.1", "-p", str(port)], port):
        address = f"http://127.0.0.1:{port}"
        requests.put(f"{address}/sheets", timeout=60).raise_for_status()
        yield address


@contextmanager
def _sshd(folder: Path) -> Iterator[int]:
    server = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if server is None:
        pytest.skip("no sshd: install openssh-server")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "key.pub", folder / "allowed")
    port = _free_port()
    lines = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "allowed",
        "StrictModes": "no",  # the folder of a test may be anybody's
        "UsePAM": "no",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
    Path("/run/sshd").mkdir(exist_ok=True)
    with _served([server, "-D", "-e", "-f", str(folder / "config")], port):
        yield port


@contextmanager
def _served(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + SETTLED
        while True:
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until, f"{command} does not answer"
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
