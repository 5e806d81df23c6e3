"""A network and parts -> the trained network, and its figures on parts that it never saw."""
import time

import numpy as np
import torch
import torch.nn.functional as F

from data import batch_of


def loss_of(logits, score, masks):
    weight = torch.where(masks > 0, 3.0, 1.0)
    pixels = F.binary_cross_entropy_with_logits(logits, masks, weight)
    chance = torch.sigmoid(logits)
    overlap = (chance * masks).sum() * 2 + 1
    dice = 1 - overlap / (chance.sum() + masks.sum() + 1)
    has_defect = (masks.flatten(1).sum(1, keepdim=True) >= 3).float()
    return 4 * pixels + dice + F.binary_cross_entropy_with_logits(score, has_defect)


def fit(net, parts, phases, seed, parameters=None, report=print):
    """
    `phases`: (crop size, batch, steps, peak learning rate) one after the other. Convolutions in bfloat16: less than half
    the time on a processor that has it, and no less accurate.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    net.to(memory_format=torch.channels_last)
    chosen = [p for p in (parameters or net.parameters()) if p.requires_grad]
    for size, batch, steps, rate in phases:
        optimiser = torch.optim.AdamW(chosen, rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
        started, shown = time.time(), 0.0
        for step in range(steps):
            x, masks = batch_of(parts, drawn(parts, batch, random), size, random)
            with torch.autocast('cpu', torch.bfloat16):
                logits, score = net.logits(x.contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), score.float(), masks)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            shown = 0.95 * shown + 0.05 * loss.item() if step else loss.item()
            if step % 100 == 99 or step == steps - 1:
                report(f'  {size} px, step {step + 1} of {steps}: loss {shown:.3f}, {time.time() - started:.0f} s')
    return net.eval()


def drawn(parts, count, random):
    """Three defective parts for each good one: crops of them are mostly good as well."""
    defective = np.array([kind is not None for kind in parts.kinds])
    chances = np.where(defective, 0.75 / defective.sum(), 0.25 / max(1, (~defective).sum()))
    return random.choice(len(parts), count, p=chances / chances.sum())


@torch.no_grad()
def figures(net, parts, batch=8):
    """Pixel IoU at 0.5 (points), pixel AUROC, image AUROC, and the scores."""
    net.eval()
    inside = joint = 0
    histogram = np.zeros((2, 256))
    scores = []
    for start in range(0, len(parts), batch):
        x = torch.from_numpy(parts.pictures[start:start + batch]).permute(0, 3, 1, 2).float() / 255
        mask, score = net(x)
        found, true = mask[:, 0].numpy(), parts.masks[start:start + batch]
        inside += np.logical_and(found >= 128, true).sum()
        joint += np.logical_or(found >= 128, true).sum()
        for value in (0, 1):
            histogram[value] += np.bincount(found[true == value], minlength=256)
        scores.extend(score[:, 0].tolist())
    defective = np.array([kind is not None for kind in parts.kinds])
    return {
        'pixel_iou': 100 * inside / max(1, joint),
        'pixel_auroc': area(histogram[1], histogram[0]),
        'image_auroc': area_of_scores(np.array(scores), defective),
        'scores': np.array(scores),
    }


def area(positive, negative):
    """AUROC of two histograms, ties as one half."""
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def area_of_scores(scores, positive):
    order = np.unique(scores, return_inverse=True)[1]
    count = order.max() + 1
    return area(np.bincount(order[positive], minlength=count), np.bincount(order[~positive], minlength=count))


def thresholds(scores, positive, escape=0.02, overkill=0.02):
    """Two thresholds from parts set aside: PASS lets `escape` of the defects by, NG rejects `overkill` of the good parts."""
    low = float(np.quantile(scores[positive], escape))
    high = float(np.quantile(scores[~positive], 1 - overkill))
    return (low, high) if low < high else ((low + high) / 2 - 1e-3, (low + high) / 2 + 1e-3)
