"""The Python side of `task bench vectors`: the same vectors, one JSON line.

    vectors.py exact FILE QUERIES               NumPy in float32, faiss flat
    vectors.py hnsw FILE QUERIES RECALL EF,...  hnswlib, M 16, efConstruction 100
    vectors.py chroma FILE QUERIES COUNT PORT   Chroma's client

The last QUERIES rows of FILE are the queries, the others the gallery. Each
library may use all cores. Times are medians of a query; hnswlib is asked with
the first efSearch that reaches RECALL. Of Chroma's batches, 2,000 rows and as
many as the server takes, the faster counts.
"""
import json
import statistics
import sys
import time

import numpy as np

K = 10


def measure(run, inputs, warmed: int = 5) -> list[float]:
    for value in inputs[:warmed]:
        run(value)
    times = []
    for value in inputs:
        start = time.perf_counter()
        run(value)
        times.append((time.perf_counter() - start) * 1000)
    return times


def nearest(gallery: np.ndarray, query: np.ndarray) -> np.ndarray:
    values = gallery @ query
    best = np.argpartition(values, -K)[-K:]
    return best[np.argsort(-values[best])]


def nearest_of_batch(gallery: np.ndarray, queries: np.ndarray) -> np.ndarray:
    return np.argpartition(queries @ gallery.T, -K, axis=1)[:, -K:]


def nearest_l1(gallery: np.ndarray, query: np.ndarray) -> np.ndarray:
    # Block by block, so that what lies between two steps stays in the cache.
    values = np.concatenate([
        np.abs(block - query).sum(axis=1)
        for block in np.array_split(gallery, max(1, len(gallery) // 256))
    ])
    return np.argpartition(values, K)[:K]


def exact(gallery: np.ndarray, queries: np.ndarray) -> dict:
    import faiss

    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    some = list(queries[:50])
    batches = [queries[:100]] * 3
    return {
        "numpy": statistics.median(measure(lambda q: nearest(gallery, q), some)),
        "faiss": statistics.median(
            measure(lambda q: index.search(q[None], K), some)
        ),
        "l1": statistics.median(
            measure(lambda q: nearest_l1(gallery, q), some[:5], 1)
        ),
        "numpyBatch": statistics.median(
            measure(lambda q: nearest_of_batch(gallery, q), batches, 1)
        ) / len(batches[0]),
        "faissBatch": statistics.median(
            measure(lambda q: index.search(q, K), batches, 1)
        ) / len(batches[0]),
    }


def hnsw(gallery: np.ndarray, queries: np.ndarray, recall: str, efs: str) -> dict:
    import hnswlib

    index = hnswlib.Index("ip", gallery.shape[1])
    index.init_index(len(gallery), M=16, ef_construction=100)
    start = time.perf_counter()
    index.add_items(gallery)
    seconds = time.perf_counter() - start
    truth = [set(nearest(gallery, query).tolist()) for query in queries]
    result = {}
    for ef in map(int, efs.split(",")):
        index.set_ef(ef)
        found = []

        def ask(query):
            found.append(index.knn_query(query, K)[0][0].tolist())

        times = measure(ask, queries, 0)
        shares = [len(true & set(ids)) / K for true, ids in zip(truth, found)]
        result = {
            "ef": ef,
            "recall": statistics.mean(shares),
            "ms": statistics.median(times),
            "p95": sorted(times)[int(0.95 * len(times))],
        }
        if result["recall"] >= float(recall):
            break
    return {"seconds": seconds, **result}


def chroma(gallery: np.ndarray, queries: np.ndarray, count: str, port: str) -> dict:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.HttpClient(
        "127.0.0.1", int(port), settings=Settings(anonymized_telemetry=False)
    )
    ids = [str(row) for row in range(int(count))]

    def add(size: int, beside: bool) -> float:
        nonlocal collection
        collection = client.create_collection(
            f"peer-{size}-{beside}", configuration={"hnsw": {"space": "cosine"}}
        )
        start = time.perf_counter()
        for at in range(0, len(ids), size):
            rows = slice(at, min(at + size, len(ids)))
            # A number beside each vector, as ours has its fingerprint there.
            numbers = [{"fingerprint": hash(id)} for id in ids[rows]]
            collection.add(
                ids=ids[rows],
                embeddings=gallery[rows],
                metadatas=numbers if beside else None,
            )
        return time.perf_counter() - start

    collection = None
    sizes = (2000, client.get_max_batch_size())
    with_numbers = min(add(size, True) for size in sizes)
    seconds = min(add(size, False) for size in sizes)
    times = measure(
        lambda query: collection.query(
            query_embeddings=[query], n_results=K, include=["distances"]
        ),
        queries,
        20,
    )
    return {
        "seconds": seconds,
        "withNumbers": with_numbers,
        "ms": statistics.median(times),
        "p95": sorted(times)[int(0.95 * len(times))],
    }


what, file, queries, *rest = sys.argv[1:]
vectors = np.load(file)
gallery, queries = vectors[: -int(queries)], vectors[-int(queries) :]
run = {"exact": exact, "hnsw": hnsw, "chroma": chroma}[what]
print(json.dumps(run(gallery, queries, *rest)))
