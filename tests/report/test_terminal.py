import io

import pytest

from lamina.report import Silent, Terminal
from lamina.report.terminal import clock
from lamina.training import News


def news(step: int = 5, **more: object) -> News:
    return News(
        **({"step": step, "steps": 10, "epoch": 1.5, "loss": 0.1234, "rate": 25_000.0, "seconds_left": 24.4} | more)
    )  # type: ignore[arg-type]


class Screen(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return Screen()


@pytest.mark.parametrize(
    "seconds, text", [(0, "0:00"), (-3, "0:00"), (23.6, "0:24"), (723, "12:03"), (3599.6, "1:00:00"), (3723, "1:02:03")]
)
def test_a_duration_is_written_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_lines_are_plain_and_aligned_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    teller = Terminal(file)
    teller.say("data", "houses.csv: [120] rows\nfrom 2 numbers")
    teller.say("", "more")
    assert file.getvalue() == "data        houses.csv: [120] rows\n            from 2 numbers\n            more\n"


def test_a_long_line_is_left_whole_for_programs_that_read_it() -> None:
    file = io.StringIO()
    Terminal(file).say("result", "x" * 500)
    assert file.getvalue().splitlines() == ["result      " + "x" * 500]


def test_progress_without_a_terminal_is_a_line_every_few_seconds() -> None:
    file = io.StringIO()
    teller = Terminal(file)
    teller.news(news(judged={"price.rmse": 46_210.0}, best=True))
    teller.news(news())  # at once after the first: not told
    line = "train       epoch 1.5  loss 0.1234  price.rmse 46,210 (best)  25k rows/s  0:24 left\n"
    assert file.getvalue() == line


def test_the_last_judgement_stays_in_view_until_the_next(screen: Screen) -> None:
    teller = Terminal(screen)
    teller.news(news(judged={"price.rmse": 2.5}))
    screen.truncate(0)
    teller.news(news(step=6))
    teller.end()
    assert "price.rmse 2.5" in screen.getvalue()


def test_a_terminal_has_one_live_line_that_goes_away(screen: Screen) -> None:
    teller = Terminal(screen)
    teller.work("inputs.image", 256, 1797)
    assert "inputs.image  256 of 1,797" in screen.getvalue()
    teller.work("inputs.image", 1797, 1797)
    assert screen.getvalue().endswith("\x1b[2K")  # the line is cleared: nothing of it stays
    teller.end()  # a second time does no harm


def test_what_is_said_is_never_taken_for_markup(screen: Screen) -> None:
    Terminal(screen).say("note", "column [bold]zip[/bold]")
    assert "[bold]zip[/bold]" in screen.getvalue()


def test_the_silent_one_has_the_same_manners(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Silent()
    teller.say("data", "rows")
    teller.work("inputs", 1, 2)
    teller.news(news())
    teller.end()
    told = capsys.readouterr()
    assert told.out == told.err == ""


def test_nothing_is_told_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("result", "good")
    told = capsys.readouterr()
    assert told.out == "" and "good" in told.err
