"""A linear chain over tags: how well each follows the one before it is learned beside how well it suits its word.

The conditional random field of Lafferty, McCallum and Pereira 2001. Sums over all sequences are products of matrices
of exponentials, each step's largest taken out beforehand: hundreds of tags cost little.
"""

import torch
from torch import Tensor, nn

_TINY = 1e-30
"""What sums of exponentials are kept above, so that their logarithms are numbers."""
_PATHS_AT_ONCE = 4_000_000
"""Pairs of tags that the search for the best sequence looks at together, to bound memory."""


class Chain(nn.Module):
    """Scores of a tag after another, and of the first and the last of a text; all 0 before anything is learned.

    Everywhere `scores` is (batch, tokens, tags) float32 and `there` (batch, tokens) bool, true up to a text's end.
    """

    def __init__(self, tags: int):
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(tags, tags))
        self.first = nn.Parameter(torch.zeros(tags))
        self.last = nn.Parameter(torch.zeros(tags))

    def surprise(self, scores: Tensor, there: Tensor, tags: Tensor) -> Tensor:
        """(batch,) -log of the probability of these sequences, (batch, tokens) tag numbers."""
        forward = self._forward(scores, there)
        total = torch.logsumexp(forward[-1] + self.last, dim=1)
        at_word = (scores.gather(2, tags[..., None])[..., 0] * there).sum(1)
        steps = (self.steps[tags[:, :-1], tags[:, 1:]] * there[:, 1:]).sum(1)
        ends = (there.sum(1) - 1).clamp(min=0)
        last = tags.gather(1, ends[:, None])[:, 0]
        return (total - at_word - steps - self.first[tags[:, 0]] - self.last[last]) * there[:, 0]

    def log_probabilities(self, scores: Tensor, there: Tensor) -> Tensor:
        """(batch, tokens, tags) logarithm of the probability of each tag at each word, all sequences considered."""
        forward = torch.stack(self._forward(scores, there), dim=1)
        backward = torch.stack(self._backward(scores, there), dim=1)
        return (forward + backward).log_softmax(2)

    def _forward(self, scores: Tensor, there: Tensor) -> list[Tensor]:
        """For each word (batch, tags) the logarithm of the sum over all sequences up to it that end in each tag."""
        factors, reached = self.steps.exp(), scores[:, 0] + self.first
        found = [reached]
        for place in range(1, scores.shape[1]):
            longer = _log_product(reached, factors) + scores[:, place]
            reached = torch.where(there[:, place, None], longer, reached)
            found.append(reached)
        return found

    def _backward(self, scores: Tensor, there: Tensor) -> list[Tensor]:
        """The same of the sequences behind each word."""
        factors, ahead = self.steps.exp().T, self.last.expand(len(scores), -1)
        found = [ahead]
        for place in range(scores.shape[1] - 1, 0, -1):
            longer = _log_product(ahead + scores[:, place], factors)
            ahead = torch.where(there[:, place, None], longer, ahead)
            found.append(ahead)
        return found[::-1]


def _log_product(logs: Tensor, factors: Tensor) -> Tensor:
    """log(exp(logs) @ factors) for (batch, tags) and (tags, tags)."""
    largest = logs.amax(1, keepdim=True).detach()
    return ((logs - largest).exp() @ factors).clamp(min=_TINY).log() + largest


def best_paths(log_p: Tensor, allowed: Tensor) -> Tensor:
    """(batch, tokens) the tags of the largest joint probability among sequences that are allowed (Viterbi 1967).

    Args:
        log_p: (batch, tokens, tags).
        allowed: (1 + tags, tags) bool, whether a tag may stand after another; the last row is the beginning of a text.
    """
    if bool(allowed.all()) or 0 in log_p.shape:
        return log_p.argmax(2)
    never = torch.where(allowed, 0.0, -1e9).to(log_p.dtype)
    size = max(_PATHS_AT_ONCE // allowed.shape[1] ** 2, 1)
    return torch.cat([_best_paths(piece, never) for piece in log_p.split(size)])


def _best_paths(log_p: Tensor, never: Tensor) -> Tensor:
    reached = log_p[:, 0] + never[-1]
    steps = []
    for place in range(1, log_p.shape[1]):
        best, before = (reached[:, :, None] + never[:-1]).max(1)
        reached = best + log_p[:, place]
        steps.append(before)
    at = reached.argmax(1)
    path = [at]
    for before in reversed(steps):
        at = before.gather(1, at[:, None])[:, 0]
        path.append(at)
    return torch.stack(path[::-1], dim=1)
