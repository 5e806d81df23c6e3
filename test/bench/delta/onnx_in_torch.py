"""An ONNX model of the recogniser's kind -> a function of PyTorch whose weights can be trained, and back into the same file."""

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import helper, numpy_helper

DTYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool}
LEAST_TRAINED = 8


class Network:
    """The graph, run node by node; `weights` are the tensors that training moves, by the name of their value."""

    def __init__(self, path):
        self.model = onnx.load(path)
        self.constants = {name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for name, tensor in self._tensors()}
        statistics = {
            name for node in self.model.graph.node if node.op_type == "BatchNormalization" for name in node.input[3:5]
        }
        self.weights = {
            name: value
            for name, value in self.constants.items()
            if value.dtype == torch.float32 and value.numel() >= LEAST_TRAINED and name not in statistics
        }

    def _tensors(self):
        for tensor in self.model.graph.initializer:
            yield tensor.name, tensor
        for node in self.model.graph.node:
            if node.op_type == "Constant":
                yield node.output[0], node.attribute[0].t

    def run(self, pictures):
        """pictures: float32 [batch, 3, 48, width] -> the graph's first output."""
        values = dict(self.constants)
        values[self.model.graph.input[0].name] = pictures
        for node in self.model.graph.node:
            if node.op_type == "Constant":
                continue
            fields = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
            inputs = [values[name] if name else None for name in node.input]
            values[node.output[0]] = OPERATIONS[node.op_type](inputs, fields)
        return values[self.model.graph.output[0].name]

    def save(self, path):
        """Writes the file again with the weights as they are now, every other byte as it was."""
        for name, tensor in self._tensors():
            if name in self.weights:
                tensor.raw_data = np.ascontiguousarray(self.constants[name].detach().numpy()).tobytes()
        with open(path, "wb") as file:
            file.write(self.model.SerializeToString())


def conv(inputs, fields):
    pads = fields.get("pads", [0, 0, 0, 0])
    assert pads[:2] == pads[2:], "only padding that is the same on both sides"
    bias = inputs[2] if len(inputs) > 2 else None
    return functional.conv2d(
        inputs[0], inputs[1], bias, fields.get("strides", [1, 1]), pads[:2], fields.get("dilations", [1, 1]), fields.get("group", 1)
    )


def clip(inputs, fields):
    least = fields.get("min", inputs[1].item() if len(inputs) > 1 and inputs[1] is not None else None)
    most = fields.get("max", inputs[2].item() if len(inputs) > 2 and inputs[2] is not None else None)
    return torch.clamp(inputs[0], least, most)


def average_pool(inputs, fields):
    pads = fields.get("pads", [0, 0, 0, 0])
    return functional.avg_pool2d(inputs[0], fields["kernel_shape"], fields.get("strides", [1, 1]), pads[:2])


def take(inputs, fields):
    if "starts" in fields:
        starts, ends = fields["starts"], fields["ends"]
        axes = fields.get("axes", range(len(starts)))
    else:
        starts, ends = inputs[1].tolist(), inputs[2].tolist()
        axes = inputs[3].tolist() if len(inputs) > 3 else range(len(starts))
    result = inputs[0]
    for start, end, axis in zip(starts, ends, axes):
        size = result.shape[axis]
        start = start + size if start < 0 else min(start, size)
        end = end + size if end < 0 else min(end, size)
        result = result.narrow(axis, start, max(0, end - start))
    return result


def reshape(inputs, fields):
    shape = [inputs[0].shape[at] if size == 0 else int(size) for at, size in enumerate(inputs[1].tolist())]
    return inputs[0].reshape(shape)


def squeeze(inputs, fields):
    axes = fields["axes"] if "axes" in fields else inputs[1].tolist()
    result = inputs[0]
    for axis in sorted(axes, reverse=True):
        result = result.squeeze(axis)
    return result


def divide(inputs, fields):
    if inputs[0].is_floating_point():
        return inputs[0] / inputs[1]
    return torch.div(inputs[0], inputs[1], rounding_mode="floor")


def batch_norm(inputs, fields):
    data, scale, bias, mean, variance = inputs
    return functional.batch_norm(data, mean, variance, scale, bias, False, 0, fields.get("epsilon", 1e-5))


OPERATIONS = {
    "Conv": conv,
    "BatchNormalization": batch_norm,
    "Add": lambda i, f: i[0] + i[1],
    "Sub": lambda i, f: i[0] - i[1],
    "Mul": lambda i, f: i[0] * i[1],
    "Div": divide,
    "Pow": lambda i, f: torch.pow(i[0], i[1]),
    "Sqrt": lambda i, f: torch.sqrt(i[0]),
    "Clip": clip,
    "GlobalAveragePool": lambda i, f: i[0].mean((2, 3), keepdim=True),
    "AveragePool": average_pool,
    "Relu": lambda i, f: functional.relu(i[0]),
    "Sigmoid": lambda i, f: torch.sigmoid(i[0]),
    "HardSigmoid": lambda i, f: torch.clamp(f.get("alpha", 0.2) * i[0] + f.get("beta", 0.5), 0, 1),
    "Shape": lambda i, f: torch.tensor(list(i[0].shape)),
    "Cast": lambda i, f: i[0].to(DTYPES[f["to"]]),
    "Slice": take,
    "Concat": lambda i, f: torch.cat([t if t.dim() > 0 else t[None] for t in i], f["axis"]),
    "Reshape": reshape,
    "Transpose": lambda i, f: i[0].permute(f["perm"]),
    "ReduceMean": lambda i, f: i[0].mean(f["axes"], keepdim=bool(f.get("keepdims", 1))),
    "MatMul": lambda i, f: i[0] @ i[1],
    "Squeeze": squeeze,
    "Softmax": lambda i, f: torch.softmax(i[0], f.get("axis", -1)),
    "Identity": lambda i, f: i[0],
}
