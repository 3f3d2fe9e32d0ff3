"""Loads word vectors as text with pandas' C engine or gensim. Usage: words_python.py pandas|gensim FILE

Prints one line of JSON: milliseconds without start-up and imports, shape, sum of the values and versions.
"""

import json
import sys
import time

import numpy as np

kind, path = sys.argv[1:]
if kind == "pandas":
    import csv

    import pandas as library

    def load():
        frame = library.read_csv(
            path, sep=" ", header=None, index_col=0, quoting=csv.QUOTE_NONE, engine="c", na_filter=False
        )
        return frame.to_numpy(dtype=np.float32)

else:
    import gensim as library

    def load():
        return library.models.KeyedVectors.load_word2vec_format(path, no_header=True).vectors


start = time.perf_counter()
rows = load()
elapsed = (time.perf_counter() - start) * 1000
version = f"{kind} {library.__version__}, NumPy {np.__version__}"
print(json.dumps({"ms": elapsed, "shape": rows.shape, "sum": float(rows.sum(dtype=np.float64)), "version": version}))
