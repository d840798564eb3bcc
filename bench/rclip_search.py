"""The Python side of `task bench command`: `rclip -n` over a folder.

    rclip_search.py FOLDER   one JSON line

Its index is filled with random vectors, and its query is one: the model is not
downloaded. What is timed is whole processes: imports, the index, the ranking.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import rclip.db
import rclip.main
import rclip.model

SIZE = rclip.model.Model.VECTOR_SIZE
random = np.random.default_rng(1)


def unit_vector() -> np.ndarray:
    values = random.random(SIZE, dtype=np.float32) - 0.5
    return values / np.linalg.norm(values)


def search() -> None:
    model = rclip.model.Model
    model.ensure_downloaded = lambda self: None
    model.compute_features_for_queries = lambda self, queries: (
        unit_vector() if queries else np.zeros(SIZE, np.float32))
    sys.argv = ["rclip", "-n", "-t", "10", "an animal"]
    rclip.main.main()


def fill(folder: str, data: str) -> None:
    index = rclip.db.DB(pathlib.Path(data) / "db.sqlite3")
    for path in sorted(pathlib.Path(folder).rglob("*.jpg")):
        stat = path.stat()
        index.upsert_image(rclip.db.NewImage(
            filepath=str(path), modified_at=stat.st_mtime, size=stat.st_size,
            vector=unit_vector().tobytes(), hash=path.name), commit=False)
    index.commit()
    index.close()


def median_ms(args: list, **options) -> float:
    times = []
    for _ in range(6):
        start = time.perf_counter()
        subprocess.run([sys.executable, *args], check=True,
                       stdout=subprocess.DEVNULL, **options)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def main() -> None:
    folder = sys.argv[1]
    with tempfile.TemporaryDirectory() as data:
        fill(folder, data)
        environment = {**os.environ, "RCLIP_DATADIR": data}
        whole = median_ms([__file__, "--search"], cwd=folder, env=environment)
    start = median_ms(["-c", "import rclip.main"])
    print(json.dumps({"wholeMs": whole, "startMs": start}))


if __name__ == "__main__":
    search() if sys.argv[1:] == ["--search"] else main()
