"""`python -m services.consume_stream`: one process of consume-stream, from the environment and nothing else."""

import os
import sys

from services.consume_stream.app import App
from services.consume_stream.settings import Settings
from shared import logs, server, tracing
from shared.settings import SettingError
from shared.websocket import WebSocketProtocol


def main() -> None:
    """Read the settings and serve until a signal."""
    try:
        settings = Settings.read(os.environ)
        logs.setup("consume-stream", settings.log_level)
        if settings.traced:
            # Only here: it takes 0.2 s and 11 MB to load.
            from shared.otlp import Otlp

            tracing.setup(Otlp("consume-stream"))
    except SettingError as error:
        sys.exit(str(error))
    server.allow_open_files(settings.viewers_max)
    app = App(settings)
    upgrades = {b"/api/consume-stream": WebSocketProtocol}
    server.run(app.asgi(), settings.host, settings.port, app.drain, upgrades)


if __name__ == "__main__":
    main()
