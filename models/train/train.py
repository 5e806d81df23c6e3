"""
Trains the reference models: `python3 train.py STAGE... --data DIR --chips DIR --out DIR --work DIR`.

Stages, each from what the ones before it left in --work: v1, v2, v3, narrow, lite, fashion. See README.md.
"""
import argparse
import gzip
import json
import os
import resource
import time

import numpy as np
import torch
import torch.nn.functional as F

import nets
from data import Parts
from export import export, sample_of
from fit import figures, fit, thresholds

FASHION = '/usr/share/datasets/fashion-mnist'
CROPS = (128, 12)
WHOLE = (384, 3)


def phases(crop_steps, whole_steps, rate):
    return [(*CROPS, crop_steps, rate), (*WHOLE, whole_steps, rate / 4)]


class Job:
    def __init__(self, options):
        self.options = options
        self.train = Parts(options.data, 'train')
        self.held = Parts(options.data, 'calibration')
        self.test = Parts(options.data, 'test')
        os.makedirs(options.work, exist_ok=True)
        os.makedirs(options.out, exist_ok=True)

    def state(self, name):
        return os.path.join(self.options.work, f'{name}.pt')

    def finish(self, name, file, net, train, seed, started, tests):
        """Exports, measures on pictures that the training never saw, and writes the figures for the card."""
        torch.save(net.state_dict(), self.state(name))
        kept = figures(net, self.held)
        low, high = thresholds(kept['scores'], np.array([kind is not None for kind in self.held.kinds]))
        metadata = {
            'kerf.task': 'defect', 'kerf.pass_below': f'{low:.4f}', 'kerf.ng_above': f'{high:.4f}',
            'kerf.mask_threshold': '128', 'kerf.release': name,
        }
        export(net.eval(), os.path.join(self.options.out, f'{file}.onnx'), sample_of(self.test), ['mask', 'score'], metadata)
        told = {'release': name, 'pictures': len(train), 'seed': seed, 'passBelow': low, 'ngAbove': high, **cost(started)}
        for label, parts in tests.items():
            told[label] = {key: value for key, value in figures(net, parts).items() if key != 'scores'}
        tell(self.options.out, file, told)


def cost(started):
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {'wallSeconds': round(time.time() - started[0]), 'cpuSeconds': round(used.ru_utime + used.ru_stime - started[1])}


def begin():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.time(), used.ru_utime + used.ru_stime


def tell(out, file, told):
    with open(os.path.join(out, f'{file}.json'), 'w') as card:
        json.dump(told, card, indent=1)
    print(json.dumps(told), flush=True)


def v1(job, scale):
    started = begin()
    torch.manual_seed(1)
    net = fit(nets.Surface(), job.train, phases(int(4000 * scale), int(250 * scale), 5e-4), 1, report=say)
    job.finish('v1', 'surface-v1', net, job.train, 1, started, {'test': job.test})


def chips_of(job):
    new = Parts(job.options.chips, 'train')
    return job.train.joined(new), Parts(job.options.chips, 'test')


def v2(job, scale):
    """The last layers learn chips; every weight before them stays as it is, to the bit."""
    started = begin()
    both, new_test = chips_of(job)
    net = nets.Surface()
    net.load_state_dict(torch.load(job.state('v1')))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    for part in (net.up_quarter, net.mask_head, net.deep_score, net.score_head):
        for parameter in part.parameters():
            parameter.requires_grad_(True)
    fit(Frozen(net, net.up_quarter), both, phases(int(500 * scale), int(60 * scale), 5e-4), 2,
        parameters=list(net.parameters()), report=say)
    job.finish('v2', 'surface-v2', net.eval(), both, 2, started, {'test': job.test, 'chips': new_test})


class Frozen(torch.nn.Module):
    """A network in which only `open_part` keeps the statistics of what it sees."""

    def __init__(self, net, open_part):
        super().__init__()
        self.net, self.open_part = net.eval(), open_part
        open_part.train()

    def logits(self, x):
        return self.net.logits(x)


def v3(job, scale):
    started = begin()
    both, new_test = chips_of(job)
    net = nets.Surface()
    net.load_state_dict(torch.load(job.state('v2')))
    fit(net.train(), both, phases(int(500 * scale), int(80 * scale), 3e-4), 3, report=say)
    job.finish('v3', 'surface-v3', net, both, 3, started, {'test': job.test, 'chips': new_test})


def narrow(job, scale):
    started = begin()
    torch.manual_seed(4)
    net = fit(nets.SurfaceNarrow(), job.train, phases(int(3000 * scale), int(200 * scale), 5e-4), 4, report=say)
    job.finish('narrow', 'surface-narrow', net, job.train, 4, started, {'test': job.test})


def lite(job, scale):
    started = begin()
    torch.manual_seed(5)
    net = fit(nets.SurfaceLite(), job.train, phases(int(9000 * scale), int(300 * scale), 2.5e-3), 5, report=say)
    job.finish('lite', 'surface-lite', net, job.train, 5, started, {'test': job.test})


def fashion(job, scale):
    """Fashion-MNIST, Debian's dataset-fashion-mnist: the ten thousand test pictures are never trained on."""
    started = begin()
    torch.manual_seed(6)

    def load(name, offset, shape):
        with gzip.open(os.path.join(FASHION, name)) as file:
            return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=offset).reshape(shape).copy())

    x = load('train-images-idx3-ubyte.gz', 16, (-1, 1, 28, 28)).float() / 255
    y = load('train-labels-idx1-ubyte.gz', 8, -1).long()
    test_x = load('t10k-images-idx3-ubyte.gz', 16, (-1, 1, 28, 28)).float() / 255
    test_y = load('t10k-labels-idx1-ubyte.gz', 8, -1).long()
    net, epochs, size = nets.Fashion(), max(1, int(5 * scale)), 128
    optimiser = torch.optim.AdamW(net.parameters(), 5e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=epochs * (len(x) // size))
    for epoch in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // size * size].split(size):
            pictures = x[rows].flip(3) if torch.rand(()) < 0.5 else x[rows]
            loss = F.cross_entropy(net(pictures), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        say(f'  epoch {epoch + 1} of {epochs}: loss {loss.item():.3f}')
    net.eval()
    with torch.no_grad():
        right = sum((net(test_x[at:at + 500]).argmax(1) == test_y[at:at + 500]).sum().item() for at in range(0, 10000, 500))
    export(net, os.path.join(job.options.out, 'fashion.onnx'), test_x[:2], ['logits'],
           {'kerf.task': 'class', 'kerf.release': 'fashion'})
    tell(job.options.out, 'fashion', {'release': 'fashion', 'accuracy': right / 100, 'seed': 6, **cost(started)})


def say(text):
    print(text, flush=True)


STAGES = {'v1': v1, 'v2': v2, 'v3': v3, 'narrow': narrow, 'lite': lite, 'fashion': fashion}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('stages', nargs='+', choices=[*STAGES, 'all'])
    parser.add_argument('--data', required=True, help='sets train, calibration and test of the generator')
    parser.add_argument('--chips', required=True, help='sets train and test of the new kind')
    parser.add_argument('--out', required=True)
    parser.add_argument('--work', required=True, help='where the weights between stages lie')
    parser.add_argument('--scale', type=float, default=1.0, help='share of the steps; for a quick try')
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    job = Job(options)
    for stage in STAGES if 'all' in options.stages else options.stages:
        say(stage)
        STAGES[stage](job, options.scale)


main()
