"""The loop and what it stands on: updates, schedules, averages, stopping, checkpoints. Names no task."""

from lamina.training.averaging import Average
from lamina.training.checkpoint import load_checkpoint, same_tensors, save_checkpoint
from lamina.training.history import History, read_history
from lamina.training.loop import Budget, Loop, News, Watcher
from lamina.training.optimizers import Muon, make_update, orthogonal
from lamina.training.precision import PLAIN, Choice, Way, choose_way
from lamina.training.rate import find_rate
from lamina.training.schedules import SCHEDULES, Schedule
from lamina.training.stopping import Best
from lamina.training.update import Update, take_step

__all__ = [
    "PLAIN",
    "SCHEDULES",
    "Average",
    "Best",
    "Budget",
    "Choice",
    "History",
    "Loop",
    "Muon",
    "News",
    "Schedule",
    "Update",
    "Watcher",
    "Way",
    "choose_way",
    "find_rate",
    "load_checkpoint",
    "make_update",
    "orthogonal",
    "read_history",
    "same_tensors",
    "save_checkpoint",
    "take_step",
]
