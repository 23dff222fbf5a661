"""Who is measured: where each lives and what each can do."""

from dataclasses import dataclass

from benchmarks.speed.workloads import TEXTS, Kind, Workload

ANSWERS: frozenset[Kind] = frozenset({"throughput", "latency", "first_answer", "command"})
EVERYTHING: frozenset[Kind] = ANSWERS | {"training", "writing", "reach", "folder"}


@dataclass(frozen=True)
class Contender:
    """A framework, or a way of using one."""

    name: str
    """Also its script in `peers/`."""
    title: str
    imports: str
    """The module that a program of it imports first."""
    requirements: str = ""
    """Which file of `requirements/` its environment is made from; empty for the one that Lamina itself runs in."""
    kinds: frozenset[Kind] = EVERYTHING
    tuned: bool = False
    """Whether an expert wrote it: it is left out where the fastest of those that people use is named."""
    tables: bool = False
    """Whether it only knows tables."""
    texts: bool = False
    """Whether its script knows the networks that read and write texts."""

    def takes_part(self, workload: Workload) -> bool:
        """Whether the workload is something that it can do."""
        if workload.kind == "command":
            return (workload.name == "import" and not self.tuned) or self.name == "lamina"
        if workload.kind in ("frame", "padding"):
            return self.name == "lamina"
        if workload.network in TEXTS:
            return self.texts
        if workload.kind in ("reach", "folder"):
            return workload.kind in self.kinds and not self.tuned and (not self.tables or workload.data == "people")
        return workload.kind in self.kinds and (not self.tables or workload.network == "mlp")


CONTENDERS: dict[str, Contender] = {contender.name: contender for contender in (
    Contender("lamina", "Lamina", "lamina", texts=True),
    Contender("by_hand", "PyTorch by hand", "torch", "torch", texts=True),
    Contender("tuned", "PyTorch, tuned", "torch", "torch", tuned=True, texts=True),
    Contender("lightning", "Lightning", "lightning", "lightning"),
    Contender("fastai", "fastai", "fastai.learner", "fastai"),
    Contender("skorch", "skorch", "skorch", "skorch"),
    Contender("keras_tensorflow", "Keras on TensorFlow", "keras", "keras-tensorflow", texts=True),
    Contender("keras_jax", "Keras on JAX", "keras", "keras-jax", texts=True),
    Contender("keras_torch", "Keras on PyTorch", "keras", "keras-torch", texts=True),
    Contender("scikit_learn", "scikit-learn", "sklearn.neural_network", "scikit-learn", tables=True),
    Contender("onnxruntime", "onnxruntime", "onnxruntime", "onnxruntime", kinds=ANSWERS),
)}  # fmt: skip
