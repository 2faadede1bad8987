"""A process with the libraries loaded and nothing of this project: forks itself for each program that is asked for.

`python server.py SOCKET STAND_IN`: listens at SOCKET until its own input ends, then kills what still runs. A program
gets the arguments, the folder, the environment and the three streams of whoever asks (`client.py`), and the signals
that they get; `sys.executable` is STAND_IN, so that what it starts is forked as well.
"""

import atexit
import gc
import importlib
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from marshal import loads
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

# What takes the time. Not here: what reads the environment or a home when it is loaded (Ultralytics, pygit2).
FOR_ALL = (
    *("dvc.analytics", "dvc.cli.parser", "dvc.compare", "dvc.data_cloud", "dvc.repo.artifacts", "dvc.repo.datasets"),
    *("dvc.repo.experiments.executor.local", "dvc.repo.experiments.queue.celery", "dvc.repo.experiments.show"),
    *("dvc.repo.metrics.diff", "dvc.repo.plots", "dvc.repo.stage", "dvc.ui.table", "dvc.utils.hydra"),
    *("dvc.utils.strictyaml", "dvc_data.hashfile.db.local", "dvc_data.index.checkout", "dulwich.porcelain"),
    *("celery.app.amqp", "celery.worker.worker", "kombu.transport.filesystem", "shortuuid", "voluptuous.humanize"),
    *("PIL.Image", "cv2", "pandas", "pyarrow.parquet", "pydantic", "requests", "ruamel.yaml", "typer", "yaml"),
)
FOR_STAGES = ("matplotlib.pyplot", "scipy.fft", "scipy.optimize", "scipy.stats", "torch", "torchvision")


class Asked(NamedTuple):
    """A program to be run; `args` as after `python`."""

    args: list[str]
    cwd: str
    env: dict[str, str]
    umask: int
    ignores_ctrl_c: bool


def receive(client: socket.socket) -> tuple[Asked, list[int]]:
    """Return what a client asks for, and its three streams; raise `EOFError` for one that is killed meanwhile."""
    size, files, _, _ = socket.recv_fds(client, 4, 3)
    with client.makefile("rb") as sent:
        return Asked(*loads(sent.read(int.from_bytes(size, "big")))), files


def serve(listener: socket.socket) -> tuple[Asked, list[int]] | None:
    """Fork for every client: return what was asked for in the child, and None in the server, when its input ends."""
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    ready.register(0, selectors.EVENT_READ)
    running: dict[int, int] = {}  # file descriptor of a client or of a program -> pid of the program

    while True:
        key = ready.select()[0][0]  # one at a time: whatever it was, it may have closed what the next one is about
        if key.fd == 0:
            for pid in set(running.values()):
                kill(pid, signal.SIGKILL)
            return None
        if key.fileobj is listener:
            client, _ = listener.accept()
            try:
                asked, files = receive(client)
            except EOFError:
                client.close()
                continue
            load(asked.args)
            pid = os.fork()
            if pid == 0:
                return asked, files
            os.setpgid(pid, pid)
            for file in files:
                os.close(file)
            program = os.pidfd_open(pid)
            running |= {client.fileno(): pid, program: pid}
            ready.register(client, selectors.EVENT_READ)
            ready.register(program, selectors.EVENT_READ, client)
        elif key.data is None:  # a client: it was sent signals, or it is no more
            signals = key.fileobj.recv(64)
            for number in signals or [signal.SIGKILL]:
                kill(running[key.fd], number)
            if not signals:
                ready.unregister(key.fileobj)
        else:  # a program has ended
            client = key.data
            _, status = os.waitpid(running.pop(key.fd), 0)
            del running[client.fileno()]
            ready.unregister(key.fd)
            os.close(key.fd)
            with suppress(KeyError, OSError):  # it may be no more
                ready.unregister(client)
                client.sendall(status.to_bytes(4, "big"))
            client.close()


def kill(pid: int, number: int) -> None:
    """Send a signal to a program and to what it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def load(args: list[str]) -> None:
    """Import what the program is about to import, unless an earlier one had it imported."""
    names = (*FOR_ALL, *(FOR_STAGES if args[0] == "-m" and args[1] != "dvc" else ()))
    if not all(name in sys.modules for name in names):
        for name in names:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, the memory that it shares with the server


def become(asked: Asked, files: list[int], stand_in: str) -> None:
    """Turn this child of the server into the process that was asked for."""
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.closerange(3, max(files) + 64)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN if asked.ignores_ctrl_c else signal.default_int_handler)
    os.setpgid(0, 0)
    os.chdir(asked.cwd)
    os.umask(asked.umask)
    os.environ.clear()
    os.environ.update(asked.env)
    sys.executable = stand_in
    sys.dont_write_bytecode = bool(asked.env.get("PYTHONDONTWRITEBYTECODE"))
    if asked.args[:2] != ["-m", "dvc"]:
        sys.modules["colorama"].deinit()  # which DVC put around the streams when it was loaded
    if asked.env.get("PYTHONUNBUFFERED") or os.isatty(1):
        sys.__stdout__.reconfigure(line_buffering=True)
    sys.modules["tempfile"].tempdir = None  # else TMPDIR of the server's own environment
    sys.modules["numpy"].random.seed()  # else every child would draw the same "random" numbers


def run(args: list[str]) -> None:
    """Do what `python ARGS` does: a module (-m) or a script."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if args[0] == "-m":
        sys.path[:0] = [str(Path.cwd()), *paths]
        sys.argv = args[1:]
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[:0] = [str(Path(args[0]).resolve().parent), *paths]
        sys.argv = args
        file = str(Path(args[0]).absolute())
        sys.modules["__main__"] = module = ModuleType("__main__")
        module.__file__ = file
        exec(compile(Path(file).read_bytes(), file, "exec"), module.__dict__)


def end(code: int) -> None:
    """End as Python does, without taking all the libraries apart, which costs more than most programs do."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    del sys.path[0]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(sys.argv[1])
    listening.listen(64)
    print("ready", flush=True)
    found = serve(listening)
    if found is None:
        shutil.rmtree(Path(sys.argv[1]).parent)
    else:
        become(*found, sys.argv[2])
        try:
            run(found[0].args)
        except SystemExit as stopped:
            if not isinstance(stopped.code, int | None):
                raise
            end(stopped.code or 0)
        except KeyboardInterrupt:  # as Python ends then, whatever the libraries do to its own end
            sys.excepthook(*sys.exc_info())
            sys.stdout.flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        end(0)
