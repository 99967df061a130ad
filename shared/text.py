"""Text at the edge: what vendors and clients send becomes Unicode that UTF-8 can carry. Pure."""


def whole(text: str) -> str:
    """Join the halves of surrogate pairs; a half that stands alone becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
