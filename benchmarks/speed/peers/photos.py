"""A folder of pictures as PyTorch's users read it: a Dataset that decodes a file whenever it is asked for one."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

WORKERS = 2
"""Processes that decode: one for each core."""


class Photos(Dataset):
    """64x64, mirrored half of the time and moved by up to 4 pixels, as `RandomCrop(64, padding=4)` does."""

    def __init__(self, folder: Path):
        self.files = sorted(folder.glob("*/*.jpg"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        with Image.open(self.files[row]) as file:
            picture = np.asarray(file.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR))
        if torch.rand(()) < 0.5:
            picture = picture[:, ::-1]
        top, left = torch.randint(0, 9, (2,)).tolist()
        picture = np.pad(picture, ((4, 4), (4, 4), (0, 0)), mode="reflect")[top : top + 64, left : left + 64]
        return torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32) / 255), int(self.files[row].parent.name)


def photo_loader(folder: Path, batch_size: int) -> DataLoader:
    """Batches of a folder in a new order each epoch, decoded by two processes."""
    return DataLoader(Photos(folder), batch_size=batch_size, shuffle=True, num_workers=WORKERS, drop_last=True)
