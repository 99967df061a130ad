"""What a connection has still to send: how much it is, and its end when the peer takes nothing of it."""

import array
import asyncio
import contextlib
import fcntl
import termios

FLUSH_S = 2.0
"""How long what was written before a cut may take to leave."""

_UNTAKEN_S = 30.0


def unsent_bytes(transport: asyncio.Transport) -> int:
    """All that the peer has not taken yet, here and in the kernel.

    The kernel makes room in large steps: a slow peer shows in what lies there, long before it shows here.
    """
    in_kernel = array.array("i", [0])
    with contextlib.suppress(OSError, ValueError):
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, in_kernel)
    return int(transport.get_write_buffer_size()) + in_kernel[0]


def drop_if_untaken(transport: asyncio.Transport) -> None:
    """Watch over the rest of an answer: a connection that is to close waits for it, and a dead peer never takes it."""
    if transport.get_write_buffer_size():
        asyncio.get_running_loop().call_later(_UNTAKEN_S, _drop, transport, unsent_bytes(transport))


def _drop(transport: asyncio.Transport, before: int) -> None:
    if not transport.get_write_buffer_size():
        return
    left = unsent_bytes(transport)
    if left == before:
        transport.abort()
    else:
        asyncio.get_running_loop().call_later(_UNTAKEN_S, _drop, transport, left)
