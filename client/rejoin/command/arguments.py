"""The command line: what can be asked for, and how it ends."""

import argparse
import re
from collections.abc import Mapping, Sequence

URL = "http://127.0.0.1:8000"

EPILOG = """\
exit codes:
  0    the answer is complete (or the command has done what it should)
  1    the answer failed
  2    the command line is wrong
  3    the answer was stopped
  4    the server refused, was out of reach, or has lost the answer
  5    the answer was begun anew after words of it had been printed, and differs:
       they are void
  128+n  ended by signal n: 130 for Ctrl-C, after which the answer goes on;
       141 when nobody reads the output

environment:
  REJOIN_URL, REJOIN_TOKEN    in place of --url and --token (which other users
                              of a machine may see)
  XDG_STATE_HOME              where it is remembered how far a session was read;
                              ~/.local/state by default
  NO_COLOR, TERM=dumb         no colours; the latter no spinner either
"""


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """What is asked for. Ends the process, with 2, for what can't be."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--url", help=f"address of the server; {URL} by default")
    common.add_argument("--token", help="token to bring, where the server asks for one")
    common.add_argument("--json", action="store_true", dest="as_json", help="one JSON object on each line")
    parser = argparse.ArgumentParser(
        "rejoin",
        description="Ask a Rejoin server, leave, and come back: the answer goes on without you.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".", parents=[common])

    ask = command("ask", "ask a question, and print the answer as it is written")
    ask.add_argument("prompt", nargs="*", help="the question; what is piped in is put behind it")
    ask.add_argument("--session", type=_session, help="go on with this session")
    ask.add_argument("--provider", help="who answers; the server's default without it")
    ask.add_argument("--model", help="the provider's model; its default without it")
    ask.add_argument("--system", help="the system prompt")
    follow = command("follow", "print what has come since you left; of an unknown session its newest answer")
    follow.add_argument("session", metavar="SESSION", type=_session)
    follow.add_argument("--again", action="store_true", help="print the newest answer from its beginning")
    follow.add_argument("--stay", action="store_true", help="stay for the next questions")
    stop = command("stop", "stop the answer that is being written")
    stop.add_argument("session", metavar="SESSION", type=_session)
    sessions = command("sessions", "list the sessions of this machine, the newest first")
    sessions.add_argument(
        "--forget", metavar="SESSION", type=_session, nargs="*", help="forget these, or all; the server keeps them"
    )
    given = {
        "url": environ.get("REJOIN_URL") or URL,
        "token": environ.get("REJOIN_TOKEN", "").strip() or None,
        "as_json": False,
    }
    return parser.parse_args(arguments, argparse.Namespace(**given))


def _session(text: str) -> str:
    """A session's id: it becomes the name of a file."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", text):
        raise argparse.ArgumentTypeError("a session id has 8 to 64 letters, digits, _ and -")
    return text
