/**
 * Names of tokens that are control tokens whatever kind a file gives them: ends of texts and turns, and marks of code to fill in.
 *
 * Source: the lists that llama_vocab::impl::load in src/llama-vocab.cpp of ggml-org/llama.cpp tells special tokens by.
 */
export const controlNames: ReadonlySet<string> = new Set([
  ...'<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <|flush|> <|calls|> <end_of_turn> <|endoftext|> </s> <|eom_id|>'.split(
    ' ',
  ),
  ...'<EOT> _<EOT> [EOT] [EOS] <|end_of_text|> <end_of_utterance> <eos> <turn|> <|tool_response> [e~['.split(
    ' ',
  ),
  '<｜end▁of▁sentence｜>',
  ...'<|fim_prefix|> <fim-prefix> <fim_prefix> <PRE> <|code_prefix|> <|prefix|>'.split(' '),
  ...'<|fim_suffix|> <fim-suffix> <fim_suffix> <SUF> <|code_suffix|> <|suffix|>'.split(' '),
  ...'<|fim_middle|> <fim-middle> <fim_middle> <MID> <|code_middle|> <|middle|>'.split(' '),
  ...'▁<PRE> ▁<SUF> ▁<MID> <｜fim▁begin｜> <｜fim▁hole｜> <｜fim▁end｜>'.split(' '),
  ...'<|fim_pad|> <fim-pad> <fim_pad> <PAD> [PAD] <|fim_repo|> <|repo_name|> <fim-repo> <REPO> <reponame> <|file_sep|>'.split(
    ' ',
  ),
]);

/** Names of tokens that are always parsed and always shown: the marks of the harmony format. */
export const userDefinedNames: ReadonlySet<string> = new Set([
  '<|channel|>',
  '<|message|>',
  '<|start|>',
  '<|constrain|>',
]);
