"""The names in Redis are those of the contract, and no session id can forge another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import keys
from shared.instance import new_instance
from tests.shared.strategies import TEXTS, bounded


def test_the_names_are_those_of_the_contract() -> None:
    names = [keys.log("abc"), keys.meta("abc"), keys.RUNNING, keys.consumer("i"), keys.control("i"), keys.TAKEOVER]
    assert names == [
        "llm:stream:abc",
        "{llm:stream:abc}:meta",
        "llm:running",
        "llm:consumer:i",
        "llm:control:i",
        "llm:takeover",
    ]
    assert keys.group("i", "V1StGXR8_Z5jdHi6B-myT") == "sse-group-i-V1StGXR8_Z5jdHi6B-myT"


@pytest.mark.parametrize("text", ["a" * 8, "a" * 64, "V1StGXR8_Z5jdHi6B-myT", "--------", "12345678"])
def test_a_session_id_may_be(text: str) -> None:
    assert keys.is_session(text)


@pytest.mark.parametrize(
    "text",
    ["", "a" * 7, "a" * 65, "a b c d e", "abcdefg\n", "\nabcdefgh", "{abcdef}", "abc:defgh", "äbcdefgh", "١" * 8],
)
def test_a_session_id_may_not_be(text: str) -> None:
    assert not keys.is_session(text)


@bounded
@given(st.one_of(TEXTS, st.text("aA0_-:{}*\n", max_size=70)))
def test_no_session_id_holds_what_means_something_in_a_key(text: str) -> None:
    if keys.is_session(text):
        assert not set(text) & set(":{}*?[]\\ \r\n\0")


@pytest.mark.parametrize("viewer", ["V1StGXR8_Z5jdHi6B-myT", "-", "--x"])
def test_a_group_tells_its_process(viewer: str) -> None:
    instance = new_instance()
    assert keys.instance_of(keys.group(instance, viewer)) == instance


@pytest.mark.parametrize(
    "name", ["", "my-group", "sse-group-", "sse-group-a", "sse-group--b", "x-sse-group-a-b", "SSE-group-a-b"]
)
def test_other_groups_are_nobodys(name: str) -> None:
    assert keys.instance_of(name) is None
