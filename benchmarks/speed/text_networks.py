"""The networks that learn what comes next in a text, in plain PyTorch: an LSTM and a transformer.

They are shaped as Lamina shapes them; `keras_text_networks.py` writes the same ones for Keras. Both can go on from what
they read before: the LSTM by its state, the transformer by the keys and values that it keeps.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

TOKENS = 68
"""The 65 characters of the text, and three numbers that Lamina keeps for start, unknown and end."""
WIDTH, HIDDEN = 64, 256
"""Numbers of a character's vector, and of the LSTM's state."""
BLOCKS, MODEL, HEADS, DROPOUT = 2, 128, 4, 0.1
"""Of the transformer."""
LONGEST = 512
"""Characters that it looks back at."""


class LSTM(nn.Module):
    """Vectors of characters, one LSTM, a score for every character."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(TOKENS, WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, TOKENS)

    def forward(self, numbers: Tensor) -> Tensor:
        """(batch, places) -> (batch, places, characters) logits of what follows each."""
        return self.go_on(numbers, None)[0]

    def go_on(self, numbers: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The same for characters that follow those read before, and the state after them."""
        read, state = self.lstm(self.vectors(numbers), state)
        return self.head(read), state


class Block(nn.Module):
    """Causal attention with rotated keys and queries, then two dense layers, each behind a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(MODEL), nn.LayerNorm(MODEL)
        self.look, self.gather = nn.Linear(MODEL, 3 * MODEL), nn.Linear(MODEL, MODEL)
        self.dense = nn.Sequential(nn.Linear(MODEL, 4 * MODEL), nn.GELU(), nn.Linear(4 * MODEL, MODEL))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, kept: tuple[Tensor, Tensor] | None
                ) -> tuple[Tensor, tuple[Tensor, Tensor]]:  # fmt: skip
        """(batch, places, width) -> the same, and all keys and values so far."""
        batch, places, width = x.shape
        query, key, value = self.look(self.first(x)).split(width, dim=-1)
        query, key, value = (each.view(batch, places, HEADS, width // HEADS).transpose(1, 2)
                             for each in (query, key, value))  # fmt: skip
        query, key = rotated(query, cosine, sine), rotated(key, cosine, sine)
        if kept is not None:
            key, value = torch.cat([kept[0], key], dim=2), torch.cat([kept[1], value], dim=2)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=kept is None)
        x = x + self.dropout(self.gather(seen.transpose(1, 2).reshape(batch, places, width)))
        return x + self.dropout(self.dense(self.second(x))), (key, value)


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions as most people write them (Su et al. 2021)."""
    left, right = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-right, left], dim=-1) * sine


def rotations() -> tuple[Tensor, Tensor]:
    """(longest, width of a head) cosine and sine for each place."""
    speeds = 10_000.0 ** (-torch.arange(0, MODEL // HEADS, 2) / (MODEL // HEADS))
    angles = torch.arange(LONGEST)[:, None] * speeds.repeat(2)
    return angles.cos(), angles.sin()


class Transformer(nn.Module):
    """A small GPT with rotary positions."""

    cosine: Tensor
    sine: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.vectors = nn.Embedding(TOKENS, WIDTH)
        self.enter = nn.Linear(WIDTH, MODEL)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(MODEL)
        self.head = nn.Linear(MODEL, TOKENS)
        for name, values in zip(("cosine", "sine"), rotations(), strict=True):
            self.register_buffer(name, values, persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """(batch, places) -> (batch, places, characters) logits of what follows each."""
        return self.go_on(numbers, None)[0]

    def go_on(self, numbers: Tensor, state: list[tuple[Tensor, Tensor]] | None
              ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:  # fmt: skip
        """The same for one character that follows those read before, and the keys and values after it."""
        start = 0 if state is None else state[0][0].shape[2]
        places = slice(start, start + numbers.shape[1])
        x, kept = self.enter(self.vectors(numbers)), []
        for number, block in enumerate(self.blocks):
            x, held = block(x, self.cosine[places], self.sine[places], None if state is None else state[number])
            kept.append(held)
        return self.head(self.norm(x)), kept


TEXT_NETWORKS: dict[str, type[nn.Module]] = {"lstm": LSTM, "transformer": Transformer}
