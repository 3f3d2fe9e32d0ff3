/** The library entry of emb: open a model, look rows up, tokenize. */
import type { Model, Tokenizer } from './types.ts';

export { EmbError, type ErrorCode } from './errors.ts';
export type {
  Config,
  EmbeddingTable,
  EncodeOptions,
  IdSink,
  Layer,
  Matrix,
  Model,
  RowBlock,
  TensorInfo,
  Token,
  Tokenizer,
} from './types.ts';

/** How a model is opened; the scratch options are for a call without REF. */
export interface OpenOptions {
  /** This tensor is the input table. */
  tensor?: string;
  /** Gets what the command line prints as notes. */
  note?(message: string): void;
  vocab?: number;
  dim?: number;
  seed?: bigint | string;
  std?: number;
  paddingIdx?: number;
  init?: 'torch' | 'torch-scalar' | 'numpy';
}

/**
 * Opens a model folder or file, `org/name` of the hub, `ollama:name`, a URL; without a REF the scratch layer (a table drawn as torch.nn.Embedding draws it, the gpt2 tokenizer).
 * @throws EmbError "missing", "corrupt" or "unsupported"
 */
export async function openModel(ref?: string, options: OpenOptions = {}): Promise<Model> {
  if (ref !== undefined) {
    const opening = await import('./model/open.ts');
    return opening.openModel(ref, { tensor: options.tensor, note: options.note, env: process.env });
  }
  const { openScratch } = await import('./model/scratch.ts');
  return openScratch({ ...options, tokenizer: () => openTokenizer('gpt2') });
}

/**
 * Opens a tokenizer: a built-in encoding (gpt2, cl100k_base, ...), a preset's, a tokenizer file, or a model's.
 * @throws EmbError "missing" for an unknown name
 */
export async function openTokenizer(
  ref: string,
  note: (message: string) => void = () => {},
): Promise<Tokenizer> {
  const opening = await import('./model/tokenizer-ref.ts');
  return opening.openTokenizer(ref, note, process.env);
}
