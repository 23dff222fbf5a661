"""Choices and verdicts that several trainings on the same data bring."""

from lamina.search.candidates import Candidates, Chosen, fit_candidates
from lamina.search.folds import FOLDS, judge_by_folds
from lamina.search.mirror import Mirroring, may_mirror

__all__ = ["FOLDS", "Candidates", "Chosen", "Mirroring", "fit_candidates", "judge_by_folds", "may_mirror"]
