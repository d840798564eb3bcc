"""The same pictures by img2dataset, for bench/download.ts: downloaded, shrunk to
256 pixels on the longer side, written as JPEG files.

usage: list_to_pictures.py LIST.csv FOLDER THREADS
Prints {"pictures": 10000, "seconds": 30.1}: from the call to its return.
"""

import glob
import json
import os
import sys
import time

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

from img2dataset import download

if __name__ == "__main__":
    urls, folder, threads = sys.argv[1:]
    start = time.perf_counter()
    download(
        url_list=urls,
        input_format="csv",
        url_col="url",
        output_folder=folder,
        output_format="files",
        image_size=256,
        resize_mode="keep_ratio_largest",
        # One in each of two processes: 10,000 in shards of 1,000 keep both busy.
        processes_count=2,
        number_sample_per_shard=1000,
        thread_count=int(threads),
        enable_wandb=False,
    )
    seconds = time.perf_counter() - start
    pictures = len(glob.glob(os.path.join(folder, "*", "*.jpg")))
    print(json.dumps({"pictures": pictures, "seconds": seconds}))
