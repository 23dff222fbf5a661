"""Laws that every named network keeps, called by the test of each."""

import torch

from lamina.ground.shapes import Features, Shape, grid
from lamina.hidden.named import NamedNetwork, NamedPlan


def pictures(shape: Shape, batch: int = 2, seed: int = 0) -> Features:
    """Random pictures of a shape."""
    return grid(torch.randn(batch, shape.width, *shape.space, generator=torch.Generator().manual_seed(seed)))


def on_meta(plan: NamedPlan, shape: Shape) -> NamedNetwork:
    """The network without numbers: its names and shapes alone."""
    with torch.device("meta"):
        return plan.build(shape)


def parameters_with_head(network: NamedNetwork, classes: int = 1000) -> int:
    """Parameters of the network and of the published last layer behind it."""
    return sum(parameter.numel() for parameter in network.parameters()) + (network.shape.width + 1) * classes


def check_shape(network: NamedNetwork, shape: Shape) -> None:
    """The answer and its scales are what `network.shape` says."""
    with torch.no_grad():
        answer = network.eval()(pictures(shape))
    assert answer.form == network.shape.form == "vector"
    assert answer.values.shape == (2, network.shape.width)
    assert tuple(scale.shape[1] for scale in answer.scales) == network.shape.widths
    assert len(network.shape.strides) == len(answer.scales)
    for stride, scale in zip(network.shape.strides, answer.scales, strict=True):
        assert tuple(scale.shape[2:]) == tuple(-(-size // stride) for size in shape.space)


def check_one_is_many(network: NamedNetwork, shape: Shape) -> None:
    """In evaluation a row's answer does not hang on its neighbours."""
    batch = pictures(shape, batch=3)
    with torch.no_grad():
        many = network.eval()(batch).values
        alone = torch.cat([network(grid(row[None])).values for row in batch.values])
    torch.testing.assert_close(alone, many, atol=1e-4, rtol=1e-4)


def check_gradients(network: NamedNetwork, shape: Shape) -> None:
    """Every parameter takes part in the answer."""
    network.eval()
    network(pictures(shape, batch=4)).values.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def check_frozen_stages_stay(network: NamedNetwork, shape: Shape, frozen: int) -> None:
    """A training step changes nothing in frozen stages, buffers of batch norm included, and something in the rest."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    kept = [module for stage in network.stages()[:frozen] for module in stage]
    network.train()
    assert not any(module.training for module in kept)
    network(pictures(shape, batch=4)).values.square().mean().backward()
    torch.optim.SGD([parameter for parameter in network.parameters() if parameter.requires_grad], lr=0.01).step()
    held = {id(tensor) for module in kept for tensor in [*module.parameters(), *module.buffers()]}
    assert held
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        assert torch.equal(tensor, before[name]) == (id(tensor) in held), name
