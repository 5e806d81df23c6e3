"""The PP-OCR recogniser -> versions of it that were really trained further: what the bench of deltas compares.

    python3 test/bench/delta/fine_tune.py RECOGNISER.onnx OUT_DIR [RUN...]

The task: text that is blurred, noisy or of low contrast is to be read as the model itself reads it clean. Runs and the steps that
are kept of them are in RUNS; one takes three minutes of one core, goes on where it was
broken off, and is not made again when it is there; several may run beside each other. Needs Debian's python3-torch, libopenblas0-pthread
(without it the same takes several times as long), python3-onnx, python3-pil and fonts-dejavu-core. Seeds are fixed; other processors may differ in the last bits.
"""

import glob
import os
import random
import sys

# One thread: threads of the matrix product that wait for each other take a core for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from onnx_in_torch import Network
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# name: (optimiser, learning rate, steps that are kept)
RUNS = {
    "adam1e-5": ("adam", 1e-5, (1, 10, 100)),
    "adam1e-4": ("adam", 1e-4, (100,)),
    "sgd1e-3": ("sgd", 1e-3, (100,)),
}
BATCH = 8
WIDTH, HEIGHT = 192, 48
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FONTS = sorted(glob.glob("/usr/share/fonts/truetype/dejavu/*.ttf"))


def sample(chance):
    """Two pictures of a text in -1 to 1, [HEIGHT, WIDTH] each: clean, and as a bad camera sees it."""
    text = "".join(chance.choice(LETTERS) for _ in range(chance.randint(4, 9)))
    font = ImageFont.truetype(chance.choice(FONTS), chance.randint(26, 34))
    picture = Image.new("L", (WIDTH, HEIGHT), chance.randint(200, 255))
    ImageDraw.Draw(picture).text((6, chance.randint(2, 8)), text, font=font, fill=chance.randint(0, 70))
    clean = np.asarray(picture, np.float32) / 127.5 - 1
    blurred = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.8, 1.9)))
    bad = (np.asarray(blurred, np.float32) / 127.5 - 1) * chance.uniform(0.25, 0.6) + chance.uniform(-0.3, 0.3)
    if chance.random() < 0.5:
        bad = -bad
    noise = np.random.RandomState(chance.randint(0, 1 << 30)).randn(HEIGHT, WIDTH).astype(np.float32)
    return clean, np.clip(bad + noise * chance.uniform(0.05, 0.2), -1, 1).astype(np.float32)


def batch(chance):
    pairs = [sample(chance) for _ in range(BATCH)]
    return [torch.from_numpy(np.stack(side))[:, None].repeat(1, 3, 1, 1) for side in zip(*pairs)]


def loss_of(expected, found):
    return (expected * ((expected + 1e-9).log() - (found + 1e-9).log())).sum(-1).mean()


def keep(path, student, optimiser, chance, step):
    """So that a run that is broken off goes on where it was."""
    weights = {name: weight.detach() for name, weight in student.weights.items()}
    torch.save((step, weights, optimiser.state_dict(), chance.getstate()), path + ".part")
    os.replace(path + ".part", path)


def restore(path, student, optimiser, chance):
    """-> the steps that are done."""
    if not os.path.exists(path):
        return 0
    step, weights, state, chances = torch.load(path)
    with torch.no_grad():
        for name, weight in weights.items():
            student.weights[name].copy_(weight)
    optimiser.load_state_dict(state)
    chance.setstate(chances)
    return step


def train(model, out, name):
    kind, rate, kept = RUNS[name]
    paths = {step: os.path.join(out, f"{name}-{step}.onnx") for step in kept}
    if all(os.path.exists(path) for path in paths.values()):
        return
    teacher, student = Network(model), Network(model)
    weights = list(student.weights.values())
    for weight in weights:
        weight.requires_grad_(True)
    optimiser = torch.optim.Adam(weights, lr=rate) if kind == "adam" else torch.optim.SGD(weights, lr=rate, momentum=0.9)
    chance = random.Random(1)
    state = os.path.join(out, f"{name}.state")
    done = restore(state, student, optimiser, chance)
    for step in range(done + 1, max(kept) + 1):
        clean, bad = batch(chance)
        with torch.no_grad():
            expected = teacher.run(clean)
        loss = loss_of(expected, student.run(bad))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step in paths:
            student.save(paths[step] + ".part")
            os.replace(paths[step] + ".part", paths[step])
        if step == 1 or step % 10 == 0:
            print(f"{name} {step} {loss.item():.4f}", flush=True)
            keep(state, student, optimiser, chance, step)


def main():
    if len(sys.argv) < 3 or not FONTS:
        sys.exit(__doc__ if FONTS else "the fonts of fonts-dejavu-core are not there")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, out, *names = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    for name in names or RUNS:
        train(model, out, name)


main()
