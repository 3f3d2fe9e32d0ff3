import type { SentencePieceModel } from './sentencepiece-model.ts';
import type { CutNumber } from './sentencepiece-words.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Numbers that are remembered. */
const mostNumbers = 10_000;

/**
 * A piece that ends in a digit and a comma: the comma is a piece of its own, and what is before it is cut again.
 *
 * `piecesOf` gives the pieces of a text as `sentencepiece` has them.
 * Source: _tokenize of transformers' tokenization_albert.py.
 */
export function createCutNumber(model: SentencePieceModel, piecesOf: (text: string) => string[]): CutNumber {
  const numbers = new Map<string, number[]>();
  const idOf = (piece: string): number => {
    const bytes = encoder.encode(piece);
    const id = model.index.find(bytes, 0, bytes.length);
    return id < 0 ? model.unknownId : id;
  };
  return (bytes) => {
    const text = decoder.decode(bytes);
    if (!/[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2089\u2460-\u2468],$/u.test(text)) return undefined;
    let known = numbers.get(text);
    if (known === undefined) {
      const names = piecesOf(text.slice(0, -1).replaceAll('▁', ''));
      if (!text.startsWith('▁') && names[0]?.startsWith('▁')) names[0] = names[0].slice(1);
      known = [...names.filter((name) => name !== ''), ','].map(idOf);
      if (numbers.size < mostNumbers) numbers.set(text, known);
    }
    return known;
  };
}
