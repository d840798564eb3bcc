"""The Python side of `task bench encoders`: makes the model, times the peers.

    encoders.py make FOLDER             writes vision_model.onnx and its 8-bit form
    encoders.py measure FOLDER PICTURES pictures a second, one JSON line

The model is CLIP's ViT-B/32 image encoder with random weights: it costs what
the real one costs. Every rate is the median of three runs after one to warm up.
"""
import json
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from vision_model import random_model

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
VOCABULARY = 600  # more than the tests' tokenizer has
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def make(folder: Path) -> None:
    """Exports the model, and quantises its matrices to 8 bits."""
    from onnxruntime.quantization import quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "vision_model.onnx"
    batch = {0: "batch_size"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The newer exporter would need one more package.
        torch.onnx.export(
            random_model(), (torch.zeros(2, 3, 224, 224),), str(whole), dynamo=False,
            input_names=["pixel_values"], output_names=["image_embeds"],
            dynamic_axes={"pixel_values": batch, "image_embeds": batch},
        )
    # Only pictures are measured: this text model adds up its tokens' vectors.
    for name in ["text_model.onnx", "text_model_quantized.onnx"]:
        torch.onnx.export(
            torch.nn.EmbeddingBag(VOCABULARY, 512, mode="sum"), (torch.zeros(1, 3, dtype=torch.int64),),
            str(folder / name), dynamo=False, input_names=["input_ids"], output_names=["text_embeds"],
            dynamic_axes={"input_ids": {0: "batch_size", 1: "length"}, "text_embeds": batch},
        )
    # Matrix products only: the one convolution takes no time to speak of.
    quantize_dynamic(whole, folder / "vision_model_quantized.onnx", op_types_to_quantize=["MatMul"])
    print(json.dumps({"made": str(whole)}))


def preprocess(path: str) -> np.ndarray:
    """CLIP's preprocessing, as Python does it: Pillow and NumPy."""
    image = Image.open(path).convert("RGB")
    scale = 224 / min(image.size)
    size = [round(side * scale) for side in image.size]
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - 224) // 2, (size[1] - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
    return ((pixels - MEAN) / STD).transpose(2, 0, 1)


class Pictures(Dataset):
    """Files as the model's input, for DataLoader's worker processes."""

    def __init__(self, paths: list[str]):
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        return torch.from_numpy(np.ascontiguousarray(preprocess(self.paths[index])))


def rate(run, count: int, runs: int = 3) -> float:
    """Pictures a second, of `count` pictures a run."""
    run()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return round(count / statistics.median(seconds), 2)


def measure(folder: Path, pictures: Path) -> None:
    paths = [str(path) for path in sorted(pictures.glob("*.jpg"))]
    few, some = paths[:8], paths[:64]
    model = random_model()

    def one_at_a_time():
        for path in few:
            vector = model(torch.from_numpy(preprocess(path))[None])[0]
            vector / vector.norm()

    def batches(dtype=torch.float32):
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            for batch in DataLoader(Pictures(some), batch_size=32, num_workers=2):
                vectors = model(batch)
                vectors / vectors.norm(dim=1, keepdim=True)

    data = np.stack([preprocess(path) for path in paths[:8]]).astype(np.float32)

    def onnx(name: str):
        session = onnxruntime.InferenceSession(str(folder / name))
        return lambda: session.run(None, {"pixel_values": data})

    with torch.inference_mode():
        rates = {
            "PyTorch fp32, one at a time": rate(one_at_a_time, len(few)),
            "PyTorch fp32, batch 32, DataLoader": rate(batches, len(some)),
            "PyTorch bf16, batch 32, DataLoader": rate(lambda: batches(torch.bfloat16), len(some)),
        }
    rates["onnxruntime Python fp32, batch 8, model only"] = rate(onnx("vision_model.onnx"), 8, 9)
    rates["onnxruntime Python int8, batch 8, model only"] = rate(onnx("vision_model_quantized.onnx"), 8, 9)
    print(json.dumps({"torch": torch.__version__, "onnxruntime": onnxruntime.__version__, "rates": rates}))


if __name__ == "__main__":
    command, *folders = sys.argv[1:]
    {"make": make, "measure": measure}[command](*map(Path, folders))
