"""A trained network -> an ONNX file with BatchNorm folded, names that a person can read, and what `kerf` looks for."""
import copy

import numpy as np
import onnx
import torch
import torch.nn as nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(net):
    """A copy without BatchNorm: what it did is in the convolution before it."""
    net = copy.deepcopy(net).eval()
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for index in range(len(module) - 1):
                if isinstance(module[index], nn.Conv2d) and isinstance(module[index + 1], nn.BatchNorm2d):
                    module[index] = fuse_conv_bn_eval(module[index], module[index + 1])
                    module[index + 1] = nn.Identity()
    return net


def export(net, path, sample, outputs, metadata):
    torch.onnx.export(
        folded(net), sample, path, opset_version=13, input_names=['image'], output_names=outputs,
        dynamic_axes={name: {0: 'N'} for name in ['image', *outputs]},
    )
    model = onnx.load(path)
    for value in model.graph.value_info:
        value.Clear()
    del model.graph.value_info[:]
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def sample_of(parts, count=2):
    x = parts.pictures[:count].astype(np.float32) / 255
    return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
