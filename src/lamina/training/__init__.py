"""The loop and what it stands on: updates, schedules, averages, stopping, checkpoints. Names no task."""

from lamina.training.averaging import Average
from lamina.training.budget import Budget
from lamina.training.checkpoint import has_checkpoint, load_checkpoint, same_tensors, save_checkpoint
from lamina.training.crew import Follower, Leader, Learners, divided
from lamina.training.guard import Guard, in_pieces, is_out_of_memory
from lamina.training.history import History, read_history
from lamina.training.loop import Loop
from lamina.training.muon import Muon, orthogonal
from lamina.training.news import News, Watcher
from lamina.training.optimizers import Adam, Descent, EvenAdam, Optimizer, RMSprop
from lamina.training.precision import PLAIN, Choice, Way, choose_way, may_take_one_thread, possible_ways
from lamina.training.ranks import Ranks, joined
from lamina.training.rate import find_rate
from lamina.training.schedules import SCHEDULES, Schedule
from lamina.training.stopping import Best
from lamina.training.update import Update, make_update, take_step

__all__ = [
    "PLAIN",
    "SCHEDULES",
    "Adam",
    "Average",
    "Best",
    "Budget",
    "Choice",
    "Descent",
    "EvenAdam",
    "Follower",
    "Guard",
    "History",
    "Leader",
    "Learners",
    "Loop",
    "Muon",
    "News",
    "Optimizer",
    "RMSprop",
    "Ranks",
    "Schedule",
    "Update",
    "Watcher",
    "Way",
    "choose_way",
    "divided",
    "find_rate",
    "has_checkpoint",
    "in_pieces",
    "is_out_of_memory",
    "joined",
    "load_checkpoint",
    "make_update",
    "may_take_one_thread",
    "orthogonal",
    "possible_ways",
    "read_history",
    "same_tensors",
    "save_checkpoint",
    "take_step",
]
