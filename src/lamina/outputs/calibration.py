"""The temperature by which probabilities of classes become honest, and the line below which they are not trusted."""

import numpy as np
from torch import Tensor
from torch.nn import functional


def mean_log(raw: Tensor) -> Tensor:
    """(batch, members, classes) -> (batch, classes) logarithm of the members' mean probability."""
    log_p = raw.float().log_softmax(-1)
    return log_p[:, 0] if raw.shape[1] == 1 else log_p.logsumexp(1) - np.log(raw.shape[1])


def honest_temperature(log_p: Tensor, targets: Tensor) -> float:
    """What log probabilities are divided by so that confidences hold on these rows (Guo et al. 2017).

    1 where none does better. The log loss is convex in 1 / temperature, so its slope is bisected. Targets are smoothed
    as by Platt (1999): few rows, all answered rightly, do not ask for certainty.

    Args:
        log_p: (rows, classes).
        targets: (rows,) the true classes, at least one.
    """
    log_p = log_p.double()
    classes, doubt = log_p.shape[1], 1 / (len(targets) + 2)
    true = log_p.gather(1, targets[:, None])[:, 0]
    others = (log_p.sum(1) - true) / (classes - 1)
    wanted = ((1 - doubt) * true + doubt * others).mean()
    low, high = np.log(0.1), np.log(10.0)  # of 1 / temperature
    for _ in range(30):
        middle = (low + high) / 2
        sharper = (np.exp(middle) * log_p).softmax(-1)
        if (sharper * log_p).sum(1).mean() < wanted:
            low = middle
        else:
            high = middle
    temperature = float(np.exp(-(low + high) / 2))
    better = functional.cross_entropy(log_p / temperature, targets) < functional.cross_entropy(log_p, targets)
    return temperature if better else 1.0


def lowest_share(sureness: Tensor, share: float) -> float:
    """The line below which at most this share of new rows like these lies (Vovk et al. 2005); 0 where rows are too few.

    Args:
        sureness: (rows,) above 0, of rows that were not learned from.
        share: from 0 to 1.
    """
    place = int(share * (len(sureness) + 1))  # the chance of a new row to lie below the k-th lowest of n is k / (n + 1)
    return float(sureness.sort().values[place - 1]) if place else 0.0


def with_none(probabilities: np.ndarray, line: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """None of the classes as a further one, as probable as the line: it is the answer where all others are below.

    Args:
        probabilities: (rows, classes).
        line: as `lowest_share` gave it, or (rows,) one for each.

    Returns:
        (rows, classes + 1) scores that add up to 1; (rows,) the number that is answered; (rows,) confidence: the
        probability of that class or, beside none of them, that the likeliest class would be wrong.
    """
    lines = np.broadcast_to(np.asarray(line, dtype=probabilities.dtype), len(probabilities))[:, None]
    scores = np.concatenate([probabilities, lines], axis=1) / (1 + lines)
    said, surest = scores.argmax(1), probabilities.max(1)
    return scores, said, np.where(said < probabilities.shape[1], surest, 1 - surest)
