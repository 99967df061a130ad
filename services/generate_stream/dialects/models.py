"""Models by their names alone, as the dialects of others ask for them: they know of no providers."""

from collections.abc import Mapping

from services.generate_stream.providers import Provider


def chosen(providers: Mapping[str, Provider], model: str | None) -> tuple[str, str]:
    """Which provider is asked, and for which model.

    The first whose list has it; one that no list has is given to the default provider, who may know more models than
    it offers here.
    """
    first = next(iter(providers.values()))
    if not model:
        return first.name, first.models[0]
    found = next((provider for provider in providers.values() if model in provider.models), first)
    return found.name, model
