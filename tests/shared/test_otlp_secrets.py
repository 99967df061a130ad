"""A header that OpenTelemetry's SDK can't read is most likely a key: it is not shown in a log."""

import subprocess
import sys

BEGIN = "from shared import logs, otlp; logs.setup('rejoin'); otlp.Otlp('rejoin')"


def test_a_header_that_cannot_be_read_is_not_logged() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "Authorization: Bearer sk-secret", "PATH": ""}
    told = subprocess.run([sys.executable, "-c", BEGIN], env=environ, capture_output=True, text=True, check=True)
    assert "Header format invalid" in told.stderr
    assert "sk-secret" not in told.stderr
