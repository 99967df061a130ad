"""The name of one process, new at every start."""

import nanoid

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_instance() -> str:
    """Twelve letters and digits: no `-`, which parts the name of a consumer group."""
    return str(nanoid.generate(_LETTERS, 12))
