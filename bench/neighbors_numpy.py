"""Ten nearest of one row by cosine, one thread: neighbors_numpy.py FILE OFFSET ROWS DIM f32|bf16 whole|blocked, or ... memory."""

import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

path, offset, rows, dim, dtype = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
stored = np.memmap(path, "<f4" if dtype == "f32" else "<u2", "r", offset, (rows, dim))
how = sys.argv[6]
# As one writes it, or in blocks, which keeps the float32 copy of bf16 small.
block_rows = rows if how == "whole" else max(1, (1 << 22) // dim)


def floats(block):
    return block if dtype == "f32" else (block.astype(np.uint32) << 16).view(np.float32)


def top(query):
    scores = np.empty(rows, np.float32)
    for start in range(0, rows, block_rows):
        block = floats(stored[start : start + block_rows])
        norms = np.sqrt(np.einsum("ij,ij->i", block, block))
        scores[start : start + block_rows] = block @ query / norms
    best = np.argpartition(-scores, 10)[:10]
    return best[np.argsort(-scores[best])]


if how != "memory":
    print(*top(floats(stored[1000:1001])[0]))
else:
    # A line each: which, and how often. All with the whole table in memory.
    table = stored = np.array(floats(stored))
    block_rows = rows
    queries = np.ascontiguousarray(table[1000:1064])

    def product():
        table @ queries[0]

    def ten():
        top(queries[0])

    def many():
        scores = table @ queries.T
        np.argpartition(-scores, 10, axis=0)[:10]

    for line in sys.stdin:
        name, times = line.split()
        work = {"product": product, "ten": ten, "many": many}[name]
        work()
        for _ in range(int(times)):
            started = time.perf_counter()
            work()
            print((time.perf_counter() - started) * 1e3, end=" ")
        print(flush=True)
