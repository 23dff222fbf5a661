"""What a person sees in the terminal while Lamina works: short labelled lines, and one live line while it trains."""

import sys
import time
from collections.abc import Mapping
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from lamina.report._words import figure
from lamina.training import News

_LABEL = 12
_PLAIN_SECONDS = 5.0
"""How often a line of progress is printed where there is no terminal to redraw."""


class Teller(Protocol):
    """Whoever passes on what is going on."""

    def say(self, label: str, text: str) -> None:
        """One line, or several: `result`, `RMSE 45,870 (44,300 to 47,500) ...`."""

    def work(self, what: str, done: int, total: int) -> None:
        """Progress of a long look through the data."""

    def news(self, news: News) -> None:
        """Progress of training."""

    def end(self) -> None:
        """The work that was told of is over; take the live line away."""


class Silent:
    """Says nothing."""

    def say(self, label: str, text: str) -> None:
        pass

    def work(self, what: str, done: int, total: int) -> None:
        pass

    def news(self, news: News) -> None:
        pass

    def end(self) -> None:
        pass


class Terminal:
    """Labelled lines, with a live line of progress in a terminal and a plain one every few seconds elsewhere."""

    def __init__(self, file: TextIO | None = None):
        """Write to `file`, standard error when None: standard output is for results that programs read."""
        self._console = Console(file=file or sys.stderr, highlight=False, soft_wrap=True)
        self._live: Progress | None = None
        self._told = 0.0

    def say(self, label: str, text: str) -> None:
        """A label and a text; further lines of the text are set under the first."""
        first, *more = text.split("\n")
        style = {"warning": "yellow", "note": "cyan", "result": "bold"}.get(label, "")
        self._console.print(f"[dim]{escape(label):<{_LABEL}}[/dim]", end="")
        self._console.print(escape(first), style=style or None)
        for line in more:
            self._console.print(" " * _LABEL + escape(line))

    def work(self, what: str, done: int, total: int) -> None:
        """Progress of reading: a bar in a terminal, nothing elsewhere unless it takes long."""
        if done >= total:
            self.end()
        else:
            self._show("prepare", done, total, f"{what}  {done:,} of {total:,}")

    def news(self, news: News) -> None:
        """Progress of training: epoch, loss, the deciding figure, rows a second, time left."""
        text = f"epoch {news.epoch:,.1f}  loss {news.loss:.4g}"
        if news.judged:
            self._figure = _figures(news.judged) + (" (best)" if news.best else "")
        text += f"  {getattr(self, '_figure', '')}".rstrip()
        text += f"  {_rate(news.rate)} rows/s  {clock(news.seconds_left)} left"
        self._show("train", news.step, news.steps, text)

    def _show(self, label: str, done: int, total: int, text: str) -> None:
        if not self._console.is_terminal:
            now = time.monotonic()
            if now - self._told >= _PLAIN_SECONDS:
                self._told = now
                self.say(label, text)
            return
        if self._live is None:
            columns = (TextColumn(f"[dim]{label:<{_LABEL - 1}}[/dim]"), BarColumn(24), TextColumn("{task.description}"))
            self._live = Progress(*columns, console=self._console, transient=True, auto_refresh=False)
            self._live.start()
            self._task = self._live.add_task("", total=total)
        self._live.update(self._task, completed=done, total=total, description=escape(text), refresh=True)

    def end(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _figures(judged: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in judged.items())


def _rate(rate: float) -> str:
    return f"{rate / 1000:.0f}k" if rate >= 10_000 else f"{rate:,.0f}"


def clock(seconds: float) -> str:
    """`0:24`, `12:03`, `1:02:03`: a duration for people."""
    seconds = max(round(seconds), 0)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
