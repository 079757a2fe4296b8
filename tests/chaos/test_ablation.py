"""Every safety idea is load-bearing: without it the same schedules go wrong."""

from pathlib import Path

import pytest

from tests.chaos.ablation import ABLATIONS, schedules, wrong_ones
from tests.chaos.mutants import MUTANTS, Mutant, is_noticed, mistaken, plant

#: Noticed early; `make chaos` plants all of them.
QUICK = [each for each in MUTANTS if each.file == "consumer/hands.py"]


@pytest.mark.parametrize("idea", ABLATIONS)
def test_without_the_idea_something_goes_wrong(idea: str) -> None:
    ablation = ABLATIONS[idea]

    wrong = wrong_ones(ablation, schedules(1000, ablation))

    assert next(wrong, None) is not None, f"nobody misses it: {idea}"


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_core_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    plant(mutant, tmp_path)

    assert is_noticed(tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_mistake_fits_the_core_as_it_is(mutant: Mutant) -> None:
    assert mutant.new in mistaken(mutant)
