"""`python -m rejoin` is the command `rejoin`."""

import sys

from rejoin.command.main import main

sys.exit(main())
