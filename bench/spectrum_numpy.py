"""The products of all columns, one thread, the table in memory: spectrum_numpy.py FILE OFFSET ROWS DIM. Prints milliseconds."""

import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

path, offset, rows, dim = sys.argv[1], *map(int, sys.argv[2:5])
table = np.array(np.memmap(path, "<f4", "r", offset, (rows, dim)))
for round in range(2):
    started = time.perf_counter()
    table.T @ table
    elapsed = time.perf_counter() - started
print(elapsed * 1e3)
