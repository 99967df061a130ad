"""Tokens are what the bill says, in each vendor's words; what is no bill counts nothing."""

from typing import Any

import pytest

from services.generate_stream.usage import tokens

BILLS: dict[str, tuple[Any, dict[str, int]]] = {
    "OpenAI": ({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}, {"input": 11, "output": 7}),
    "OpenAI, its cache in it": (
        {"prompt_tokens": 11, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 8}},
        {"input": 11, "output": 7},
    ),
    "Anthropic": ({"input_tokens": 11, "output_tokens": 7}, {"input": 11, "output": 7}),
    "Anthropic, its cache apart": (
        {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 7},
        {"input": 321, "output": 7},
    ),
    "the same by both names": (
        {"prompt_tokens": 11, "input_tokens": 11, "completion_tokens": 7, "output_tokens": 7},
        {"input": 11, "output": 7},
    ),
    "one side alone": ({"completion_tokens": 7}, {"output": 7}),
    "none": (None, {}),
    "words instead of tokens": ({"prompt_tokens": 3, "completion_tokens": 4, "estimated": "words"}, {}),
    "nonsense": ({"prompt_tokens": "many", "completion_tokens": -1, "input_tokens": True, "output_tokens": 1e400}, {}),
    "too much": ({"prompt_tokens": 10**400, "completion_tokens": None}, {}),
    "not even an object": ([1, 2], {}),
}


@pytest.mark.parametrize("bill", BILLS)
def test_a_bill_is_read_as_its_vendor_means_it(bill: str) -> None:
    usage, meant = BILLS[bill]
    assert tokens(usage) == meant
