"""Ports for processes that must be told theirs, and for what goes away and comes back to its own."""

import itertools
import os
import random
import socket

_FIRST, _PER_WORKER = 20_000, 1000
"""Below what the system gives to outgoing connections, so that none of those takes a port while nobody listens on it.
Each worker of `pytest -n` has its own."""

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_tried = itertools.count(random.randrange(_PER_WORKER))


def free_port() -> int:
    """A port that nothing listens on, and that is not given again soon."""
    for number in itertools.islice(_tried, _PER_WORKER):
        port = _FIRST + _WORKER * _PER_WORKER + number % _PER_WORKER
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")
