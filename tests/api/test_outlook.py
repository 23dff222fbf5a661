from pathlib import Path

import pytest
from small import quick

import lamina
from lamina.network import plan_from_plain, read_yaml


def test_the_outlook_shows_every_layer_and_its_cost(houses: Path) -> None:
    found = lamina.make_plan(houses, predict="price", set=quick())
    assert [layer.path for layer in found.layers] == ["inputs.numbers", "inputs.categories", "hidden", "outputs.price"]
    told = dict(found.lines())
    assert "beside" not in told
    assert "hidden" in told["layers"] and "ms" in told["time"] and "GiB" in told["memory"]
    assert found.step_seconds > 0
    assert found.seconds == pytest.approx(5 * found.step_seconds)


def test_a_plan_reads_back_as_what_was_printed(houses: Path) -> None:
    plan = lamina.make_plan(houses, predict="price", set=quick()).plan
    again = plan_from_plain(read_yaml(plan.to_yaml(), "plan.yaml"))
    assert again.to_plain() == plan.to_plain()


def test_looking_ahead_writes_nothing(houses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    lamina.make_plan(houses, predict="price", set=quick(), quiet=False)
    assert list(tmp_path.iterdir()) == []
    told = capsys.readouterr()
    assert told.out == ""
    assert "120 rows" in told.err and "parameters in all" in told.err


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"hiden.width": 3}, "no key 'hiden'. Did you mean 'hidden'"),
        ({"hidden.widht": 3}, "hidden: there is no setting 'widht'. Did you mean 'width'"),
        ({"hidden.name": "resnt18"}, "hidden.name: there is no 'resnt18'. Did you mean 'resnet18'"),
        ({"hidden.name": "resnet18"}, "resnet18 takes a grid, but a vector"),
        ({"hidden.width": "wide"}, "hidden.width: 'wide' does not do"),
        ({"training.optimizer": "adamm"}, "training.optimizer: 'adamm' does not do"),
        ({"training.epochs": 0}, "training.epochs: 0 does not do: it is at least 1"),
        ({"training.clip": -1}, "training.clip: -1.0 does not do: it is 0 or more"),
        ({"training.device": "abacus"}, "no device 'abacus'. Use auto, cpu"),
        ({"outputs.prise.loss": "mae"}, "no 'prise'. Did you mean 'price'"),
        ({"outputs.price.loss": "mea"}, "outputs.price.loss: 'mea' does not do"),
        ({"inputs.numbers": 3}, "inputs.numbers: expected settings by name, found 3"),
        ({"columns.zonee.role": "ignore"}, "no column 'zonee' in houses.csv. Did you mean 'zone'"),
        ({"columns.zone.role": "ignor"}, "columns.zone.role: 'ignor' does not do. Did you mean 'ignore'"),
        ({"split.by": "sone"}, "'sone' is neither a way to split .* nor a column. Did you mean 'zone'"),
        ({"split.by": "zone"}, "houses.csv, line 2 says .* Use train, valid and test"),
        ({"size": "huge"}, "size: 'huge' does not do: it is small, medium or large"),
    ],
)
def test_a_wrong_key_part_or_value_is_named_with_what_would_do(
    settings: dict[str, object], problem: str, houses: Path
) -> None:
    with pytest.raises(lamina.LaminaError, match=problem):
        lamina.make_plan(houses, predict="price", set=settings)
