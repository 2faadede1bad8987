"""Makes processes cheap: a stand-in for `python` that asks a fork server, whose libraries are loaded, to run them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real_project import clean_environment

HERE = Path(__file__).resolve().parent
REAL = "REAL_PYTHON"  # set in an environment: no stand-in here, and in no process below
FORKED = "FORKED_PYTHON"  # set in an environment: a stand-in on a terminal too, which hands Ctrl+C on to what it runs


@contextmanager
def fork_server() -> Iterator[Path]:
    """Yield the stand-in, to be called as `python` is; at the end all that still runs through it is killed.

    It loads nothing before it is first asked, and whatever it cannot run the true interpreter runs.
    """
    true = Path(sys.executable)
    folder = Path(tempfile.mkdtemp(prefix="forks-"))  # the server removes it, also when these tests are killed
    address, stand_in = folder / "socket", folder / "bin/python"
    stand_in.parent.mkdir()
    code = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nfrom client import main\n"
    stand_in.write_text(f"#!{true} -IS\n{code}main({str(true)!r}, {str(address)!r})\n", encoding="utf-8")
    stand_in.chmod(0o755)
    (stand_in.parent / "dvc").symlink_to(true.with_name("dvc"))  # DVC starts the workers of its queue by that name
    server = subprocess.Popen(
        [true, HERE / "server.py", address, stand_in],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(folder / "home"),
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdout.readline()  # it listens
    try:
        yield stand_in
    finally:
        server.stdin.close()
        server.wait(30)
        server.stdout.close()
