"""The networks of the reference inspection job. Input [N, 3, 384, 384] float32 0..1, RGB; see `Inspector.forward`."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv(inputs, outputs, kernel=3, stride=1, groups=1, act=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if act else nn.Sequential(*layers)


def separable(inputs, outputs, stride=1):
    return nn.Sequential(conv(inputs, inputs, 3, stride, groups=inputs), conv(inputs, outputs, 1))


class Residual(nn.Module):
    """Two convolutions of 3x3 and what came in."""

    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels, act=False)

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + x)


class Inspector(nn.Module):
    """
    What the three networks share: a map of logits at half the picture's size and a score from its strongest place.

    `trunk(x)` gives deep features [N, deep, H/16, W/16] and the decoder's features [N, fine, H/4, W/4].
    """

    def __init__(self, deep, fine):
        super().__init__()
        self.mask_head = nn.Conv2d(fine, 4, 3, 1, 1)
        self.deep_score = nn.Conv2d(deep, 1, 1)
        self.score_head = nn.Linear(2, 1)
        # Defects are rare: start from "none".
        nn.init.constant_(self.mask_head.bias, -4.0)
        with torch.no_grad():
            self.score_head.weight.copy_(torch.tensor([[0.5, 0.5]]))

    def logits(self, x):
        """[N, 1, H/2, W/2] logits of defect pixels, [N, 1] logit of the part."""
        deep, fine = self.trunk(x)
        quarter = self.mask_head(fine)
        # The score learns from what the mask needs: its gradient through a maximum would hold the mask up.
        seen, seen_deep = (quarter.detach(), deep.detach()) if self.training else (quarter, deep)
        strongest = F.adaptive_max_pool2d(F.avg_pool2d(seen.mean(1, keepdim=True), 2), 1).flatten(1)
        deepest = F.adaptive_max_pool2d(self.deep_score(seen_deep), 1).flatten(1)
        return F.pixel_shuffle(quarter, 2), self.score_head(torch.cat([strongest, deepest], 1))

    def forward(self, x):
        """`mask` uint8 [N, 1, H/2, W/2]: probability of a defect in 255ths; `score` float32 [N, 1]: that of the part."""
        mask, score = self.logits(x)
        scaled = torch.floor(torch.sigmoid(mask) * 255.0 + 0.5)
        return torch.clamp(scaled, 0.0, 255.0).to(torch.uint8), torch.sigmoid(score)


class Surface(Inspector):
    """Encoder of residual blocks, decoder that adds what the encoder saw at each size."""

    def __init__(self):
        super().__init__(deep=112, fine=48)
        self.stem = nn.Sequential(conv(3, 16, stride=2), conv(16, 24, stride=2))
        self.quarter = nn.Sequential(conv(24, 64), Residual(64), Residual(64), Residual(64))
        self.eighth = nn.Sequential(conv(64, 112, stride=2), Residual(112), Residual(112))
        self.sixteenth = nn.Sequential(conv(112, 112, stride=2), Residual(112))
        self.up_eighth = Up(112, 112, 64)
        self.up_quarter = Up(64, 64, 48)

    def trunk(self, x):
        quarter = self.quarter(self.stem(x))
        eighth = self.eighth(quarter)
        deep = self.sixteenth(eighth)
        return deep, self.up_quarter(self.up_eighth(deep, eighth), quarter)


class SurfaceLite(Inspector):
    """The same job for a twentieth of the work, for a device that is alone."""

    def __init__(self):
        super().__init__(deep=80, fine=20)
        self.stem = nn.Sequential(conv(3, 12, stride=2), separable(12, 24, 2))
        self.quarter = separable(24, 24)
        self.eighth = nn.Sequential(separable(24, 48, 2), separable(48, 48), separable(48, 48))
        self.sixteenth = nn.Sequential(separable(48, 80, 2), separable(80, 80), separable(80, 80))
        self.up_eighth = Up(80, 48, 32, separable)
        self.up_quarter = Up(32, 24, 20, separable)

    def trunk(self, x):
        quarter = self.quarter(self.stem(x))
        eighth = self.eighth(quarter)
        deep = self.sixteenth(eighth)
        return deep, self.up_quarter(self.up_eighth(deep, eighth), quarter)


class SurfaceNarrow(Inspector):
    """Made to be cut: a light head ends in `NARROW` channels between 0 and 1, which stand four levels a value."""

    NARROW = 12
    LEVELS = 4

    def __init__(self):
        super().__init__(deep=64, fine=64)
        self.head = nn.Sequential(conv(3, 16, stride=2), separable(16, 32, 2), separable(32, 64, 2))
        self.squeeze = nn.Conv2d(64, self.NARROW, 1)
        self.widen = conv(self.NARROW, 128)
        self.eighth = nn.Sequential(Residual(128), Residual(128))
        self.sixteenth = nn.Sequential(conv(128, 64, stride=2), Residual(64))
        self.up_eighth = Up(64, 128, 64)
        self.refine = nn.Sequential(Enlarge(), Residual(64), Residual(64), Residual(64), Residual(64))

    def trunk(self, x):
        narrow = torch.clamp(self.squeeze(self.head(x)), 0.0, 1.0)
        eighth = self.eighth(self.widen(self.coarse(narrow) if self.training else narrow))
        deep = self.sixteenth(eighth)
        return deep, self.refine(self.up_eighth(deep, eighth))

    def coarse(self, x):
        """What the codec will do: rounding, whose gradient is taken as 1, or noise of the same size."""
        steps = self.LEVELS - 1
        if torch.rand(()) < 0.5:
            return x + (torch.rand_like(x) - 0.5) / steps
        return x + (torch.round(x * steps) / steps - x).detach()


class Enlarge(nn.Module):
    def forward(self, x):
        return F.interpolate(x, scale_factor=2.0, mode='nearest')


class Up(nn.Module):
    """Twice the size, with what the encoder saw at that size added."""

    def __init__(self, deep, skip, outputs, block=conv):
        super().__init__()
        self.deep = conv(deep, outputs, 1, act=False)
        self.skip = conv(skip, outputs, 1, act=False)
        self.enlarge = Enlarge()
        self.mix = block(outputs, outputs)

    def forward(self, deep, skip):
        return self.mix(F.relu(self.enlarge(self.deep(deep)) + self.skip(skip)))


class FashionBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv(inputs, outputs, stride=stride)
        self.second = conv(outputs, outputs, act=False)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv(inputs, outputs, 1, stride, act=False)

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class Fashion(nn.Module):
    """Fashion-MNIST: [N, 1, 28, 28] float32 0..1 -> `logits` [N, 10]."""

    def __init__(self):
        super().__init__()
        self.stem = conv(1, 24, stride=2)
        self.blocks = nn.Sequential(
            FashionBlock(24, 24, 1), FashionBlock(24, 48, 2), FashionBlock(48, 48, 1), FashionBlock(48, 96, 2)
        )
        self.classes = nn.Linear(96, 10)

    def forward(self, x):
        return self.classes(F.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1).flatten(1))
