"""A gate for a scripted vendor: it lets out piece by piece, and hears when the one who asked has gone."""

import asyncio
from typing import Literal


class Gate(asyncio.Semaphore):
    """Each release lets one piece through. The fake's connection waits here, so its end is noticed here too."""

    def __init__(self) -> None:
        super().__init__(0)
        self.reached = asyncio.Event()
        """The vendor has been asked, and holds a piece back."""
        self.left = asyncio.Event()
        """Whoever asked has closed the connection while a piece was held back."""

    async def acquire(self) -> Literal[True]:
        self.reached.set()
        try:
            return await super().acquire()
        except asyncio.CancelledError:
            self.left.set()
            raise
        finally:
            self.reached.clear()

    def let_out(self, pieces: int = 1) -> None:
        """Let so many pieces through."""
        for _ in range(pieces):
            self.release()

    async def reached_within(self, seconds: float) -> None:
        """Wait until a piece is held back; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.reached.wait()

    async def left_within(self, seconds: float) -> None:
        """Wait until whoever asked has gone; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.left.wait()
