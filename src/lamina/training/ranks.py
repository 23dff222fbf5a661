"""Several processes that train one network: torch's launcher starts them, the first one leads.

The first process does all that a single one would do: it reads, decides, judges, writes. The others wait for its
orders and lend a hand with steps. So nothing that hangs on the clock, on chance or on a disk is decided twice.
"""

import atexit
import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from lamina.ground import Dismissed, Interrupted, MachineError, UsageError, launched
from lamina.training.checkpoint import apart, together
from lamina.training.guard import is_out_of_memory
from lamina.training.update import Turn

PATIENCE = datetime.timedelta(days=30)
"""How long a process waits for the next order: while the first one reads, learns simpler ways or judges."""


class Ranks:
    """This process among several. One that is gone shows at once, by its closed connection."""

    def __init__(self, rank: int, size: int):
        """Process `rank` of `size`; all of them make this object together."""
        self.rank, self.size = rank, size
        self.underway = False
        """Whether the others are at work on an order whose end the first process has not reached yet."""
        self._orders = distributed.new_group(backend="gloo", timeout=PATIENCE)
        self._notes = distributed.new_group(backend="gloo")

    def tell(self, order: object) -> None:
        """Give an order to all other processes; for the first one."""
        distributed.broadcast_object_list([order], src=0, group=self._orders)

    def hear(self) -> Any:
        """Wait for the next order; for all but the first one.

        Raises:
            Dismissed: if the first process ended.
        """
        heard: list[Any] = [None]
        try:
            distributed.broadcast_object_list(heard, src=0, group=self._orders)
        except RuntimeError as error:
            raise Dismissed("The first process is gone.") from error
        if isinstance(heard[0], Dismissed):
            raise heard[0]
        return heard[0]

    @contextlib.contextmanager
    def order(self, *what: object) -> Iterator[None]:
        """Give an order, and carry out the own part of it."""
        self.underway = True
        self.tell(what)
        yield
        self.underway = False  # stays true after an error: then nobody is waiting for orders

    def dismiss(self, code: int) -> None:
        """Send the others home early, as far as they wait for orders; the end of this process does it otherwise."""
        if not self.underway:
            with contextlib.suppress(RuntimeError):
                self.tell(Dismissed("The first process ended early.", code))

    def any(self, flags: Sequence[bool]) -> list[bool]:
        """Of each flag, whether it is up in any process; all of them ask together."""
        summed = torch.tensor(flags, dtype=torch.float32)
        distributed.all_reduce(summed, group=self._notes)
        return [count > 0 for count in summed.tolist()]

    def spread(self, values: Any, keep: Callable[[str, Tensor], Tensor] = lambda path, tensor: tensor) -> Any:
        """Nested plain values and tensors of the first process, in every process; all of them call it together.

        Args:
            values: what the first process has; not looked at in the others.
            keep: what stays of each tensor, by its path; called before the next one travels.
        """
        tensors: dict[str, Tensor] = {}
        if self.rank == 0:
            plain, tensors = apart(values)
            shapes = {path: (tensor.shape, tensor.dtype) for path, tensor in tensors.items()}
            self.tell((plain, shapes))
        else:
            plain, shapes = self.hear()
        kept = {}
        for path, (shape, dtype) in shapes.items():
            tensor = tensors.pop(path) if self.rank == 0 else torch.empty(shape, dtype=dtype)
            if tensor.numel():
                distributed.broadcast(tensor, 0, group=self._orders)
            kept[path] = keep(path, tensor)
        return together(plain, kept)


@cache
def _join() -> Ranks | None:
    """Meet the other processes; None without any. Once in the life of a process."""
    rank, size = launched()
    if size == 1:
        return None
    here = int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        if here >= torch.cuda.device_count():
            raise MachineError(
                f"{os.environ['LOCAL_WORLD_SIZE']} processes on this machine share {torch.cuda.device_count()} GPUs: "
                "start one for each GPU, or hide the GPUs to train on processors: CUDA_VISIBLE_DEVICES=''."
            )
        torch.cuda.set_device(here)
    if not distributed.is_initialized():
        distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
                                       store=_meeting_place(), rank=rank, world_size=size)  # fmt: skip
        atexit.register(_leave)
    return Ranks(rank, size)


def _meeting_place() -> Store:
    """The launcher's store, in which processes find each other's addresses.

    It outlives a restart, and torch would find the addresses of the dead in it as well (torch 2.13: `Connection
    refused`, now and then); so each start looks under a name of its own. Launchers on several machines need not agree
    on how often they started: there torch's own names stay.
    """
    store, _, size = next(rendezvous("env://"))
    if size > int(os.environ["LOCAL_WORLD_SIZE"]):
        return store
    return PrefixStore(f"start {os.environ['TORCHELASTIC_RESTART_COUNT']}", store)


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


@contextlib.contextmanager
def joined() -> Iterator[Ranks | None]:
    """This process among those that torch's launcher started; None when it is alone.

    Where the block of the first process ends with an error, the others are sent home.

    Raises:
        MachineError: in the first process, if another one ended early.
        Dismissed: in all others then, for the first one speaks.
    """
    ranks = _join()
    try:
        yield ranks
    except BaseException as error:
        if ranks is not None and ranks.rank == 0:
            ranks.dismiss(_exit_code(error))
        if ranks is not None and _is_lost(error):
            if ranks.rank > 0:
                raise Dismissed("Another process of this training ended early.") from error
            raise MachineError(
                "Another process of this training ended early; the launcher says which one. What was saved is kept: "
                "the same command goes on, with as many processes or with others."
            ) from error
        raise


def _exit_code(error: BaseException) -> int:
    if isinstance(error, Interrupted):
        return 128 + error.signal_number
    return 2 if isinstance(error, UsageError) else 1


def _is_lost(error: BaseException) -> bool:
    """Whether an error says that another process does not answer any more."""
    return isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


class Copies:
    """Every process holds the whole network and works on its rows; gradients are added up after each turn.

    `DistributedDataParallel` would do the adding during backward, but one backward over all weights is what it waits
    for: turns of several players, a loss without a weight, or a memory that ends in one process alone would leave the
    others waiting (docs/decisions/0006-several-processes.md).
    """

    def __init__(self, ranks: Ranks):
        self._ranks = ranks

    def agreed(self, work: Callable[[], Turn | None], parameters: Sequence[nn.Parameter]) -> Turn | None:
        """What `work` gives; weights that any process has a gradient for have one in all of them.

        Raises:
            torch.OutOfMemoryError: in all processes, when the memory ended in one.
        """
        turn, ended = None, None
        try:
            turn = work()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            ended = error
        failed, *wanted = self._ranks.any([ended is not None, *(p.grad is not None for p in parameters)])
        if failed:
            raise torch.OutOfMemoryError("out of memory in one of several processes") from ended
        for parameter, anywhere in zip(parameters, wanted, strict=True):
            if anywhere and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        return turn

    def add_up(self, turn: Turn, parameters: Sequence[nn.Parameter]) -> Turn:
        """Gradients, totals and counts, in one message; the sums are the same in every process, bit for bit."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        place = parameters[0].device
        numbers = [*gradients, turn.total.to(place), turn.count.to(place)]
        flat = torch.cat([each.reshape(-1) for each in numbers])
        distributed.all_reduce(flat)
        *sums, total, count = flat.split([each.numel() for each in numbers])
        torch._foreach_copy_(gradients, [each.view(own.shape) for each, own in zip(sums, gradients, strict=True)])
        return Turn(turn.player, total[0], count[0])


class Shares:
    """Every process holds a share of each weight; torch gathers and scatters them layer by layer (`sharding`)."""

    def agreed(self, work: Callable[[], Turn | None], parameters: Sequence[nn.Parameter]) -> Turn | None:
        """What `work` gives.

        Raises:
            MachineError: when the memory ends here: the others are in the middle of the step and cannot go back.
        """
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise MachineError(
                "A process's memory ended in the middle of a step. Work through each step's rows in more parts "
                "(--set training.accumulate=4), or take more processes."
            ) from error

    def add_up(self, turn: Turn, parameters: Sequence[nn.Parameter]) -> Turn:
        """Totals and counts; gradients were added up on their way back."""
        place = parameters[0].device
        numbers = torch.stack([turn.total.to(place), turn.count.to(place)])
        distributed.all_reduce(numbers)
        return Turn(turn.player, numbers[0], numbers[1])
