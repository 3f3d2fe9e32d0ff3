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
        "smallest": [(int(row), float(norms[row])) for row in order[:5]],
        "largest": [(int(row), float(norms[row])) for row in order[:-6:-1]],
        "mean_cosine": (units @ units - nonzero) / (nonzero * (nonzero - 1)),
        "outliers": outliers(means, stds),
        "counted": int(buckets.sum()),
        "histogram": histogram(buckets, low[0], high[0]),
    }


def outliers(means, stds):
    mean_scores, std_scores = robust(means), robust(stds)
    extremity = np.maximum(np.abs(mean_scores), np.abs(std_scores))
    found = np.flatnonzero(extremity > 6)
    found = found[np.argsort(-extremity[found], kind="stable")]
    return np.stack([found, means[found], stds[found], mean_scores[found], std_scores[found]], axis=1).tolist()


def robust(values):
    center = np.median(values)
    return (values - center) / (1.4826 * np.median(np.abs(values - center)))


def histogram(buckets, low, high):
    """The bins of src/core/histogram.ts: a power of two wide, the outermost thousandths of the values in one bin each."""
    magnitudes = (np.arange(0x7F81, dtype=np.uint32) << 16).view(np.float32).astype(np.float64)
    magnitudes[-1] = 2.0**128
    counts = np.concatenate([buckets[0x8000:0xFF80][::-1], buckets[:0x7F80]])
    ends = np.concatenate([-magnitudes[::-1], magnitudes[1:]])  # bucket i lies between ends[i] and ends[i + 1]
    tail = 0.001 * counts.sum()
    least = ends[np.argmax(np.cumsum(counts) > tail)]
    most = ends[len(counts) - np.argmax(np.cumsum(counts[::-1]) > tail)]
    step = 2.0 ** np.ceil(np.log2(max(most - least, 2.0**-133) / 40))
    step = max(step, 2.0 ** (np.floor(np.log2(max(abs(least), abs(most)))) - 7))
    while np.ceil(most / step) - np.floor(least / step) > 40:
        step *= 2
    first = int(np.floor(least / step))
    bins = max(1, int(np.ceil(most / step)) - first)
    index = np.floor(ends[:-1] / step) - first
    index[0x7F7F] = -first  # next to -0: counts as 0
    index = np.clip(index, -1, bins).astype(np.int64) + 1
    sums = np.bincount(index, weights=counts, minlength=bins + 2)
    edges = [low, *((first + np.arange(bins + 1)) * step).tolist(), high]
    return [(edges[i], edges[i + 1], int(sums[i])) for i in range(bins + 2)]


path, offset, rows, dim = sys.argv[1], *map(int, sys.argv[2:5])
for _ in range(int(sys.argv[5]) if len(sys.argv) > 5 else 1):
    started = time.perf_counter()
    found = measure(path, offset, rows, dim)
    if len(sys.argv) > 5:
        print((time.perf_counter() - started) * 1000, file=sys.stderr)
print(json.dumps(found))
