"""The same pictures by img2dataset, for bench/download.ts: downloaded, shrunk to
256 pixels on the longer side, written as JPEG files.

usage: list_to_pictures.py LIST.csv FOLDER THREADS
Prints {"pictures": 2500, "seconds": 30.1, "cpuMs": 40000.5}: from the call to its
return, and of all its processes.
"""

import glob
import json
import os
import resource
import sys
import time

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

from img2dataset import download

if __name__ == "__main__":
    urls, folder, threads = sys.argv[1:]
    with open(urls) as lines:
        count = len(lines.readlines()) - 1
    start = time.perf_counter()
    download(
        url_list=urls,
        input_format="csv",
        url_col="url",
        output_folder=folder,
        output_format="files",
        image_size=256,
        resize_mode="keep_ratio_largest",
        # One shard each: to begin one takes seconds.
        processes_count=2,
        number_sample_per_shard=(count + 1) // 2,
        thread_count=int(threads),
        enable_wandb=False,
    )
    seconds = time.perf_counter() - start
    pictures = len(glob.glob(os.path.join(folder, "*", "*.jpg")))
    used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_ms = 1000 * sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps({"pictures": pictures, "seconds": seconds, "cpuMs": cpu_ms}))
