"""A model -> another form of it, for the bench of deltas: `bfloat16 IN OUT` (weights), `graph IN OUT` (renamed, reordered, edited).

Needs Debian's python3-onnx and python3-numpy.
"""

import copy
import random
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LEAST_ELEMENTS = 8


def bfloat16(model):
    """Constants of float32 in bfloat16, rounded to even, with a cast behind each."""
    nodes = []
    for node in model.graph.node:
        tensor = node.attribute[0].t if node.op_type == "Constant" else None
        if tensor is None or tensor.data_type != TensorProto.FLOAT or numpy_helper.to_array(tensor).size < LEAST_ELEMENTS:
            nodes.append(node)
            continue
        bits = np.ascontiguousarray(numpy_helper.to_array(tensor)).view(np.uint32)
        rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
        small = TensorProto(data_type=TensorProto.BFLOAT16, dims=tensor.dims, raw_data=rounded.tobytes(), name=tensor.name)
        name = node.output[0]
        nodes.append(helper.make_node("Constant", [], [f"{name}_bf16"], value=small))
        nodes.append(helper.make_node("Cast", [f"{name}_bf16"], [name], to=TensorProto.FLOAT))
    replace(model, nodes)


def graph(model):
    """Every name another, constants in another order, Identity nodes put in: what another exporter makes of the same weights."""
    chance = random.Random(3)
    kept = {value.name for value in [*model.graph.input, *model.graph.output]}
    names = {"": ""}

    def renamed(name):
        if name in kept:
            return name
        return names.setdefault(name, f"model/v2/block_{len(names) // 7}/t_{len(names)}:0")

    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    others = [node for node in model.graph.node if node.op_type != "Constant"]
    chance.shuffle(constants)
    nodes = []
    for at, old in enumerate([*constants, *others]):
        node = copy.deepcopy(old)
        node.name = f"/v2/{node.op_type}_{at}"
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
        nodes.append(node)
        if node.op_type == "Relu" or (node.op_type == "Conv" and at % 3 == 0):
            name = node.output[0]
            if name not in kept:
                node.output[0] = f"{name}_pre"
                nodes.append(helper.make_node("Identity", [node.output[0]], [name], name=f"/v2/Identity_{at}"))
    model.producer_name = "another exporter"
    replace(model, nodes)


def replace(model, nodes):
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("bfloat16", "graph"):
        sys.exit(__doc__)
    model = onnx.load(sys.argv[2])
    {"bfloat16": bfloat16, "graph": graph}[sys.argv[1]](model)
    with open(sys.argv[3], "wb") as file:
        file.write(model.SerializeToString())


main()
