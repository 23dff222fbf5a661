"""An environment for each contender, made from its file of exact versions and kept until that file changes."""

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.speed.contenders import Contender

REQUIREMENTS = Path(__file__).parent / "requirements"


def python_of(contender: Contender, folder: Path) -> Path:
    """The Python that a contender runs in; makes its environment when there is none.

    Raises:
        subprocess.CalledProcessError: if a package could not be installed.
    """
    if not contender.requirements:
        return Path(sys.executable)
    file = REQUIREMENTS / f"{contender.requirements}.txt"
    environment = folder / contender.requirements
    python, stamp = environment / "bin" / "python", environment / "made-from"
    wanted = f"{hashlib.sha256(file.read_bytes()).hexdigest()} {sys.version}"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"{contender.title}: making its environment", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", environment], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--no-input"]
        subprocess.run([*pip, "install", "--quiet", "--requirement", str(file)], check=True)
        stamp.write_text(wanted)
    return python
