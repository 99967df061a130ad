"""Delivery: how much of a draft the log has, what to send next, what a reply says of it. Pure."""

from typing import NamedTuple

from services.generate_stream.attempt import Fields
from services.generate_stream.draft import Draft, size_of
from services.generate_stream.log import Appended, Fenced, Gap

BATCH_MAX_ENTRIES = 256
BATCH_MAX_BYTES = 512 * 1024


class Batch(NamedTuple):
    """Entries to append from seq `first` on; whether they are all there are; how many bytes of content that makes."""

    first: int
    entries: list[Fields]
    whole: bool
    content: int


class Delivery:
    """Follows a draft into the log. The draft keeps everything, so that any gap can be filled from it."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._next = 1
        """The seq of the first entry that has not been sent. The log's script has written `started`."""
        self._kept = 1
        """The seq of the first entry that the log is not known to have."""
        self._taken = 0

    @property
    def held_back(self) -> int:
        """Bytes of content that the log is not known to have."""
        return self._draft.size - self._taken

    @property
    def behind(self) -> bool:
        """Whether an entry has not been sent."""
        return self._next < len(self._draft.entries)

    def batch(self) -> Batch:
        """What to send next, and takes it for sent; empty where all has been. What has gathered becomes entries."""
        self._draft.cut()
        entries: list[Fields] = []
        size = 0
        for entry in self._draft.entries[self._next : self._next + BATCH_MAX_ENTRIES]:
            size += size_of(entry)
            if entries and size > BATCH_MAX_BYTES:
                break
            entries.append(entry)
        first, self._next = self._next, self._next + len(entries)
        return Batch(first, entries, not self.behind, self._draft.size)

    def replied(self, batch: Batch, reply: Appended | Gap | Fenced) -> None:
        """Take what a reply to the oldest batch on its way says. A gap is filled from its beginning."""
        if isinstance(reply, Fenced):
            return
        self._kept = reply.last + 1
        if isinstance(reply, Gap):
            self.rewind()
        elif batch.whole:
            self._taken = batch.content

    def rewind(self) -> None:
        """Whatever is on its way may be lost: send again all that the log is not known to have."""
        self._next = self._kept
