"""The plan: every part, size and setting of a network and its training, as data that a person can read and edit."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event
from torch import nn

from lamina.data import ChecksPlan, SplitPlan
from lamina.ground import PlanError, from_plain, listing, nearest, to_plain
from lamina.hidden import HIDDEN, HiddenPlan
from lamina.inputs import INPUTS, InputPlan
from lamina.outputs import OUTPUTS, OutputPlan

Size = Literal["small", "medium", "large"]
_DEEPEST = 30
"""Levels of keys and values in a plan; its own are five."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How the network learns."""

    objective: Literal["supervised", "adversarial"] = "supervised"
    """What one step learns: from answers that are given, or by making what a critic cannot tell from the real."""
    optimizer: Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "muon"] = "adamw"
    """How gradients become updates; `muon` takes the matrices of hidden layers and leaves the rest to adamw."""
    learning_rate: float | Literal["find"] = 0.002
    """The highest rate of the schedule; `find` measures it on training rows before the first step."""
    muon_rate: float = 0.02
    """The highest rate of the matrices that muon takes; filters before a norm take steps that are 12 times as large."""
    weight_decay: float = 0.01
    """How strongly weights are drawn to zero; matrices and filters only, never biases and norms."""
    momentum: float = 0.9
    """Memory of earlier gradients, for momentum, nesterov and rmsprop; the first beta of adam and adamw."""
    schedule: Literal["constant", "linear", "cosine", "one_cycle", "step", "restart", "restarts"] = "cosine"
    """How the rate falls when warm: not, in a line, as a cosine, as one cycle, by ten at 50 and 75 %, twice, or in
    rounds that are each twice as long as the last."""
    warmup: float = 0.05
    """The share of all steps in which the rate climbs to its height."""
    batch_size: int = 256
    """Rows a step learns from."""
    accumulate: int = 1
    """Parts that a step's rows are worked through in, to save memory; the gradient stays that of the whole."""
    epochs: int | None = None
    """How often every training row is seen; None lets `steps` or the time decide."""
    steps: int | None = None
    """How many updates are made; None lets `epochs` or the time decide."""
    patience: int | None = None
    """Judgements without a better one after which training stops; None never stops early."""
    stop_at: float | None = None
    """Stop when the deciding metric on validation rows is this good."""
    stop_at_loss: float | None = None
    """Stop when the mean training loss of an epoch falls under this value."""
    judge_every: int | None = None
    """Steps between judgements on validation rows; None judges once an epoch, or less often when epochs are short."""
    average: float = 0.99
    """Memory of the running average of weights that is judged beside the weights themselves; 0 keeps none."""
    ensemble: int = 1
    """Networks that are trained, each choosing by another part of the training rows; all answer together."""
    clip: float = 1.0
    """The longest gradient that a step follows; 0 follows any."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """The numbers that layers compute in; auto measures for a second or two and keeps what is faster and agrees."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda."""
    shard: bool | None = None
    """Whether several processes divide the weights among themselves, instead of each holding a copy; None divides
    those that would not fit one device. For a process alone there is nothing to divide."""
    checkpoint_seconds: float = 30.0
    """How often the state is saved, beside the ends of epochs, as far as a hundredth of the time allows it; 0 saves
    after every step."""
    seed: int = 0
    """From which all randomness follows."""

    @property
    def ends_at_a_figure(self) -> bool:
        """Whether training stops when something is as good as a person asks for."""
        return self.stop_at is not None or self.stop_at_loss is not None

    def __post_init__(self) -> None:
        for name, least in (
            ("batch_size", 1),
            ("accumulate", 1),
            ("ensemble", 1),
            ("epochs", 1),
            ("steps", 1),
            ("patience", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise PlanError(f"training.{name}: {value} does not do: it is at least {least}.")
        if self.learning_rate != "find" and not 0 < self.learning_rate < 1000:
            raise PlanError(f"training.learning_rate: {self.learning_rate} does not do: it is above 0, or `find`.")
        if self.judge_every is not None and self.judge_every < 1:
            raise PlanError(f"training.judge_every: {self.judge_every} does not do: it is at least 1.")
        for name in ("clip", "weight_decay", "muon_rate", "checkpoint_seconds"):
            if getattr(self, name) < 0:
                raise PlanError(f"training.{name}: {getattr(self, name)} does not do: it is 0 or more.")
        for name in ("warmup", "average", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise PlanError(f"training.{name}: {getattr(self, name)} does not do: it is from 0 to below 1.")


@dataclass(frozen=True, kw_only=True)
class AdversarialPlan:
    """How a network that makes and a critic that judges teach each other."""

    loss: Literal["relativistic", "minimax", "wasserstein"] = "relativistic"
    """Which is the real one of a pair (Huang et al. 2024), what is real (Goodfellow et al. 2014), or by how much real
    ones are scored higher (Gulrajani et al. 2017)."""
    penalty: float | None = None
    """Weight of the critic's squared gradients at real and made pictures; for `wasserstein`, of their distance from a
    length of 1 in between. None takes 1, or 10 for `wasserstein`; 0 leaves it out."""
    penalty_every: int = 4
    """Steps between penalties, each then so many times as heavy: they cost as much as all the rest."""
    critic_turns: int | None = None
    """Turns of the critic before each of the other's; None takes 1, or 5 for `wasserstein`."""
    augment: float | None = None
    """The share of pictures, real and made alike, that the critic sees moved and recoloured; None takes more for fewer
    training pictures, and none from 5,000."""
    after: int = 1000
    """Where the truth is known, as of photos that are enlarged: steps by the output's own loss alone, before the critic
    joins."""
    weight: float = 0.005
    """There: how much the critic's say counts beside the output's own loss."""
    perception: float = 0.0
    """There: how much differences count in the features of `players.perception`, or of the critic if there is none."""

    def __post_init__(self) -> None:
        if self.penalty is not None and self.penalty < 0:
            raise PlanError(f"adversarial.penalty: {self.penalty} does not do: it is 0 or more.")
        for name in ("after", "weight", "perception"):
            if (value := getattr(self, name)) < 0:
                raise PlanError(f"adversarial.{name}: {value} does not do: it is 0 or more.")
        for name in ("penalty_every", "critic_turns"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise PlanError(f"adversarial.{name}: {value} does not do: it is at least 1.")
        if self.augment is not None and not 0 <= self.augment <= 1:
            raise PlanError(f"adversarial.augment: {self.augment} does not do: it is a share from 0 to 1.")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One network and its training."""

    predict: tuple[str, ...]
    """The columns to predict."""
    size: Size = "medium"
    """One dial: sets what a chosen network leaves open."""
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a person said of columns: kind, role, missing."""
    split: SplitPlan = field(default_factory=SplitPlan)
    checks: ChecksPlan = field(default_factory=ChecksPlan)
    inputs: Mapping[str, InputPlan]
    trunks: Mapping[str, HiddenPlan] = field(default_factory=dict)
    hidden: HiddenPlan
    outputs: Mapping[str, OutputPlan]
    players: Mapping[str, HiddenPlan] = field(default_factory=dict)
    """Further networks that learn beside this one and are not needed once it is trained, such as a critic."""
    adversarial: AdversarialPlan = field(default_factory=AdversarialPlan)
    training: TrainingPlan = field(default_factory=TrainingPlan)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why, by path: `hidden.width`, `inputs.front`."""

    @property
    def task(self) -> str:
        """What the network is for: `predict`, `generate`, `rows` or `enlarge`."""
        return task_of(self.training.objective, [part.kind for part in self.outputs.values()])

    def to_plain(self) -> dict[str, Any]:
        """Nested plain values, ready for YAML or JSON; without the reasons."""
        return {
            "predict": list(self.predict),
            "size": self.size,
            "columns": {name: dict(said) for name, said in self.columns.items()},
            "split": to_plain(self.split),
            "checks": to_plain(self.checks),
            "inputs": {name: {"kind": part.kind, **to_plain(part)} for name, part in self.inputs.items()},
            "trunks": {name: {"name": part.name, **to_plain(part)} for name, part in self.trunks.items()},
            "hidden": {"name": self.hidden.name, **to_plain(self.hidden)},
            "outputs": {name: {"kind": part.kind, **to_plain(part)} for name, part in self.outputs.items()},
            **self._players(),
            "training": to_plain(self.training),
        }

    def _players(self) -> dict[str, Any]:
        """What only plans with several networks speak of."""
        if not self.players:
            return {}
        players = {name: {"name": part.name, **to_plain(part)} for name, part in self.players.items()}
        return {"players": players, "adversarial": to_plain(self.adversarial)}

    def to_yaml(self) -> str:
        """The plan as YAML, each choice with its reason as a comment."""
        document = _commented(self.to_plain(), self.reasons, "")
        text = io.StringIO()
        _yaml().dump(document, text)
        return text.getvalue()

    def with_training(self, **settings: object) -> "Plan":
        """The same network, trained otherwise."""
        return replace(self, training=replace(self.training, **settings))  # type: ignore[arg-type]


def plan_from_plain(values: Mapping[str, Any], reasons: Mapping[str, str] | None = None) -> Plan:
    """A plan from nested plain values.

    Raises:
        PlanError: on an unknown key, part or value; the message names its path.
    """
    known = ("predict", "size", "columns", "split", "checks", "inputs", "trunks", "hidden", "outputs", "players",
             "adversarial", "training")  # fmt: skip
    for name in values:
        if name not in known:
            raise PlanError(f"The plan has no key {name!r}.{nearest(name, known)} Known: {listing(known, 20)}.")
    for name in ("predict", "inputs", "hidden", "outputs"):
        if not values.get(name):
            raise PlanError(f"The plan says nothing under {name!r}.")
    for name in known[2:]:
        if not isinstance(values.get(name) or {}, Mapping):
            raise PlanError(f"{name}: expected settings by name, found {values[name]!r}.")
    for name in ("inputs", "trunks", "outputs", "players"):
        _check_names(values.get(name) or {}, name)
    if values.get("size", "medium") not in ("small", "medium", "large"):
        raise PlanError(f"size: {values['size']!r} does not do: it is small, medium or large.")
    return Plan(
        predict=predicted(values["predict"]),
        size=values.get("size", "medium"),
        columns=values.get("columns") or {},
        split=from_plain(SplitPlan, values.get("split") or {}, "split"),
        checks=from_plain(ChecksPlan, values.get("checks") or {}, "checks"),
        inputs={name: _part(INPUTS, "kind", part, f"inputs.{name}") for name, part in values["inputs"].items()},
        trunks={
            name: _part(HIDDEN, "name", part, f"trunks.{name}") for name, part in (values.get("trunks") or {}).items()
        },
        hidden=_part(HIDDEN, "name", values["hidden"], "hidden"),
        outputs={name: _part(OUTPUTS, "kind", part, f"outputs.{name}") for name, part in values["outputs"].items()},
        players={
            name: _part(HIDDEN, "name", part, f"players.{name}") for name, part in (values.get("players") or {}).items()
        },
        adversarial=from_plain(AdversarialPlan, values.get("adversarial") or {}, "adversarial"),
        training=from_plain(TrainingPlan, values.get("training") or {}, "training"),
        reasons=reasons or {},
    )


def task_of(objective: object, outputs: Sequence[object]) -> str:
    """What a network is for, by its objective and the kinds of its outputs: one of `TASKS`."""
    if "row" in outputs:
        return "rows"
    return "enlarge" if "photo" in outputs else "generate" if objective == "adversarial" else "predict"


def predicted(value: object) -> tuple[str, ...]:
    """The columns to predict, given as one name or as several.

    Raises:
        PlanError: if it is neither.
    """
    names = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    texts = tuple(name for name in names if isinstance(name, str))
    if isinstance(value, Mapping) or len(texts) < len(names):
        raise PlanError(f"predict: expected the name of a column, or a list of names; found {value!r}.")
    return texts


def _check_names(parts: Mapping[str, object], where: str) -> None:
    """Refuse names that no file and no module can have: what a part learned is kept in a file called like it."""
    for name in parts:
        if not re.fullmatch(r"[\w-]{1,100}", name) or hasattr(nn.ModuleDict(), name):
            raise PlanError(
                f"{where}: a part cannot be called {name!r}. Take letters, digits, - and _, and no word that PyTorch "
                "keeps for itself."
            )


def _part(known: Mapping[str, type], tag: str, values: object, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise PlanError(f"{where}: expected settings by name, found {values!r}.")
    settings = dict(values)
    name = settings.pop(tag, None)
    if not isinstance(name, str) or name not in known:
        raise PlanError(f"{where}.{tag}: there is no {name!r}.{nearest(str(name), known)} Known: {listing(known, 40)}.")
    return from_plain(known[name], settings, where)


def _check_harmless(events: Iterable[Event], where: str) -> None:
    """Refuse a text that would cost much more to take in than to write.

    Raises:
        PlanError: on references, a few lines of which could stand for a million, and on endless nesting.
    """
    depth = 0
    for event in events:
        if isinstance(event, AliasEvent):
            raise PlanError(f"{where}: a plan repeats nothing by reference (`*name`). Write each value out.")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise PlanError(
                f"{where}: the keys and values lie over {_DEEPEST} deep in each other, too deep for a plan."
            )


def read_yaml(text: str, where: str) -> dict[str, Any]:
    """Nested plain values from the text of a plan.

    Raises:
        PlanError: if the text is not YAML, or holds something other than keys and values; names the line.
    """
    try:
        _check_harmless(YAML(typ="safe", pure=True).parse(text), where)
        values = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark else where
        raise PlanError(
            f"{place}: this is not YAML: {' '.join(str(getattr(error, 'problem', error)).split())}."
        ) from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise PlanError(
            f"{where}: a value or key is not what it looks like ({error}). Put it in quotation marks."
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise PlanError(f"{where}: a plan is keys and values, found {type(values).__name__}.")
    return _with_text_keys(values)


def _with_text_keys(value: Any) -> Any:
    """Nested values whose keys are text: a column may be called 2019, or no."""
    if isinstance(value, dict):
        return {str(name): _with_text_keys(inner) for name, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def read_value(text: str) -> object:
    """The value of a `--set key=value`, read as YAML: 12, 0.1, true, null, [a, b], text."""
    try:
        return _with_text_keys(YAML(typ="safe", pure=True).load(text))
    except (YAMLError, ValueError, TypeError, OverflowError):  # 2024-13-45 looks like a day and is none
        return text


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _commented(values: Mapping[str, Any], reasons: Mapping[str, str], path: str) -> CommentedMap:
    document = CommentedMap()
    for name, value in values.items():
        here = f"{path}{name}"
        document[name] = _commented(value, reasons, f"{here}.") if isinstance(value, Mapping) else _flow(value)
        if reason := reasons.get(here):
            if isinstance(value, Mapping) and value:
                document.yaml_set_comment_before_after_key(name, before=reason, indent=2 * here.count("."))
            else:
                document.yaml_add_eol_comment(" ".join(reason.split()), name, column=0)
    if not values:
        document.fa.set_flow_style()
    return document


def _flow(value: object) -> object:
    if not isinstance(value, list):
        return value
    from ruamel.yaml.comments import CommentedSeq

    sequence = CommentedSeq(value)
    sequence.fa.set_flow_style()
    return sequence
