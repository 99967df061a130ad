"""The contract that both services sign: positions, events, key names, settings, and how Redis is spoken to.

Neither service imports the other; whatever they must agree on is here, and nothing else is.
"""

import sys

# Where it is installed, redis-py loads the metrics of OpenTelemetry's SDK (0.1 s, 3 MB), which nobody here uses. What
# is None here counts as not installed; who has loaded them before us keeps them.
sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]
