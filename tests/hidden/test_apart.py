"""Inputs that each answer for themselves."""

import pytest
import torch

from lamina.ground import Shape, ShapeError, vector
from lamina.hidden import ApartPlan

SHAPES = {"bag": Shape("vector", 3), "read": Shape("vector", 5), "several": Shape("vector", 2, members=2)}


def test_each_input_stays_a_member_of_its_own() -> None:
    layer = ApartPlan().build_many(SHAPES)
    given = {"bag": torch.randn(4, 3), "read": torch.randn(4, 5), "several": torch.randn(4, 2, 2)}
    found = layer({name: vector(values) for name, values in given.items()}).values
    assert layer.shape == Shape("vector", 5, members=4) and found.shape == (4, 4, 5)
    assert torch.equal(found[:, 0, :3], given["bag"]) and not found[:, 0, 3:].any()
    assert torch.equal(found[:, 1], given["read"])
    assert torch.equal(found[:, 2:, :2], given["several"]) and not found[:, 2:, 2:].any()


def test_what_is_no_vector_or_missing_is_refused_by_name() -> None:
    with pytest.raises(ShapeError, match="input 'read' gives"):
        ApartPlan().build_many({"read": Shape("tokens", 5)})
    with pytest.raises(ShapeError, match="read is missing"):
        ApartPlan().build_many(SHAPES)({"bag": vector(torch.zeros(1, 3)), "several": vector(torch.zeros(1, 2))})
