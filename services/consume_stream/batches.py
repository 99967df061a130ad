"""Batches: what one read brought, decoded and made into frames once for all viewers at the same place."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

from services.consume_stream import frames
from shared import events
from shared.events import Entry
from shared.position import Position


class Batch:
    """Some entries of one log, at least one, in their order."""

    def __init__(self, entries: Sequence[Entry], raw: Any = None) -> None:
        self.entries = entries
        self.raw = raw

    @property
    def position(self) -> Position:
        """Of the last entry."""
        return self.entries[-1].id

    @cached_property
    def ended(self) -> bool:
        """Whether the last entry is terminal."""
        return events.is_terminal(self.entries[-1].fields)

    @cached_property
    def frames(self) -> bytes:
        """The entries as Server-Sent Events."""
        return frames.encode(self.entries)

    def after(self, position: Position) -> "Batch | None":
        """What of it lies past a position; None for nothing."""
        if self.entries[0].id > position:
            return self
        entries = [entry for entry in self.entries if entry.id > position]
        return Batch(entries) if entries else None


class Batches:
    """The batch that was read last from each log, for as long as any viewer holds it.

    A nudge makes all viewers of a log read in one moment, and those at the same place get the same reply: two hundred
    of them cost one decoding and one encoding (0.4 µs to compare instead of 15 µs).
    """

    def __init__(self) -> None:
        self._latest: WeakValueDictionary[str, Batch] = WeakValueDictionary()

    def of(self, log: str, raw: Sequence[Any]) -> Batch:
        """The batch that a reply of Redis holds, `[[id, [field, value, ...]], ...]`."""
        latest = self._latest.get(log)
        if latest is None or latest.raw != raw:
            latest = self._latest[log] = Batch([events.decode(entry) for entry in raw], raw)
        return latest
