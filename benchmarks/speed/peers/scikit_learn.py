"""scikit-learn's `MLPClassifier`, for tables."""

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.speed.peers.job import LEARNING_RATE, Contender, Job, measure


class ScikitLearn(Contender):
    """The same layers; its own start, since its weights cannot be handed in."""

    libraries = ("scikit-learn", "numpy")
    usual_batch_size = 200  # its default

    def __init__(self, job: Job):
        if job.network == "example":
            self.classifier = MLPClassifier(random_state=0)
            return
        self.classifier = MLPClassifier((256, 256, 256), alpha=0.0, learning_rate_init=LEARNING_RATE, random_state=0)
        if job.kind != "training":
            self.train(job.inputs[:2048], job.targets[:2048], job.batch_size, 1)

    def train(self, inputs: Any, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        self.classifier.set_params(batch_size=batch_size)
        for _ in range(epochs):  # an epoch each; `fit` would begin with a fresh optimizer
            self.classifier.partial_fit(inputs, targets, classes=[0, 1])

    def scores(self, inputs: Any) -> np.ndarray:
        return self.classifier.predict_log_proba(inputs)


if __name__ == "__main__":
    measure(ScikitLearn)
