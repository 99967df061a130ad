"""An answer that the scripted vendor tells piece by piece, as the test says."""

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate

PIECES = tuple(f"wörd {number} 🌊{' ' if number % 40 else chr(10) * 2}" for number in range(1, 401))
"""All different, so that none can be lost, doubled or out of place unseen; in paragraphs, as answers are."""


class Telling:
    """What is said to one prompt, and how much of it so far."""

    def __init__(self, upstream: Upstream, prompt: str, pieces: tuple[str, ...] = PIECES) -> None:
        self.prompt = prompt
        self.pieces = pieces
        self.gate = Gate()
        self._out = 0
        upstream.prompts[prompt] = Script(text=pieces, gate=self.gate)

    @property
    def sent(self) -> str:
        """What has been said so far."""
        return "".join(self.pieces[: self._out])

    def say(self, pieces: int) -> None:
        """Say some more; past the last piece comes the end."""
        self._out = min(self._out + pieces, len(self.pieces))
        self.gate.let_out(pieces)

    def end(self) -> None:
        """Say all that is left."""
        self.say(len(self.pieces) - self._out)
