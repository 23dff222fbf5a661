import base64
import io

import numpy as np
import pytest
from mixed_rows import Scenery, mixed, scenery, wishes
from PIL import Image

from lamina.outputs import Answers
from lamina.run import Trained, fit_plan, gather, known_answers
from lamina.run.mistakes import details, thumbnail, worst


@pytest.fixture(scope="module")
def judged() -> tuple[Scenery, Trained, np.ndarray, dict[str, Answers], dict[str, np.ndarray]]:
    scene = scenery(mixed(100))
    trained = fit_plan(scene.prepared, wishes()).trained
    rows, truths = known_answers(trained, scene.seen.table, scene.prepared.split.test)
    return scene, trained, rows, gather(trained, scene.seen.table, rows), truths


def test_confusions_and_figures_by_class_add_up(judged) -> None:
    scene, trained, rows, answers, truths = judged
    found = details(scene.plan, "sort", trained.network.outputs["sort"], answers["sort"], truths["sort"])
    counts = np.array(found["confusion"]["counts"])
    assert found["confusion"]["classes"] == ["cheap", "dear"]
    assert counts.sum() == len(rows) == sum(step["rows"] for step in found["calibration"])
    for place, each in enumerate(found["per_class"]):
        assert each["rows"] == counts[place].sum()
        assert each["recall"] == pytest.approx(counts[place, place] / counts[place].sum())
    right = sum(step["accuracy"] * step["rows"] for step in found["calibration"])
    assert right == pytest.approx(np.trace(counts))


def test_numbers_show_their_scatter_and_whether_intervals_hold_what_they_promise(judged) -> None:
    scene, trained, _, answers, truths = judged
    found = details(scene.plan, "price", trained.network.outputs["price"], answers["price"], truths["price"])
    assert [point[0] for point in found["scatter"]] == truths["price"].tolist()
    assert found["coverage"]["stated"] == 0.9
    low, high = (answers["price"].columns[f"price_{end}"] for end in ("low", "high"))
    assert found["coverage"]["found"] == pytest.approx(np.mean((truths["price"] >= low) & (truths["price"] <= high)))


@pytest.mark.parametrize("name", ["price", "sort"])
def test_the_worst_rows_come_first_with_their_place_cells_and_pictures(judged, name: str) -> None:
    scene, trained, rows, answers, truths = judged
    found = worst(trained, name, scene.seen.table, rows, answers[name], truths[name], lambda row: f"line {row}")
    assert 0 < len(found) <= 12
    numbers = [int(each["where"].removeprefix("line ")) for each in found]
    entries = [rows.tolist().index(number) for number in numbers]
    if name == "price":
        off = np.abs(answers[name].scores - truths[name])
        assert off[entries].tolist() == sorted(off, reverse=True)[: len(found)]
    else:
        assert all(each["truth"] != each["answer"] for each in found)
        sure = [each["confidence"] for each in found]
        assert sure == sorted(sure, reverse=True)
    for each, number in zip(found, numbers, strict=True):
        assert each["cells"]["words"] == scene.seen.table.frame["words"][number]
        assert each["cells"].keys() == {"area", "age", "place", "sold", "words"}
        assert len(each["pictures"]) == 1


@pytest.mark.parametrize(
    "shape, size", [((8, 8, 3), (96, 96)), ((1, 1, 1), (96, 96)), ((300, 100, 3), (32, 96)), ((1, 500, 1), (96, 1))]
)
def test_thumbnails_are_small_pictures_of_the_same_shape(shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    picture = np.full(shape, 77, dtype=np.uint8)
    address = thumbnail(picture)
    assert address.startswith("data:image/png;base64,")
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert image.size == size
    assert np.asarray(image).flat[0] == 77
