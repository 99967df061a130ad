"""`python -m deploy.doctor URL`: examine a running Rejoin, from here to its Redis.

REJOIN_TOKEN in the environment is the token that it asks with, where REJOIN_AUTH is jwt.
Exit code 0 when nothing is wrong, 1 with warnings, 2 with something that breaks answers, or when it is out of reach.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from deploy.doctor import telling, verdicts
from deploy.doctor.examining import Order, examine


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine and tell; returns the exit code."""
    order, as_json = _order(arguments)
    chain = asyncio.run(examine(order))
    found = verdicts.findings(chain)
    code = verdicts.exit_code(found)
    print(telling.document(chain, found, code) if as_json else "\n".join(telling.lines(order.url, found, code)))
    return code


def _order(arguments: Sequence[str] | None) -> tuple[Order, bool]:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.doctor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="the address that readers use, such as https://chat.example.com")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")
    parser.add_argument("--seconds", type=_seconds, default=30.0, help="how long to examine at most (30)")
    parser.add_argument("--ask", action="store_true", help="ask the demo provider, follow its answer and remove it")
    parser.add_argument("--insecure", action="store_true", help="take any TLS certificate")
    given = parser.parse_args(arguments)
    if not given.url.startswith(("http://", "https://")):
        parser.error("the address begins with http:// or https://")
    # Not an argument: all of this machine may see those.
    token = os.environ.get("REJOIN_TOKEN", "").strip()
    return Order(given.url.rstrip("/"), given.seconds, given.ask, given.insecure, token), given.json


def _seconds(text: str) -> float:
    value = float(text)
    if not 5 <= value <= 120:
        raise argparse.ArgumentTypeError("takes 5 to 120")
    return value


if __name__ == "__main__":
    sys.exit(main())
