import type { Context } from '../command.ts';
import type { EmbeddingTable, Token, Tokenizer } from '../types.ts';
import { encodedBy, encodeOptions, truncated, truncatedGiven, truncatedIds } from './token-rows.ts';

/** Formats that print no token: for them no token object is made. */
export const vectorFormats = ['npy', 'f32', 'torch', 'numpy'];

/** One text or id sequence, looked up. */
export interface Sequence {
  row: number;
  ids: Uint32Array;
  /** Null for sequences that came as ids. */
  text: string | null;
  tokens?: Token[];
}

/** The texts of the input as ids, or the ids that it gives. */
export async function* sequences(
  context: Context,
  table: EmbeddingTable,
  tokenizer: Tokenizer | undefined,
  asIds: boolean,
): AsyncGenerator<Sequence> {
  if (asIds) {
    const needed = async () => tokenizer ?? context.tokenizer(undefined);
    for await (const { row, ids } of context.idSequences(table.rows, needed)) {
      yield { row, ids: truncatedGiven(ids, row, context), text: null };
    }
    return;
  }
  const options = encodeOptions(context.options);
  const namesTokens = !vectorFormats.includes(context.format);
  const sink = { ids: new Uint32Array(256), length: 0 };
  for await (const input of context.texts()) {
    const { row, ids: known } = input;
    if (known !== undefined) {
      yield {
        row,
        text: input.text,
        ids: truncatedGiven(known, row, context),
      };
      continue;
    }
    if (namesTokens) {
      const encoded = encodedBy(context, input, (text) => tokenizer!.encode(text, options));
      if (encoded === undefined) continue;
      const tokens = truncated(encoded, row, context, tokenizer!);
      yield { row, text: input.text, tokens, ids: Uint32Array.from(tokens, (token) => token.id) };
    } else {
      sink.length = 0;
      const encoded = encodedBy(context, input, (text) => {
        tokenizer!.encodeIds(text, sink, options);
        return sink.ids.slice(0, sink.length);
      });
      if (encoded === undefined) continue;
      const ids = truncatedIds(encoded, row, context, tokenizer!);
      yield { row, text: input.text, ids };
    }
  }
}

/** --pad needs the longest sequence first; torch and numpy print id sequences of one length as one batch. */
export interface Source {
  sequences: AsyncIterable<Sequence>;
  padTo?: number;
  batched: boolean;
  /** Tokens of each sequence, where all are known before the first row is. */
  lengths?: number[];
}

/** Collects the sequences where the output needs them all first, or begins with their number and nothing has to be read for it. */
export async function collected(source: AsyncGenerator<Sequence>, context: Context): Promise<Source> {
  const pads = context.options.pad === true && (context.options.pool ?? 'none') === 'none';
  const batches = context.inputKind() === 'ids' && (context.format === 'torch' || context.format === 'numpy');
  const counts = context.format === 'npy' && context.inputIsGiven();
  if (!pads && !batches && !counts) return { sequences: source, batched: false };
  const all: Sequence[] = [];
  for await (const sequence of source) all.push(sequence);
  const longest = all.reduce((length, sequence) => Math.max(length, sequence.ids.length), 0);
  const even = all.every((sequence) => sequence.ids.length === longest);
  async function* replay() {
    yield* all;
  }
  const lengths = all.map((sequence) => sequence.ids.length);
  return { sequences: replay(), padTo: pads ? longest : undefined, batched: batches && even, lengths };
}
