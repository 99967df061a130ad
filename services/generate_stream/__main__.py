"""`python -m services.generate_stream`: one process of generate-stream, from the environment and nothing else."""

import os
import sys

from services.generate_stream.app import App
from services.generate_stream.settings import Settings
from shared import logs, server
from shared.settings import SettingError


def main() -> None:
    """Read the settings and serve until a signal."""
    logs.setup("generate-stream")
    try:
        settings = Settings.read(os.environ)
    except SettingError as error:
        sys.exit(str(error))
    server.allow_open_files(2 * settings.running_max)
    app = App(settings)
    server.run(app.asgi(), settings.host, settings.port, app.drain)


if __name__ == "__main__":
    main()
