"""What a test starts instead of `python`: has the fork server run DVC, a stage or a script, and ends as that ended.

Whatever else is asked of it the true interpreter does, as it does on a terminal, where Ctrl+C must reach a whole group.
"""

import os
import signal
import sys
from marshal import dumps

import _socket

TRUE, ADDRESS = sys.executable, ''
UNDERSTOOD = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")


def forkable(args):
    odd = [name for name in os.environ if name.startswith("PYTHON") and name not in UNDERSTOOD]
    module = args[1] if args[:1] == ["-m"] and len(args) > 1 else ""
    known = module == "dvc" or module.startswith("stages.") or (args and args[0].endswith(".py"))
    return known and not odd and "REAL_PYTHON" not in os.environ


def run(server, args):
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    mask = os.umask(0)
    os.umask(mask)
    asked = dumps([args, os.getcwd(), dict(os.environ), mask, ignored])
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg([len(asked).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    server.sendall(asked)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, lambda number, frame: server.sendall(bytes([number])))
    status = int.from_bytes(server.recv(4), "big")
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


if any(os.isatty(number) for number in range(3)):
    os.environ["REAL_PYTHON"] = "1"
if forkable(sys.argv[1:]):
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        server.connect(ADDRESS)
    except OSError:
        pass
    else:
        run(server, sys.argv[1:])
os.execv(TRUE, [TRUE, *sys.argv[1:]])
