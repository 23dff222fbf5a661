"""Numbers, memory layout and threads for the layers, chosen by trying them for a second or two.

What was found is kept per machine and network, so that two trainings of a seed compute alike however the clock fell.
"""

import contextlib
import copy
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from lamina.data import Batch
from lamina.ground import VERSION, PlanError, cache_folder, from_plain, has_fast_bfloat16, machine, write_json
from lamina.hidden import by_winograd, has_wide_filters, pooling_first
from lamina.objectives import Objective, Supervised
from lamina.training.update import Update, take_step

_WORTH = 1.15
"""How much faster other numbers, or fewer threads, must be to leave the plain way."""
_WORTH_LAYOUT = 1.03
"""How much faster another layout must be, which costs nothing."""
_SHORT_STEP = 0.03
"""Seconds of a step above which all threads are taken: what one looks like on a busy machine may be chance, and here it
would cost most."""
_PERHAPS_SHORT = 0.3
"""Seconds of a step on all threads above which one is not even tried: waiting does not cost nine tenths of a step."""
_SECONDS = 0.25
"""How long each way is tried in a turn, after a first step that does not count."""
_TURNS = 2
"""How often ways are tried: whoever computes beside makes one of them slow for a while, never faster."""
_HOPELESS = 1.3
"""How many times as slow as the fastest a way is that is not tried again where a step takes long."""


@dataclass(frozen=True)
class Way:
    """How the layers compute."""

    precision: str
    """`float32` or `bfloat16`."""
    layout: str
    """`contiguous` or `channels_last`."""
    threads: int = 0
    """How many of the processor's threads; 0 for all that there are."""
    filters: str = "direct"
    """How convolutions add up: `direct`, or wide ones of 3x3 by `winograd`."""

    def place(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The network on the device in this layout."""
        last = self.layout == "channels_last"
        layout = torch.channels_last if last else torch.contiguous_format
        return network.to(device=device, memory_format=layout)  # type: ignore[call-overload]

    def autocast(self, device: torch.device) -> Callable[[], contextlib.AbstractContextManager[object]] | None:
        """A context for forward passes, or None when layers compute in float32."""
        if self.precision == "float32":
            return None
        return lambda: torch.autocast(device.type, dtype=torch.bfloat16)

    @contextlib.contextmanager
    def at_work(self, *networks: nn.Module) -> Iterator[None]:
        """Let networks compute this way, and leave them and the threads as they were when it is over."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            filters = by_winograd(*networks) if self.filters == "winograd" else contextlib.nullcontext()
            with pooling_first(*networks), filters:
                yield
        finally:
            torch.set_num_threads(before)

    def __str__(self) -> str:
        more = " winograd" * (self.filters == "winograd") + " 1 thread" * bool(self.threads)
        return f"{self.precision} {self.layout}{more}"


ObjectiveOf = Callable[[nn.Module], Objective]

PLAIN = Way("float32", "contiguous")


@dataclass(frozen=True)
class Choice:
    """A way, what it was measured against, and how long a step takes."""

    way: Way
    reason: str
    step_seconds: float
    tried: dict[str, float]
    """Seconds a step by way, `float32 channels_last` for example."""


def possible_ways(network: nn.Module, device: torch.device, precision: str) -> list[Way]:
    """What there is to choose from, the plain way first: layouts matter to filters only, numbers to the hardware."""
    has_filters = any(parameter.dim() == 4 for parameter in network.parameters())
    layouts = ["contiguous", "channels_last"] if has_filters else ["contiguous"]
    wanted = [precision] if precision != "auto" else ["float32", *(["bfloat16"] if has_fast_bfloat16(device) else [])]
    ways = [Way(numbers, layout) for numbers in wanted for layout in layouts]
    if "float32" in wanted and device.type == "cpu" and has_wide_filters(network):  # GPUs have it in their libraries
        ways.append(Way("float32", "channels_last", filters="winograd"))
    return ways


def choose_way(network: nn.Module, update_of: Callable[[nn.Module], Update], batch: Batch, device: torch.device,
               precision: str,
               objective_of: ObjectiveOf = lambda network: Supervised(network, 0)) -> Choice:  # fmt: skip
    """The fastest way that agrees with the plain one in the loss of a first step; measured once, then remembered.

    Args:
        network: copied for each trial; the original is left as it is.
        update_of: a copy of the network -> its update.
        batch: one training batch.
        device: where training runs.
        precision: `auto`, or the one to take; the layout is tried all the same.
        objective_of: a copy of the network -> what a step of it learns.
    """
    ways, players = possible_ways(network, device, precision), objective_of(network).players
    path = cache_folder() / "ways" / f"{_fingerprint(players, update_of(network), batch, device, ways)}.json"
    found = _recall(path)
    if found is None:
        found = _fastest_of(ways, lambda way: _try(way, network, update_of, objective_of, batch, device))
        if may_take_one_thread(device) and found.step_seconds < _PERHAPS_SHORT:
            alone = replace(found.way, threads=1)
            seconds_alone, _ = _try(alone, network, update_of, objective_of, batch, device, _SHORT_STEP)
            found = _on_one_thread(found, alone, seconds_alone)
        with contextlib.suppress(OSError):  # a cache that cannot be written costs a second the next time
            write_json(path, asdict(found))
    return found


def _fastest_of(ways: Sequence[Way], try_way: Callable[[Way], tuple[float, float]]) -> Choice:
    """The choice after ways were tried in turns, the plain one first: one that fails where that does not drops out."""
    seconds: dict[Way, float] = {}
    losses: dict[Way, float] = {}
    failed: dict[Way, str] = {}
    for way in [*ways] * _TURNS:
        too_slow = seconds.get(way, 0.0) > max(_HOPELESS * min(seconds.values(), default=0.0), _SECONDS)
        if too_slow or way in failed:
            continue
        try:
            took, losses[way] = try_way(way)
        except (RuntimeError, MemoryError) as error:  # no kernel for it, or memory for the plain way alone
            if way == ways[0]:
                raise
            failed[way] = f"; {way} did not work: {next(iter(str(error).splitlines()), type(error).__name__)}"
            seconds.pop(way, None)
        else:
            seconds[way] = min(took, seconds.get(way, math.inf))
    found = _fastest(seconds, losses)
    return replace(found, reason="".join([found.reason, *failed.values()]))


def may_take_one_thread(device: torch.device) -> bool:
    """Whether the number of threads is a question at all."""
    return device.type == "cpu" and torch.get_num_threads() > 1


def _on_one_thread(found: Choice, alone: Way, seconds: float) -> Choice:
    """The choice, on one thread where that is faster: threads wait for each other longer than small steps compute."""
    found.tried[str(alone)] = round(seconds, 5)
    if seconds > _SHORT_STEP or found.step_seconds < _WORTH * seconds:
        return found
    reason = f"one thread is {found.step_seconds / seconds:.2f} times as fast as {torch.get_num_threads()}"
    return Choice(alone, reason if len(found.tried) == 2 else f"{found.reason}; {reason}", seconds, found.tried)


def _recall(path: Path) -> Choice | None:
    """What was found before; None when nothing was, or what was written cannot be read."""
    try:
        values = json.loads(path.read_text("utf-8"))
        return from_plain(Choice, values, "ways") if isinstance(values, dict) else None
    except (OSError, ValueError, PlanError):
        return None


def _fingerprint(
    players: Mapping[str, nn.Module], update: Update, batch: Batch, device: torch.device, ways: Sequence[Way]
) -> str:
    """16 hexadecimal digits of all that decides which way is the fastest: machine, versions, layers, batch, update."""
    shapes = [{name: list(value.shape) for name, value in player.state_dict().items()} for player in players.values()]
    rows = {name: list(value.shape) for name, value in batch.inputs.items() if isinstance(value, Tensor)}
    optimizers = [type(optimizer).__name__ for optimizer in update.optimizers]
    told = [os.environ.get(name) for name in ("ONEDNN_MAX_CPU_ISA", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY")]
    said = [VERSION, machine(), *told, _WORTH, _WORTH_LAYOUT, _TURNS, str(device), [str(way) for way in ways],
            [str(player) for player in players.values()], shapes,
            optimizers, update.clip, len(batch), rows]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _fastest(seconds: dict[Way, float], losses: dict[Way, float]) -> Choice:
    """The choice between ways that were tried, the plain one first."""
    plain = next(iter(seconds))
    best, why = plain, "the fastest of those tried" if len(seconds) > 1 else "the only way that fits"
    # What rounds otherwise has to be worth it beside its own layout, too.
    weighed = {way: took * (1 if way.filters == "direct" else _WORTH_LAYOUT) for way, took in seconds.items()}
    for way in sorted(weighed, key=weighed.__getitem__):
        if way == plain:
            break
        gain = seconds[plain] / seconds[way]
        agrees = abs(losses[way] - losses[plain]) <= 0.02 * abs(losses[plain]) + 1e-3
        if agrees and gain >= (_WORTH_LAYOUT if way.precision == plain.precision else _WORTH):
            best, why = way, f"{gain:.2f} times as fast as {plain}"
            break
        why = "no other way was enough faster" if agrees else "a faster way did not agree in the loss"
    tried = {str(way): round(value, 5) for way, value in seconds.items()}
    return Choice(best, why, seconds[best], tried)


def _try(way: Way, network: nn.Module, update_of: Callable[[nn.Module], Update], objective_of: ObjectiveOf,
         batch: Batch, device: torch.device, short: float = math.inf) -> tuple[float, float]:  # fmt: skip
    """Seconds a step and the loss of the first one; a step of three times `short` ends the trial."""
    copied = way.place(copy.deepcopy(network), device).train()
    objective = objective_of(copied)
    updates = {name: update_of(way.place(player, device).train()) for name, player in objective.players.items()}
    context = way.autocast(device) or contextlib.nullcontext
    torch.default_generator.manual_seed(0)
    with context(), way.at_work(copied):
        first = float(next(iter(take_step(objective, [batch], updates).values())))
        times: list[float] = []
        ends = time.monotonic() + _SECONDS
        while not times or (time.monotonic() < ends and len(times) < 30):
            start = time.perf_counter()
            float(next(iter(take_step(objective, [batch], updates).values())))
            times.append(time.perf_counter() - start)
            if times[-1] > 3 * short:  # even the noise of a busy machine would not make a short step of it
                break
    return sorted(times)[len(times) // 2], first
