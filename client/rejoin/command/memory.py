"""What this machine remembers of the sessions it has met: a file each, for their owner alone."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_DIGEST_CHARACTERS = 16


@dataclass
class Remembered:
    """One session: how far it was read, and the words of an answer that was left before its end."""

    session: str
    touched_at: float
    """Unix time, s."""
    position: str | None = None
    generation: int | None = None
    shown: str = ""
    """Empty once the answer has its end."""


class Memory:
    """The sessions of one server. What can't be written is not remembered, and stops nobody."""

    def __init__(self, environ: Mapping[str, str], url: str) -> None:
        state = environ.get("XDG_STATE_HOME", "")
        home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
        # A session's id is known to one server alone.
        server = hashlib.sha256(url.encode()).hexdigest()[:_DIGEST_CHARACTERS]
        self._folder = home / "rejoin" / server

    def recall(self, session: str) -> Remembered | None:
        """What is known of a session; None for nothing, and for what can't be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Remembered(**json.loads(self._file(session).read_text("utf-8")))
        return None

    def keep(self, remembered: Remembered) -> None:
        """Remember it; a reader sees the old file or the new one, whole."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made for nobody else to read.
            handle, name = tempfile.mkstemp(dir=self._folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(remembered), file)
                Path(name).replace(self._file(remembered.session))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def forget(self, session: str) -> bool:
        """Forget it; tells whether it was known."""
        try:
            self._file(session).unlink()
        except OSError:
            return False
        return True

    def all(self) -> list[Remembered]:
        """All of them, the newest first."""
        found = [self.recall(file.stem) for file in self._folder.glob("*.json")] if self._folder.is_dir() else []
        return sorted((each for each in found if each), key=lambda each: each.touched_at, reverse=True)

    def _file(self, session: str) -> Path:
        return self._folder / f"{session}.json"
