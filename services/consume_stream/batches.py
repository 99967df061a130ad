"""Batches: what one read brought, decoded and made into frames once for all viewers at the same place."""

from collections.abc import Sequence
from functools import cached_property
from weakref import WeakValueDictionary

from services.consume_stream import frames
from shared import events
from shared.events import Entry
from shared.position import Position

_MS_DIGITS = 12


class Batch:
    """Some entries of one log, at least one, in their order, as Redis told of them."""

    def __init__(self, raw: Sequence[events.Raw]) -> None:
        self.raw = raw

    def __len__(self) -> int:
        return len(self.raw)

    @cached_property
    def last(self) -> Entry:
        """The last entry."""
        return events.decode(self.raw[-1])

    @cached_property
    def entries(self) -> list[Entry]:
        """All of them."""
        return [events.decode(raw) for raw in self.raw]

    @cached_property
    def frames(self) -> bytes:
        """The entries as Server-Sent Events."""
        return frames.encode([self.last] if len(self.raw) == 1 else frames.joined(self.raw))

    @cached_property
    def messages(self) -> list[str]:
        """The same frames as messages of a WebSocket."""
        return frames.messages(self.frames)

    @cached_property
    def frame_count(self) -> int:
        """How many frames these are. No line of JSON is empty."""
        return self.frames.count(b"\n\n")

    @cached_property
    def came_at_s(self) -> float | None:
        """When the last entry came to its writer, by the clock of Redis, in seconds since 1970; None where its `ms`,
        being a foreign writer's, is no number.
        """
        last = self.last
        ms = last.fields.get("ms", "0")
        return (last.id.ms + int(ms)) / 1000 if ms.isdecimal() and len(ms) <= _MS_DIGITS else None

    def after(self, position: Position) -> "Batch | None":
        """What of it lies past a position; None for nothing."""
        if events.position_of(self.raw[0]) > position:
            return self
        raw = [each for each in self.raw if events.position_of(each) > position]
        return Batch(raw) if raw else None

    def of_generation(self, generation: int) -> "Batch | None":
        """What of it belongs to one generation; None for nothing."""
        number = str(generation).encode()
        raw = [each for each in self.raw if _generation(each) == number]
        return Batch(raw) if raw else None


class Batches:
    """The batch that was read last from each log, for as long as any viewer holds it.

    A nudge makes all viewers of a log read in one moment, and those at the same place get the same reply: two hundred
    of them cost one decoding and one encoding (0.4 µs to compare instead of 15 µs).
    """

    def __init__(self) -> None:
        self._latest: WeakValueDictionary[str, Batch] = WeakValueDictionary()

    def of(self, log: str, raw: Sequence[events.Raw]) -> Batch:
        """The batch that a reply of Redis holds."""
        latest = self._latest.get(log)
        if latest is None or latest.raw != raw:
            latest = self._latest[log] = Batch(raw)
        return latest


def _generation(raw: events.Raw) -> bytes | None:
    fields: Sequence[bytes] = raw[1]
    return dict(zip(fields[::2], fields[1::2], strict=True)).get(b"generation")
