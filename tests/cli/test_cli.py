import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from lamina.cli import app
from lamina.cli._plainly import plainly
from lamina.ground import DataError, Interrupted, RunError, UsageError

VERBS = ["train", "plan", "predict", "evaluate", "report", "doctor", "sample"]
QUICK = ["--set", "training.steps=5", "-s", "training.ensemble=1", "-s", "hidden.width=16", "-s", "split.test=0.2"]


def lamina(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("iris")
    assert lamina("sample", "iris", folder).exit_code == 0
    return folder / "iris.csv"


@pytest.fixture(scope="module")
def run(iris: Path) -> Path:
    """A run as a person gets it without naming a folder."""
    with inside(iris.parent):
        result = lamina("train", "iris.csv", "-p", "species", *QUICK, "--json")
    assert result.exit_code == 0, result.stderr
    assert set(json.loads(result.stdout)) == {"rows", "decides", "metrics", "baselines", "verdict", "notes"}
    return iris.parent / "runs" / "iris"


# ---- help ---------------------------------------------------------------------------------------------------------------


def test_help_names_every_verb_and_answers_without_torch() -> None:
    listed = "import sys; from lamina.cli import app; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout == "False\n"
    )
    result = lamina("--help")
    assert result.exit_code == 0
    assert all(f" {verb} " in result.stdout for verb in VERBS)
    assert sorted(command.callback.__name__ for command in app.registered_commands) == sorted(VERBS)  # type: ignore[union-attr]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_is_for_and_what_each_option_means(verb: str) -> None:
    result = lamina(verb, "--help")
    assert result.exit_code == 0
    text = result.stdout
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    assert command.help.splitlines()[0] in " ".join(text.split())
    for parameter in command.params:
        assert parameter.help, f"{parameter.name} has no help"


def test_the_version_is_told() -> None:
    from lamina import __version__

    assert lamina("--version").stdout == f"lamina {__version__}\n"


# ---- the way through ----------------------------------------------------------------------------------------------------


def test_a_finished_run_is_shown_again(run: Path, iris: Path) -> None:
    with inside(iris.parent):
        result = lamina("train", "iris.csv", "-p", "species", *QUICK)
    assert result.exit_code == 0
    assert "was trained before; nothing was changed" in result.stderr and result.stdout == ""


def test_answers_are_results_and_remarks_are_not(run: Path, iris: Path, tmp_path: Path) -> None:
    result = lamina("predict", run, iris)
    assert (result.exit_code, len(result.stdout.splitlines()), result.stderr) == (0, 151, "")
    result = lamina("predict", run, iris, "--out", tmp_path / "answers.parquet", "--no-confidence")
    assert result.stdout == "" and "150 answers in" in result.stderr
    assert pl.read_parquet(tmp_path / "answers.parquet").columns == ["species"]


def test_json_is_all_that_stands_on_standard_output(run: Path, iris: Path) -> None:
    row = ["sepal_length=5", "sepal_width=3", "petal_length=1.4", "petal_width=0.2"]
    rows = [part for cell in row for part in ("--row", cell)]
    assert json.loads(lamina("predict", run, *rows, "--json").stdout)["species"] in (
        "setosa",
        "versicolor",
        "virginica",
    )
    assert json.loads(lamina("evaluate", run, "--json").stdout)["decides"] == "species.accuracy"
    assert json.loads(lamina("evaluate", run, iris, "--json").stdout)["rows"] == 150
    assert json.loads(lamina("doctor", "--json").stdout)["cores"] >= 1


def test_figures_are_lines_for_people(run: Path, iris: Path) -> None:
    first, column, *figures = lamina("evaluate", run).stdout.splitlines()
    assert "species.accuracy decides" in first and column == "species"
    assert any(line.startswith("  accuracy ") and "always the most frequent class" in line for line in figures)
    again = lamina("evaluate", run, iris).stdout.splitlines()
    assert again[0].startswith("150 rows")
    assert any(line.startswith("  accuracy ") and "boosted trees" in line for line in again)
    assert again[-1].startswith("The network is")


def test_a_report_is_written_anew_and_its_place_is_the_result(run: Path) -> None:
    assert lamina("report", run).stdout == f"{run / 'report.html'}\n"


def test_a_plan_goes_through_a_file_into_training(iris: Path, tmp_path: Path) -> None:
    planned = lamina("plan", iris, "-p", "species", *QUICK)
    assert planned.exit_code == 0
    assert "150 rows" in planned.stderr and "150 rows" not in planned.stdout
    (tmp_path / "plan.yaml").write_text(planned.stdout)
    assert lamina("plan", iris, "--plan", tmp_path / "plan.yaml").exit_code == 0
    result = lamina("train", iris, "--plan", tmp_path / "plan.yaml", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "5 steps" in result.stderr


def test_samples_are_listed_and_written(tmp_path: Path) -> None:
    listed = lamina("sample").stdout.splitlines()
    assert "150 flowers, 4 measures: which of 3 species" in next(line for line in listed if line.startswith("iris"))
    assert lamina("sample", "wine", tmp_path).stdout == f"{tmp_path / 'wine.csv'}\n"


# ---- what a person can mend ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command, code, problem",
    [
        ("train", 2, "Missing argument 'DATA...'"),
        ("train iris.csv --size large", 2, "No such option: --size"),
        ("train iris.csv --seed one", 2, "Invalid value for '--seed'"),
        ("train iris.csv --time banana", 2, "--time takes a duration such as 90s, 5m or 1h30m; found 'banana'"),
        ("train iris.csv --set epochs", 2, "--set takes key=value, such as training.epochs=12; found 'epochs'"),
        ("train iris.csv -p specis --out new", 1, "no column 'specis' in iris.csv. Did you mean 'species'"),
        ("train iris.csv -p specis", 1, "no column 'specis' in iris.csv. Did you mean 'species'"),
        (
            "train iris.csv -p species --set hidden.widht=3",
            1,
            "hidden: there is no setting 'widht'. Did you mean 'width'",
        ),
        ("train iris.csv -p species --set training.steps=6", 1, "belongs to another request"),
        ("train irs.csv", 1, "irs.csv does not exist. Did you mean 'iris.csv'?"),
        ("train iris.csv species", 1, "If it is the column to predict, say so when training: --predict species."),
        ("train iris.csv -p species --plan nowhere.yaml", 1, "There is no plan file 'nowhere.yaml'"),
        ("train iris.csv -p species --test nowhere.csv --out new", 1, "nowhere.csv does not exist"),
        ("train iris.csv -p species --out iris.csv", 1, "iris.csv is a file, and a run is a folder"),
        ("train iris.csv -p species --out iris.csv/run", 1, "iris.csv/run: this is a file, where a folder is needed"),
        ("train iris.csv -p species --out .", 1, "holds something that is not a run (iris.csv"),
        ("plan iris.csv -p specis", 1, "Did you mean 'species'"),
        ("predict iris.csv iris.csv", 1, "iris.csv is a file. A run is the folder"),
        ("predict nowhere iris.csv", 1, "nowhere is not there"),
        ("predict . iris.csv", 1, "It is not a run of Lamina"),
        ("predict runs/iris", 2, "Give either DATA or one --row COLUMN=VALUE"),
        ("predict runs/iris nowhere.csv", 1, "nowhere.csv does not exist"),
        ("predict runs/iris iris.csv --out answers", 2, "answers are written as .csv, .parquet, .jsonl"),
        ("predict runs/iris --row sepal_length=5", 1, "has none of 'sepal_width', 'petal_length', 'petal_width'"),
        ("evaluate nowhere", 1, "nowhere is not there"),
        ("report nowhere", 1, "nowhere is not there"),
        ("sample irs", 1, "There is no sample 'irs'. Did you mean 'iris'"),
        ("sample wine iris.csv", 1, "this is a file, where a folder is needed"),
    ],
)
def test_a_slip_is_answered_with_one_message_on_standard_error(
    command: str, code: int, problem: str, run: Path, iris: Path
) -> None:
    with inside(iris.parent):
        result = lamina(*command.split())
    assert result.exit_code == code
    assert result.stdout == ""
    assert problem in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "error, code, said",
    [
        (DataError("bad cell"), 1, "Error: bad cell"),
        (RunError("damaged"), 1, "Error: damaged"),
        (UsageError("wrong"), 2, "Error: wrong"),
        (Interrupted("Stopped.", signal.SIGINT), 130, "Stopped."),
        (Interrupted("Stopped.", signal.SIGTERM), 143, "Stopped."),
        (KeyboardInterrupt(), 130, "the same command begins again"),
        (
            OSError(errno.ENOSPC, "No space left", "runs/x"),
            1,
            "runs/x: the disk is full. Free some space and run the same",
        ),
        (OSError("512 requested and 8 written"), 1, "the disk is full"),
        (
            PermissionError(errno.EACCES, "Permission denied", "runs"),
            1,
            "runs: no permission. Choose another place with --out",
        ),
        (FileExistsError(errno.EEXIST, "File exists", "a.csv"), 1, "a.csv: this is a file, where a folder is needed"),
        (IsADirectoryError(errno.EISDIR, "x", ".part", None, "o.csv"), 1, "o.csv: this is a folder, where a file is"),
        (OSError(errno.EIO, "Input/output error", "/mnt"), 1, "/mnt: Input/output error."),
        (MemoryError(), 1, "the memory does not suffice. Try a smaller batch"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_kind_of_error_has_its_exit_code_and_its_words(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as stop, plainly():
        raise error
    assert stop.value.exit_code == code
    told = capsys.readouterr()
    assert said in told.err and told.out == ""


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), plainly():
        raise ZeroDivisionError


def test_ctrl_c_while_training_saves_and_ends_with_130(iris: Path, tmp_path: Path) -> None:
    settings = [value.replace("steps=5", "steps=300000") for value in QUICK]
    command = [sys.executable, "-m", "lamina", "train", iris, "-p", "species", *settings, "--out", tmp_path / "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        history = tmp_path / "run" / "history.jsonl"
        limit = time.monotonic() + 60
        while (
            not (history.exists() and history.stat().st_size) and training.poll() is None and time.monotonic() < limit
        ):
            time.sleep(0.05)  # the first judgement is written: the loop is at work
        training.send_signal(signal.SIGINT)
        out, told = training.communicate(timeout=60)
    assert training.returncode == 130, told
    assert "Stopped after" in told and "the same command goes on" in told and "Traceback" not in told
    assert out == ""
    (saved,) = (tmp_path / "run" / "checkpoint").iterdir()
    state = json.loads((saved / "state.json").read_text())
    assert 0 < state["step"] < 300_000
