import json
import subprocess
import sys

import pytest
import torch

from lamina.ground import MachineError, has_fast_bfloat16, machine, memory_bytes, pick_device, prepare_process

GPU = torch.cuda.is_available()


@pytest.mark.parametrize(
    "name, problem",
    [
        ("auto", None),
        ("cpu", None),
        ("gpu", "There is no device 'gpu'"),
        ("", "There is no device ''"),
        ("cuda", None if GPU else "torch sees no GPU here. Use device=cpu"),
        ("cuda:0", None if GPU else "'cuda:0' was asked for"),
    ],
)
def test_a_device_is_there_or_the_message_says_what_is(name: str, problem: str | None) -> None:
    if problem is None:
        assert pick_device(name).type == ("cuda" if GPU and name != "cpu" else "cpu")
        return
    with pytest.raises(MachineError, match=problem):
        pick_device(name)


def test_the_machine_is_described_in_plain_values() -> None:
    facts = machine()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["processor"] and facts["cores"] and facts["torch"] == torch.__version__
    assert 2**28 < memory_bytes() < 2**50


def test_preparing_twice_is_preparing_once() -> None:
    prepare_process()
    prepare_process()
    assert isinstance(has_fast_bfloat16(torch.device("cpu")), bool)


COMPUTED_BEFORE = """
import torch
torch.set_num_threads(2)
torch.rand(1000, 1000) @ torch.rand(1000, 1000)
from lamina.ground import prepare_process
prepare_process()
product = torch.full((1 << 20,), 1e-37) * 1e-3
print(int((product.view(torch.int32) != 0).sum()))
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="threads of GNU's OpenMP are asked, which other systems do not have"
)
def test_numbers_next_to_zero_are_zero_in_threads_that_have_computed_before() -> None:
    done = subprocess.run([sys.executable, "-c", COMPUTED_BEFORE], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0
