"""A seed that failed can be seen again, because it draws the same plan."""

from typing import get_args

import pytest

from tests.chaos.__main__ import seeds
from tests.chaos.breakages import FORGETS_WITH_IT, TAIL, Kind
from tests.chaos.plan import Manner, draw


def test_a_seed_draws_the_same_plan_again_and_each_seed_another() -> None:
    assert draw(7) == draw(7)
    assert len({repr(draw(seed)) for seed in range(50)}) == 50


def test_every_kind_of_fault_is_drawn() -> None:
    drawn = {breakage.kind for seed in range(200) for breakage in draw(seed).breakages}
    assert drawn == set(get_args(Kind))


def test_every_manner_of_viewer_is_drawn() -> None:
    drawn = {watch.manner for seed in range(50) for story in draw(seed).stories for watch in story.watches}
    assert drawn == set(get_args(Manner))


def test_who_wrote_what_redis_forgets_lives_to_write_it_again() -> None:
    forgetful = [plan for plan in map(draw, range(200)) if any(each.kind == TAIL for each in plan.breakages)]
    assert forgetful
    for plan in forgetful:
        assert not {each.kind for each in plan.breakages} & set(FORGETS_WITH_IT)
        assert not [story for story in plan.stories if story.deleted_at_s is not None]


@pytest.mark.parametrize(("text", "numbers"), [("7", [7]), ("3-5", [3, 4, 5])])
def test_seeds_are_one_or_from_one_to_another(text: str, numbers: list[int]) -> None:
    assert seeds(text) == numbers
