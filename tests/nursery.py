"""A nursery: has loaded what a service loads, built nothing, and forks the service from there, again and again.

python -m tests.nursery 3 services.consume_stream services.consume_stream.app

To load is most of what a start costs, and the tests start hundreds. From the fork on, a process is on its own: it runs
the module as `python -m` does, in an environment of its own. `tests/nurseries.py` asks, through the socket.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from typing import Any

MESSAGE_BYTES = 1 << 20


def _child(line: socket.socket) -> dict[str, Any]:
    """Answer until nobody asks any more. Returns in a child alone: what it was asked to be."""
    while asked := line.recv(MESSAGE_BYTES):
        order = json.loads(asked)
        if "poll" in order:
            pid, status = os.waitpid(order["poll"], os.WNOHANG)
            told = os.waitstatus_to_exitcode(status) if pid else None
        else:
            told = os.fork()
            if not told:
                return dict(order)
        line.sendall(json.dumps(told).encode())
    sys.exit()


def _leave(environ: dict[str, str], log: str) -> None:
    """Take nothing of the nursery along but what it has loaded."""
    os.environ.clear()
    os.environ.update(environ)
    said = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.close(said)


def main() -> None:
    """Load, then fork at each word."""
    number, module, *loaded = sys.argv[1:]
    for each in loaded:
        importlib.import_module(each)
    # No collection of a child's shall touch what it shares with the others, and so copy it.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(number)) as line:
        order = _child(line)
    _leave(**order)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
