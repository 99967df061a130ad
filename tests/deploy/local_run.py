"""A local run as a person starts it: `python -m deploy.local`, on free ports, with its data in a place of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
import psutil

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("REJOIN_", "REDIS_", "OPENAI_", "ANTHROPIC_", "GEMINI_")
_START_S = 40.0
_POLL_S = 0.02


def until(fact: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a fact, or fail by its name."""
    deadline = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(_POLL_S)


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process without what would configure Rejoin, and with these settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**plain, **settings}


class LocalRun:
    """One run, with what it writes kept. Leaving the context kills what is left of it."""

    def __init__(self, data: Path, settings: Mapping[str, str] | None = None, *, through_a_shell: bool = False) -> None:
        self.port, self.generate_port, self.consume_port = free_port(), free_port(), free_port()
        self.output = data / f"output-{self.port}"
        data.mkdir(parents=True, exist_ok=True)
        defaults = {
            "REJOIN_PORT": str(self.port),
            "REJOIN_GENERATE_PORT": str(self.generate_port),
            "REJOIN_CONSUME_PORT": str(self.consume_port),
            "REJOIN_DATA_DIR": str(data),
        }
        command = [sys.executable, "-m", "deploy.local"]
        if through_a_shell:
            # As make does it: a parent that waits. `:` keeps the shell from becoming the command itself.
            command = ["sh", "-c", f"{sys.executable} -m deploy.local --parent $$; :"]
        with self.output.open("wb") as output:
            env = environment(**{**defaults, **(settings or {})})
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        self.family: list[psutil.Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.remember_family()
        self.process.kill()
        self.process.wait()
        for each in self.family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()

    def ready(self) -> Self:
        """Wait for its welcome, and remember every process that belongs to it."""
        until(lambda: self.process.poll() is not None or "Rejoin is up" in self.text, _START_S, "the welcome")
        assert self.process.poll() is None, self.text
        self.remember_family()
        return self

    def remember_family(self) -> None:
        """Note the processes below it, to ask after them when it is gone."""
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    @property
    def text(self) -> str:
        """What it and its services have written so far."""
        return self.output.read_text()

    @property
    def complaints(self) -> list[str]:
        """The lines that are no log: what a person reads when a start fails."""
        return [line for line in self.text.splitlines() if line and not line.startswith("{")]

    def child(self, part: str) -> psutil.Process:
        """The process whose command line has this part."""
        [found] = [each for each in self.family if part in " ".join(each.cmdline())]
        return found

    def interrupt(self) -> int:
        """Press Ctrl-C and wait; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def exit_code(self) -> int:
        """Wait until it has ended by itself."""
        return self.process.wait(_START_S)

    def no_one_is_left(self, within_s: float) -> None:
        """Fail if a process of it still runs after this time."""
        assert self.family
        until(lambda: not any(map(_runs, self.family)), within_s, f"the end of {self.family}")

    def client(self) -> httpx2.Client:
        """A client of its one address."""
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20, trust_env=False, verify=False)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
