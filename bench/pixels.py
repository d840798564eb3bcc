"""The Python side of `task bench pixels`: NumPy, in three widths of number.

    pixels.py PICTURES MEASURED LENGTH    milliseconds a query, one JSON line

- float64, as the seed projects did, row by row, which is faster than all rows
  at once: what lies between two steps stays in the cache.
- float32, the best way: products by BLAS and kept sums, L1 a piece at a time.
- uint8, which reads a fourth of that: L1 by the faster of two ways to take
  differences of bytes without overflow, products of pieces made floats.

Measured over MEASURED pictures, for memory's sake, and scaled to PICTURES: the
time is proportional to them. The median of five runs.
"""
import json
import statistics
import sys
import time

import numpy as np

pictures, measured, length = map(int, sys.argv[1:])
random = np.random.default_rng(1)
bytes_ = random.integers(0, 256, (measured, length), dtype=np.uint8)
query_bytes = random.integers(0, 256, length, dtype=np.uint8)
epsilon = np.finfo(float).eps
# Numbers a piece: with what is made of it, it stays in the cache.
PIECE = 1 << 15
pieces = [slice(at, at + PIECE) for at in range(0, length, PIECE)]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + epsilon)


def milliseconds(run) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000 * pictures / measured


def float64() -> dict:
    gallery, query = bytes_.astype(np.float64), query_bytes.astype(np.float64)
    metrics = {
        "l1": lambda row: np.abs(row - query).sum(),
        "l2": lambda row: np.square(row - query).mean(),
        "cosine": lambda row: cosine(row, query),
        "correlation": lambda row: cosine(row - row.mean(), query - query.mean()),
    }

    def by(metric):
        return milliseconds(lambda: [metric(row) for row in gallery])

    return {name: by(metric) for name, metric in metrics.items()}


def by_products(product, gallery: np.ndarray, query: np.ndarray) -> dict:
    """L2, cosine and correlation from products, each row's sums kept."""
    sums = gallery.sum(axis=1, dtype=np.float64)
    squares = np.array([np.square(row, dtype=np.float64).sum() for row in gallery])
    total = query.sum(dtype=np.float64)
    own = np.square(query, dtype=np.float64).sum()
    spread = np.sqrt((squares - sums**2 / length) * (own - total**2 / length))
    metrics = {
        "l2": lambda: np.sqrt(np.maximum(squares + own - 2 * product(), 0)),
        "cosine": lambda: product() / np.sqrt(squares * own),
        "correlation": lambda: (product() - sums * total / length) / spread,
    }
    return {name: milliseconds(metric) for name, metric in metrics.items()}


def float32() -> dict:
    gallery, query = bytes_.astype(np.float32), query_bytes.astype(np.float32)

    def l1():
        for row in gallery:
            sum(np.abs(row[piece] - query[piece]).sum() for piece in pieces)

    products = by_products(lambda: gallery @ query, gallery, query)
    return {"l1": milliseconds(l1), **products}


def uint8() -> dict:
    query = query_bytes.astype(np.float32)

    def piecewise(difference):
        for row in bytes_:
            for piece in pieces:
                a, b = row[piece], query_bytes[piece]
                difference(a, b).sum(dtype=np.uint32)

    def l1():
        return min(
            milliseconds(lambda: piecewise(difference))
            for difference in (
                lambda a, b: np.maximum(a, b) - np.minimum(a, b),
                lambda a, b: np.abs(np.subtract(a, b, dtype=np.int16)),
            )
        )

    def product():
        return sum(
            bytes_[:, piece].astype(np.float32) @ query[piece] for piece in pieces
        )

    return {"l1": l1(), **by_products(product, bytes_, query_bytes)}


print(json.dumps({run.__name__: run() for run in (float64, float32, uint8)}))
