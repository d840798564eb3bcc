"""Reads weights in PyTorch's older file format, without PyTorch.

Five pickles in a row (magic number, version, sizes of types, the dictionary of
tensors, the order of the storages), then each storage: a count and the raw
numbers. A pickle can name any function to be called on loading, so the reader
below knows four names and refuses every other.

    read_weights(file)["_fc.bias"]   # array of shape (1000,)
"""

import pickle
import struct
from collections import OrderedDict

import numpy as np


class Storage:
    """A flat run of numbers that one or more tensors look into."""

    def __init__(self, dtype, count):
        self.dtype, self.count, self.numbers = np.dtype(dtype), count, None


class Tensor:
    """A window on a storage: where it begins, its shape, its steps."""

    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset = storage, offset
        self.shape, self.strides = shape, strides

    def array(self):
        """The tensor's numbers as a NumPy array; a window beyond them raises."""
        numbers = self.storage.numbers
        offset, *steps = (n * numbers.itemsize for n in (self.offset, *self.strides))
        return np.ascontiguousarray(
            np.ndarray(self.shape, numbers.dtype, numbers, offset, steps)
        )


class WeightsUnpickler(pickle.Unpickler):
    """Unpickles a dictionary of tensors and nothing else."""

    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"weights may not use {module}.{name}")
        return self.KNOWN[module, name]

    def persistent_load(self, key):
        _, dtype, name, _device, count, _view = key
        return self.storages.setdefault(name, Storage(dtype, count))


def read_weights(file):
    """Reads a state dictionary: {layer name: array}."""
    magic = WeightsUnpickler(file).load()
    if magic != 0x1950A86A20F9469CFC6C:
        raise ValueError("not a file in PyTorch's older format")
    WeightsUnpickler(file).load()  # version
    WeightsUnpickler(file).load()  # sizes of types
    unpickler = WeightsUnpickler(file)
    tensors = unpickler.load()
    for name in WeightsUnpickler(file).load():
        storage = unpickler.storages[name]
        (count,) = struct.unpack("<q", file.read(8))
        storage.numbers = np.frombuffer(
            file.read(storage.count * storage.dtype.itemsize), storage.dtype
        )
        if not count == storage.count == storage.numbers.size:
            raise ValueError(
                f"storage {name}: expected {storage.count} numbers, "
                f"got {storage.numbers.size} of {count}"
            )
    return {name: tensor.array() for name, tensor in tensors.items()}
