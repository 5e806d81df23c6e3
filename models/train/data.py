"""Folders of the generator -> pictures and masks in memory, and batches of them."""
import json
import os

import numpy as np
import torch
from PIL import Image


class Parts:
    """`pictures` uint8 [count, 384, 384, 3]; `masks` uint8 [count, 192, 192], 1 where any pixel of the four is a defect's."""

    def __init__(self, folder, split):
        with open(os.path.join(folder, f'{split}.json')) as file:
            listed = json.load(file)['pictures']
        masks = 'ground_truth' if split == 'test' else f'{split}_ground_truth'
        size = 384
        self.pictures = np.zeros((len(listed), size, size, 3), np.uint8)
        self.masks = np.zeros((len(listed), size // 2, size // 2), np.uint8)
        self.kinds = [part['defect'] for part in listed]
        self.surfaces = [part['surface'] for part in listed]
        for index, part in enumerate(listed):
            self.pictures[index] = np.asarray(Image.open(os.path.join(folder, part['file'])))
            if part['defect'] is not None:
                name = os.path.basename(part['file']).replace('.png', '_mask.png')
                mask = np.asarray(Image.open(os.path.join(folder, masks, part['defect'], name))) > 127
                self.masks[index] = mask.reshape(size // 2, 2, size // 2, 2).any((1, 3))

    def __len__(self):
        return len(self.kinds)

    def joined(self, other):
        both = object.__new__(Parts)
        both.pictures = np.concatenate([self.pictures, other.pictures])
        both.masks = np.concatenate([self.masks, other.masks])
        both.kinds = self.kinds + other.kinds
        both.surfaces = self.surfaces + other.surfaces
        return both


def batch_of(parts, indices, size, random):
    """Crops of `size` pixels, turned and mirrored; of a defective part, mostly about its defect."""
    pictures = np.empty((len(indices), size, size, 3), np.uint8)
    masks = np.empty((len(indices), size // 2, size // 2), np.uint8)
    for at, index in enumerate(indices):
        top, left = corner(parts.masks[index], parts.pictures.shape[1], size, random)
        picture = parts.pictures[index, top:top + size, left:left + size]
        mask = parts.masks[index, top // 2:(top + size) // 2, left // 2:(left + size) // 2]
        turns = random.integers(4)
        picture, mask = np.rot90(picture, turns), np.rot90(mask, turns)
        if random.random() < 0.5:
            picture, mask = picture[:, ::-1], mask[:, ::-1]
        pictures[at], masks[at] = picture, mask
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    gain = torch.from_numpy(random.uniform(0.85, 1.15, (len(indices), 1, 1, 1)).astype(np.float32))
    return (x * gain).clamp(0, 1), torch.from_numpy(masks).unsqueeze(1).float()


def corner(mask, full, size, random):
    """Even, so that a crop of the picture has its crop of the mask."""
    last = (full - size) // 2
    if last == 0:
        return 0, 0
    rows, columns = np.nonzero(mask)
    if len(rows) == 0 or random.random() < 0.25:
        return 2 * random.integers(last + 1), 2 * random.integers(last + 1)
    pixel = random.integers(len(rows))
    half = size // 2
    place = [np.clip(axis[pixel] - random.integers(half), 0, last) for axis in (rows, columns)]
    return 2 * int(place[0]), 2 * int(place[1])
