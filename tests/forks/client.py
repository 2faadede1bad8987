"""What a test starts instead of `python`: has the fork server run a program, and ends as that ended.

It knows DVC, the project's own modules and scripts; whatever else is asked of it the true interpreter does. It loads
next to nothing, since it is started for every program.
"""

import _socket
import os
import signal
import sys
from marshal import dumps

OURS = ("dvc", "stages.", "demo", "starter.", "benchmarks.")
UNDERSTOOD = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(true: str, address: str) -> None:
    """Do what `true`, the interpreter, would do with these arguments: through the server at `address` if it can."""
    args = sys.argv[1:]
    if "FORKED_PYTHON" not in os.environ and any(os.isatty(number) for number in range(3)):
        os.environ["REAL_PYTHON"] = "1"  # Ctrl+C on a terminal reaches a whole group: all of it must be true
    if forkable(args):
        server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            server.connect(address)
        except OSError:
            pass  # the tests have ended
        else:
            end_like(run(server, args))
    os.execv(true, [true, *args])


def forkable(args: list[str]) -> bool:
    """Return whether the server knows how to run it."""
    odd = [name for name in os.environ if name.startswith("PYTHON") and name not in UNDERSTOOD]
    module = args[1] if args[:1] == ["-m"] and len(args) > 1 else ""
    known = module.startswith(("dvc", "stages.", "demo", "starter.", "benchmarks.")) or (
        args and args[0].endswith(".py")
    )
    daemon = "--run-all" in args or args[2:3] == ["queue"]  # DVC starts a worker there that outlives it
    return bool(known) and not odd and not daemon and "REAL_PYTHON" not in os.environ


def run(server: _socket.socket, args: list[str]) -> int:
    """Hand over arguments, folder, environment, streams and, while it runs, signals; return the wait status."""
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    mask = os.umask(0)
    os.umask(mask)
    asked = dumps([args, os.getcwd(), dict(os.environ), mask, ignored])  # noqa: PTH109
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg([len(asked).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    server.sendall(asked)
    for name in FORWARDED:
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, lambda number, _: server.sendall(bytes([number])))
    status = server.recv(4)
    return int.from_bytes(status, "big") if status else signal.SIGKILL  # that is what a server does when it ends


def end_like(status: int) -> None:
    """End with the exit code or by the signal of the program."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))
