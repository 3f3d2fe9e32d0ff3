"""One tokenizer of PyPI: python3 tokenizers_python.py tokenizers|tiktoken|sentencepiece MODEL TEXT -> { ms, bytes, count, ids } as JSON.

Timed is the first call that turns the text into ids, on one thread, of sentencepiece line by line; loading is not.
MODEL is a tokenizer.json, ranks as `base64 rank` lines for tiktoken with cl100k_base's pattern, or a .model.
"""

import base64
import hashlib
import json
import os
import sys
import time
from array import array

os.environ["TOKENIZERS_PARALLELISM"] = "false"
library, path, text_path = sys.argv[1:4]
with open(text_path, encoding="utf-8", newline="") as file:
    text = file.read()

if library == "tokenizers":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    encode = lambda: tokenizer.encode(text, add_special_tokens=False).ids
elif library == "tiktoken":
    import tiktoken

    with open(path, "rb") as file:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in file)}
    with open(path + ".pattern", encoding="utf-8") as file:
        encoding = tiktoken.Encoding("bench", pat_str=file.read(), mergeable_ranks=ranks, special_tokens={})
    encode = lambda: encoding.encode_ordinary(text)
else:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=path)
    lines = text.split("\n")
    encode = lambda: [token for line in processor.encode(lines, num_threads=1) for token in line]

started = time.perf_counter()
ids = encode()
ms = (time.perf_counter() - started) * 1000
digest = hashlib.md5(array("I", ids).tobytes()).hexdigest()
print(json.dumps({"ms": ms, "bytes": len(text.encode()), "count": len(ids), "ids": digest}))
