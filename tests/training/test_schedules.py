import pytest

from lamina.training import SCHEDULES


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_warms_up_never_exceeds_its_height_and_never_falls_below_zero(name: str) -> None:
    shares = [SCHEDULES[name](step / 1000, 0.1) for step in range(1000)]
    assert shares[0] < 0.02
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) > 0.99
    top = len(shares) - 1 - shares[::-1].index(max(shares))
    assert shares[top:] == sorted(shares[top:], reverse=True)


@pytest.mark.parametrize(
    "name, end",
    [
        ("constant", 1.0),
        ("linear", 0.0),
        ("cosine", 0.0),
        ("one_cycle", 0.0),
        ("step", 0.01),
        ("restart", 0.0),
        ("restarts", 0.0),
    ],
)
def test_where_a_schedule_ends(name: str, end: float) -> None:
    assert SCHEDULES[name](1.0, 0.1) == pytest.approx(end, abs=1e-6)


def test_rounds_take_up_the_full_rate_again_and_are_each_twice_as_long() -> None:
    shares = [SCHEDULES["restarts"](step / 3100, 0.1) for step in range(3100)]
    falls = [step for step in range(1, 3100) if shares[step - 1] < 0.01 and shares[step] < shares[step - 1]]
    ends = [step for step in falls if shares[min(step + 30, 3099)] > shares[step] + 0.01] + [3100]
    assert [round(end / 100) for end in sorted({round(end, -2) for end in ends})] == [1, 3, 7, 15, 31]
