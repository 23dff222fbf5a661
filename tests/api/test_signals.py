import signal

import pytest

from lamina.api.signals import Signals
from lamina.ground import Interrupted


def test_work_that_saves_hears_of_a_signal_and_stops_by_itself() -> None:
    signals = Signals()
    with signals.caught(), signals.saving():
        signal.raise_signal(signal.SIGTERM)
        assert signals.number == signal.SIGTERM


def test_a_second_signal_does_not_wait_and_what_was_not_saved_is_not_called_saved() -> None:
    signals = Signals()
    with pytest.raises(Interrupted) as stop, signals.caught(), signals.saving():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert stop.value.signal_number == signal.SIGINT and not stop.value.saved


def test_work_that_has_nothing_to_save_stops_at_once() -> None:
    signals = Signals()
    with pytest.raises(Interrupted) as stop, signals.caught():
        signal.raise_signal(signal.SIGINT)
    assert stop.value.saved


def test_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Signals().caught():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
