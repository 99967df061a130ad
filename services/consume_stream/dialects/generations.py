"""Where one generation stands in its log, and what the log has of it."""

from dataclasses import dataclass

from services.consume_stream import standing
from services.consume_stream.access import Access
from shared import events
from shared.events import Entry
from shared.position import NONE, Position
from shared.view import Answer, View
from shared.wires import Wires


@dataclass(frozen=True)
class Located:
    """One generation of a log as it stood when it was looked for."""

    number: int
    entries: list[Entry]
    """All of it, earlier attempts too, oldest first."""
    before: Position
    """The last entry before it; NONE where it is the log's first."""

    @property
    def last(self) -> Entry:
        """Its newest entry."""
        return self.entries[-1]

    @property
    def over(self) -> bool:
        """Whether it has its end."""
        return events.is_terminal(self.last.fields)

    @property
    def began_at(self) -> Position:
        """Where its newest attempt begins; NONE where the log has no beginning of it."""
        begun = [entry.id for entry in self.entries if events.is_started(entry.fields)]
        return begun[-1] if begun else NONE

    @property
    def before_last_attempt(self) -> Position:
        """The last entry before its newest attempt: what stands there was voided."""
        before = self.before
        for last, entry in zip([None, *self.entries], self.entries, strict=False):
            if last and events.is_started(entry.fields):
                before = last.id
        return before

    @property
    def answer(self) -> Answer:
        """What a viewer of all of it holds."""
        view = View()
        for entry in self.entries:
            view.apply(str(entry.id), events.event(entry.fields))
        return view.answers.get(self.number, Answer(self.number))


async def locate(wires: Wires, session: str, number: int | None, access: Access) -> Located | None:
    """Find a generation by its number, or the newest; None where this right shows none such. Raises RedisError.

    The log is read backwards until the generation's beginning: who asks for the newest waits for no other.
    """
    found: list[Entry] = []
    async for entry in standing.back(wires, session):
        if not access.shows(entry.fields):
            continue
        generation = _number(entry)
        if found and generation != number:
            return await _allowed(wires, session, access, Located(number or 0, found[::-1], entry.id))
        number = number or generation
        if generation == number:
            found.append(entry)
        elif generation and number and generation < number:
            return None
    located = Located(number, found[::-1], NONE) if found and number else None
    return await _allowed(wires, session, access, located)


async def _allowed(wires: Wires, session: str, access: Access, located: Located | None) -> Located | None:
    # After the reading: what was read may be another's, who has taken the place of a session that was deleted.
    return located if located and await standing.allowed(wires, session, access.right) else None


def _number(entry: Entry) -> int:
    number = entry.fields.get("generation", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
