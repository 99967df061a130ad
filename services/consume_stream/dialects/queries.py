"""What queries say, in the forms that several dialects have."""

from starlette.requests import Request

from shared.http import ApiError


def flag(request: Request, name: str) -> bool:
    """A parameter that is true or false; false where it is not there. Raises ApiError with 400."""
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise ApiError(400, "invalid_flag", f"{name} takes true or false.", param=name)
    return value == "true"


def choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """A parameter that is one of these; the first where it is not there. Raises ApiError with 400."""
    value = request.query_params.get(name, choices[0])
    if value not in choices:
        raise ApiError(400, f"invalid_{name}", f"{name} takes {' or '.join(sorted(choices))}.", param=name)
    return value
