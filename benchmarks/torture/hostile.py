"""Files made to harm, with a manifest that agrees with them: refused in words, nothing run, in little memory."""

import base64
import json
import os
import pickle
import random
import resource
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import lamina
from benchmarks.torture.children import finish
from benchmarks.torture.flips import make_run
from lamina.ground import LaminaError
from lamina.run import RunFolder

MOST_MIB = 512
"""Memory that refusing may take beside what the process already held."""
MOST_SECONDS = 5.0
"""Of processor time: machines may be slow."""


class _Trap:
    """Leaves a mark when a pickle of it is loaded."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def _golden_bomb(text: str) -> bytes:
    golden = json.loads(text)
    bomb = {
        "dtype": "float32",
        "shape": [1 << 31, 1 << 10],
        "zlib": base64.b64encode(zlib.compress(bytes(1 << 24))).decode(),
    }
    return json.dumps(golden | {"answers": dict.fromkeys(golden["answers"], bomb)}).encode()


def artefacts(made: Path, mark: Path) -> dict[tuple[str, str], bytes]:
    """What is laid in the place of a file: (file, what it is) -> bytes."""
    trap = pickle.dumps(_Trap(mark))
    names = [path.relative_to(made).as_posix() for path in sorted(made.rglob("*")) if path.is_file()]
    read = [name for name in names if name.endswith((".json", ".yaml", ".safetensors")) and name != "MANIFEST.json"]
    read = [name for name in read if name != "evaluation.json"]  # loading does not need the figures
    found = {(name, "pickle"): trap for name in read}
    for name in read:
        if name.endswith(".safetensors"):
            found[name, "absurd head"] = (1 << 62).to_bytes(8, "little") + b"{}"
            found[name, "head of a hundred MiB"] = (100 << 20).to_bytes(8, "little") + b" " * (100 << 20)
        elif name.endswith(".json"):
            found[name, "nested a million deep"] = b"[" * 1_000_000
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    found["plan.yaml", "references to references"] = bomb.encode()
    found["plan.yaml", "nested deep"] = b"a: " + b"[" * 5_000
    found["plan.yaml", "a Python object"] = f"a: !!python/object/apply:os.mkdir ['{mark}']\n".encode()
    found["golden.json", "answers that unpack to terabytes"] = _golden_bomb((made / "golden.json").read_text())
    return found


def _refuses(folder: Path) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        lamina.load(folder)
    except LaminaError:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert grown < MOST_MIB, f"{grown:.0f} MiB"
        assert time.process_time() - begun < MOST_SECONDS
        return
    raise AssertionError("it was loaded")


def run(count: int, seed: int) -> dict[str, object]:
    """`count` of the artefacts, in an order that follows from `seed`; all of them when there are fewer."""
    with tempfile.TemporaryDirectory() as place:
        made, mark, bad = Path(place) / "run", Path(place) / "mark", Path(place) / "bad"
        assert finish(lambda: make_run(made)), "the run must be made before it is spoiled"
        found = list(artefacts(made, mark).items())
        random.Random(seed).shuffle(found)
        failed = []
        for (name, what), content in found[:count]:
            shutil.copytree(made, bad)
            (bad / name).write_bytes(content)
            RunFolder(bad).write_manifest()
            if not finish(lambda: _refuses(bad)) or mark.exists():
                failed.append(f"{name}: {what}")
            shutil.rmtree(bad)
    tried = len(found[:count])
    return {"tried": tried, "survived": tried - len(failed), "failed": failed}
