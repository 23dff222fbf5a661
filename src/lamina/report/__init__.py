"""What people look at: the report page, the card of a run, and the lines in the terminal."""

from lamina.report.card import write_card
from lamina.report.page import write_report
from lamina.report.terminal import Silent, Teller, Terminal, clock

__all__ = ["Silent", "Teller", "Terminal", "clock", "write_card", "write_report"]
