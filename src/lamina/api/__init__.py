"""The public face: train, load, run, plan, and what the command line's verbs call."""

from lamina.api.answers import chat_to, make_to, predict_to, write_to
from lamina.api.examine import examine
from lamina.api.fit import ModuleRun, fit
from lamina.api.lines import evaluation_json, evaluation_lines
from lamina.api.module_folder import load_module
from lamina.api.outlook import Outlook
from lamina.api.run import Run, load
from lamina.api.train import make_plan, train
from lamina.data import SAMPLES, write_sample

__all__ = [
    "SAMPLES",
    "ModuleRun",
    "Outlook",
    "Run",
    "chat_to",
    "evaluation_json",
    "evaluation_lines",
    "examine",
    "fit",
    "load",
    "load_module",
    "make_plan",
    "make_to",
    "predict_to",
    "train",
    "write_sample",
    "write_to",
]
