"""What every answer tells browsers to keep from doing with it."""

from collections.abc import Iterable

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # It stops <img> and <script> of other origins, but none of those that CORS lets in: their requests ask for CORS.
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def secured(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """An answer's headers, and those of ours that it does not give itself."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    return given + [header for header in _HEADERS if header[0] not in names]
