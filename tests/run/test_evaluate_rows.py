import pytest

from lamina.run.evaluate_rows import ALONE, REAL, verdict_on_rows


def figures(learned_from: float, told_apart: float) -> dict[str, dict[str, float]]:
    return {name: {"value": value} for name, value in (("learned_from", learned_from), ("told_apart", told_apart))}


@pytest.mark.parametrize(
    "made, said, unsaid",
    [
        (figures(0.85, 0.7), "reaches 0.85 on real ones", "of use"),
        (figures(0.85, 0.9), "put together at random are known in 80%", "of use"),
        (figures(0.70, 0.9), "nothing was learned that is of use", "single columns"),
        (figures(0.70, 0.7), "from columns that know nothing of each other 0.75", "of use"),
    ],
)
def test_made_rows_are_of_use_if_more_is_learned_from_them_or_they_are_harder_to_tell(
    made: dict[str, dict[str, float]], said: str, unsaid: str
) -> None:
    others = {REAL: figures(0.87, 0.5), ALONE: figures(0.75, 0.8)}
    told = verdict_on_rows(made, others, "income", 0.0)
    assert said in told and unsaid not in told
    assert "No sign that training rows are copied" in told
