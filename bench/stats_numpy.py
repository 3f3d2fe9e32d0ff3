"""What `emb stats` computes for a float32 table, by NumPy, block by block. Usage: stats_numpy.py FILE OFFSET ROWS DIM [ROUNDS]

Prints one line of JSON; with ROUNDS the time of each in milliseconds on stderr, for comparisons without start-up.
"""

import json
import sys
import time

import numpy as np

BLOCK_ROWS = 128  # 384 KiB of float32, the fastest of 32 to 4096 here


def measure(path, offset, rows, dim):
    every = 1
    while rows * dim / (every * 2) >= 2**22:
        every *= 2
    sums, squares, units = np.zeros(dim), np.zeros(dim), np.zeros(dim)
    buckets = np.zeros(65536, np.int64)
    norms = np.empty(rows)
    low, high = (np.inf, 0, 0), (-np.inf, 0, 0)
    nan = infinite = 0
    single = np.empty((BLOCK_ROWS, dim), np.float32)
    wide = np.empty((BLOCK_ROWS, dim))
    with open(path, "rb", buffering=0) as file:
        file.seek(offset)
        for start in range(0, rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, rows - start)
            block, x = single[:count], wide[:count]
            file.readinto(memoryview(block).cast("B"))
            x[:] = block
            row_squares = np.einsum("ij,ij->i", x, x)
            if not np.isfinite(row_squares).all():
                finite = np.isfinite(x)
                nan += int(np.isnan(x).sum())
                infinite += int(np.isinf(x).sum())
                x[~finite] = 0
            norms[start : start + count] = np.sqrt(row_squares)
            sums += x.sum(axis=0)
            squares += np.einsum("ij,ij->j", x, x)
            with np.errstate(divide="ignore"):
                inverse = np.where(row_squares > 0, 1 / np.sqrt(row_squares), 0)
            units += inverse @ x
            if (least := block.min()) < low[0]:
                low = (float(least), start + int(block.argmin()) // dim, int(block.argmin()) % dim)
            if (most := block.max()) > high[0]:
                high = (float(most), start + int(block.argmax()) // dim, int(block.argmax()) % dim)
            counted = block[(-start) % every :: every]
            buckets += np.bincount((counted.view(np.uint32) >> 16).ravel(), minlength=65536)
    mean = sums.sum() / (rows * dim)
    means = sums / rows
    stds = np.sqrt(squares / rows - means**2)
    order = np.argsort(norms, kind="stable")
    nonzero = int((norms > 0).sum())
    return {
        "nan": nan,
        "inf": infinite,
        "zero_rows": rows - nonzero,
        "mean": mean,
        "std": float(np.sqrt(squares.sum() / (rows * dim) - mean**2)),
        "min": low,
        "max": high,
        "norm_mean": norms.mean(),
        "norm_std": norms.std(),
        "smallest": order[:5].tolist(),
        "largest": order[-5:].tolist(),
        "mean_cosine": (units @ units - nonzero) / (nonzero * (nonzero - 1)),
        "outliers": int((np.abs(robust(means)) > 6).sum() + (np.abs(robust(stds)) > 6).sum()),
        "counted": int(buckets.sum()),
    }


def robust(values):
    center = np.median(values)
    return (values - center) / (1.4826 * np.median(np.abs(values - center)))


path, offset, rows, dim = sys.argv[1], *map(int, sys.argv[2:5])
for _ in range(int(sys.argv[5]) if len(sys.argv) > 5 else 1):
    started = time.perf_counter()
    found = measure(path, offset, rows, dim)
    if len(sys.argv) > 5:
        print((time.perf_counter() - started) * 1000, file=sys.stderr)
print(json.dumps(found))
