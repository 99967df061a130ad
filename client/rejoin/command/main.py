"""`rejoin`: what is asked for is done, and every way in which it may end has its code."""

import argparse
import contextlib
import io
import os
import secrets
import shlex
import string
import sys
import time
from collections.abc import Sequence

from rejoin.calls import Options
from rejoin.client import Answer, Client
from rejoin.command import arguments, sessions
from rejoin.command.interrupts import Interrupted, Interrupts
from rejoin.command.memory import Memory, Remembered
from rejoin.command.screen import Screen
from rejoin.command.watching import Watching
from rejoin.errors import Conflict, OutOfReach, Refused, RejoinError
from rejoin.patience import Limits, Retry, describe

REFUSED, USAGE, BROKEN_PIPE = 4, 2, 141
_CALL_S = 10.0
_SESSION_CHARACTERS = 21
_LONG_WAIT_S = 3.0


def main(given: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    asked = arguments.parse(sys.argv[1:] if given is None else given, os.environ)
    # Where one was closed before this began, nobody reads it; and no connection may get its number.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # what a terminal has no sign for stops no answer
    screen = Screen(sys.stdout, sys.stderr, os.environ, as_json=asked.as_json)
    interrupts = Interrupts()
    command = Command(asked, screen, interrupts)
    try:
        return command.run()
    except Interrupted as signal:
        interrupts.ignore()
        if signal.broke:
            screen.abandon()
        command.leave()
        return signal.exit_code
    except BrokenPipeError:
        screen.abandon()
        return BROKEN_PIPE
    except (RejoinError, ValueError, OSError) as error:
        command.refused(error)
        return USAGE if isinstance(error, ValueError) else REFUSED


class Command:
    """One run of the command."""

    def __init__(self, asked: argparse.Namespace, screen: Screen, interrupts: Interrupts) -> None:
        self._asked = asked
        self._screen = screen
        self._interrupts = interrupts
        self._memory = Memory(os.environ, asked.url)
        self._session = ""
        self._watching: Watching | None = None

    def run(self) -> int:
        """Do what was asked for."""
        with Client(self._asked.url, self._asked.token, limits=Limits(call_s=_CALL_S), on_retry=self._retry) as client:
            match self._asked.command:
                case "ask":
                    return self._ask(client)
                case "follow":
                    return self._follow(client)
                case "stop":
                    self._stop(client)
                case _ if self._asked.forget is not None:
                    sessions.forget(self._asked.forget, self._memory, self._screen)
                case _:
                    sessions.show(client, self._memory, self._screen)
        return 0

    def leave(self) -> None:
        """Tell who leaves how to come back."""
        self._screen.quiet()
        if not self._session or (self._watching and self._watching.ended):
            return
        if self._screen.as_json:
            with contextlib.suppress(OSError):
                self._screen.record({"type": "left", "sessionId": self._session})
            return
        self._screen.say("The answer goes on without you.")
        self._screen.say(f"Come back: {self._line('follow')}")
        self._screen.say(f"Stop it: {self._line('stop')}")

    def refused(self, error: Exception) -> None:
        """Tell what went wrong."""
        self._screen.quiet()
        code = error.code if isinstance(error, Refused) else type(error).__name__
        if self._screen.as_json:
            message = error.message if isinstance(error, Refused) else describe(error)
            self._screen.record({"type": "error", "code": code, "message": message})
            return
        self._screen.end_line()
        self._screen.say(f"rejoin: {describe(error)}", "red")
        if isinstance(error, OutOfReach):
            self._screen.say(f"Looked for at {self._asked.url}; another address: --url or REJOIN_URL.")
        if self._watching or isinstance(error, Conflict):
            self._screen.say(f"Come back: {self._line('follow')}")

    def _ask(self, client: Client) -> int:
        # Whoever has left a pipe open behind it shall see what it waits for.
        self._screen.wait("reading what is piped in …")
        prompt = _prompt(self._asked.prompt)
        self._session = self._asked.session or _new_session()
        known = self._memory.recall(self._session)
        self._screen.quiet()
        self._screen.wait("asking …")
        options = Options(session=self._session)
        for name in ("provider", "model", "system"):
            if value := getattr(self._asked, name):
                options[name] = value
        answer = self._start(client, prompt, options, is_new=known is None)
        if self._screen.as_json:
            self._screen.record({"type": "asked", "sessionId": answer.session, "generation": answer.generation})
        met = Remembered(self._session, time.time(), known.position if known else None)
        code = self._watch(client, met, answer.generation, ends=True)
        if not self._asked.session and self._screen.out_is_terminal:
            self._screen.say(f"Go on with it: {self._line('ask', '--session')} …")
        return code

    def _start(self, client: Client, prompt: str, options: Options, *, is_new: bool) -> Answer:
        if is_new:
            # Before it begins: whoever is interrupted in between finds it again.
            self._memory.keep(Remembered(self._session, time.time()))
        try:
            return client.start(prompt, **options)
        except Refused:
            if is_new:
                self._memory.forget(self._session)
            raise

    def _follow(self, client: Client) -> int:
        self._session = self._asked.session
        self._screen.wait("looking …")
        page = client.session(self._session, limit=1)
        newest = page["generations"][0]["generation"] if page["generations"] else 0
        met = self._memory.recall(self._session)
        if met is None or met.position is None or met.generation is None or self._asked.again:
            return self._watch(client, Remembered(self._session, time.time()), newest, ends=False)
        before = met.position
        over = newest > 0 and page["generations"][0]["status"] != "running" and before == page["lastEventId"]
        code = self._watch(client, met, min(met.generation, newest), ends=False, over=over)
        if met.position == before:
            self._screen.say(f"Nothing new. The newest answer from its beginning: {self._line('follow')} --again")
        return code

    def _watch(self, client: Client, met: Remembered, since: int, *, ends: bool, over: bool = False) -> int:
        self._watching = Watching(self._screen, self._memory, self._interrupts, met, since, ended=over)
        stay = not ends and self._asked.stay
        one = since if ends else None
        how = client.follow(self._session, met.position, follow="session" if stay else "answer", generation=one)
        with how as following:
            return self._watching.watch(following)

    def _stop(self, client: Client) -> None:
        stopped = client.stop(self._asked.session)
        if self._screen.as_json:
            self._screen.record({"sessionId": self._asked.session, "stopped": stopped})
        else:
            self._screen.say("Stopped." if stopped else "Nothing was running.")

    def _retry(self, retry: Retry) -> None:
        if retry.wait_s > _LONG_WAIT_S:
            self._screen.say(f"{describe(retry.error)}; trying again in {retry.wait_s:.0f} s")
        else:
            self._screen.wait("connecting …")

    def _line(self, command: str, *before: str) -> str:
        url = [] if self._asked.url in (arguments.URL, os.environ.get("REJOIN_URL")) else ["--url", self._asked.url]
        return shlex.join(["rejoin", command, *url, *(before or self._marked()), self._session])

    def _marked(self) -> Sequence[str]:
        # An id may begin as an option does.
        return ["--"] if self._session.startswith("-") else []


def _prompt(words: Sequence[str]) -> str:
    """The question: what stands on the line, and what is piped in. Raises ValueError for none."""
    piped = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    prompt = "\n\n".join(part for part in (" ".join(words), piped.strip("\n")) if part.strip())
    if not prompt:
        raise ValueError("there is no question")
    return prompt


def _new_session() -> str:
    """An id for a session, of letters and digits: it is typed, and must not look like an option."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_SESSION_CHARACTERS))
