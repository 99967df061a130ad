"""`python -m services.generate_stream`: one process of generate-stream, from the environment and nothing else."""

import os
import sys

from services.generate_stream.app import App
from services.generate_stream.settings import Settings
from shared import logs, server, tracing
from shared.settings import SettingError


def main() -> None:
    """Read the settings and serve until a signal."""
    try:
        settings = Settings.read(os.environ)
        logs.setup("generate-stream", settings.log_level)
        if settings.traced:
            # Only here: it takes 0.2 s and 11 MB to load.
            from shared.otlp import Otlp

            tracing.setup(Otlp("generate-stream"), captures_content=settings.capture_content)
    except SettingError as error:
        sys.exit(str(error))
    server.allow_open_files(2 * settings.running_max)
    app = App(settings)
    server.run(app.asgi(), settings.host, settings.port, app.drain)


if __name__ == "__main__":
    main()
