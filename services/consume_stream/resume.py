"""The resume rule: whether a viewer may go on from its position, must wait for the log, or must begin anew. Pure."""

from typing import Literal

from shared.position import NONE, Position

Verdict = Literal["go", "wait", "reset"]


def judge(position: Position, last: Position | None, *, found: bool) -> Verdict:
    """`last` is the position of the log's last entry, None for no log; `found`, whether `position` is in the log.

    Past the end: a writer may be about to write again what Redis lost, so the viewer waits before it begins anew.
    """
    if last is None or position > last:
        return "wait"
    if position == NONE or found:
        return "go"
    return "reset"
