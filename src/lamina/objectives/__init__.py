"""What one step learns: turns of players, each with a loss to minimise."""

from lamina.objectives.adversarial import Adversarial
from lamina.objectives.contract import Objective
from lamina.objectives.realism import Realism
from lamina.objectives.supervised import Learner, Supervised
from lamina.objectives.whole import Whole

__all__ = ["Adversarial", "Learner", "Objective", "Realism", "Supervised", "Whole"]
