"""Which Rejoin this is."""

VERSION = "0.1.0"
"""As in pyproject.toml, which does not come along into an image."""
