import { seededRandom } from './fuzz-text.ts';
import type { FileJson } from './tokenizer-json-oracle.ts';

/** Printable ASCII, quote and backslash among it. */
export const letters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i));

/** A file with 6,000 merges, each of two earlier tokens, numbered in their order. */
export function largeFile(): FileJson {
  const random = seededRandom(5);
  const pieces = [...letters, 'Ġ', 'Ċ', 'Ã', '©'];
  const known = new Set(pieces);
  const merges: [string, string][] = [];
  const pick = () => pieces[Math.floor(random() * pieces.length)];
  while (merges.length < 6000) {
    const [left, right] = [pick(), pick()];
    if (left.length + right.length > 6 || known.has(left + right)) continue;
    known.add(left + right);
    pieces.push(left + right);
    merges.push([left, right]);
  }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges,
    },
  };
}

/** The file as one can write it. */
const forms: Record<string, (file: FileJson) => string> = {
  pairs: (file) => JSON.stringify(file),
  'indented pairs': (file) => JSON.stringify(file, null, 2),
  lines: (file) => {
    file.model.merges = file.model.merges.map((pair: string[]) => pair.join(' '));
    return JSON.stringify(file, null, 2);
  },
  'lines after a version': (file) => {
    file.model.merges = ['#version: 0.2', ...file.model.merges.map((pair: string[]) => pair.join(' '))];
    return JSON.stringify(file);
  },
  'escaped units': (file) =>
    JSON.stringify(file).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'ids with gaps': (file) => {
    const { vocab } = file.model;
    for (const piece of Object.keys(vocab)) vocab[piece] += vocab[piece] > 3000 ? 7 : 0;
    return JSON.stringify(file);
  },
  'ids in another order': (file) => {
    const { vocab } = file.model;
    const top = Object.keys(vocab).length - 1;
    for (const piece of Object.keys(vocab)) vocab[piece] = top - vocab[piece];
    return JSON.stringify(file);
  },
  'a merge that stands twice': (file) => {
    file.model.merges.push(file.model.merges[10]);
    return JSON.stringify(file);
  },
  'every split of every token': (file) => {
    file.model.merges = everySplit(file);
    return JSON.stringify(file, null, 2);
  },
  'every split of every token, as lines': (file) => {
    file.model.merges = everySplit(file).map((pair) => pair.join(' '));
    return JSON.stringify(file);
  },
  'a split that stands twice': (file) => {
    const merges = everySplit(file);
    merges.splice(5000, 0, merges[4999]!);
    file.model.merges = merges;
    return JSON.stringify(file);
  },
};

/** As lists that are made from ranks have them: all pairs of tokens that make a token, by its id, then by theirs. */
function everySplit(file: FileJson): [string, string][] {
  const ids = new Map<string, number>(Object.entries(file.model.vocab));
  // JavaScript lists keys that are numbers first.
  const pieces = [...ids.keys()].sort((a, b) => ids.get(a)! - ids.get(b)!);
  return pieces.flatMap((piece) =>
    Array.from(piece, (_, at): [string, string] => [piece.slice(0, at), piece.slice(at)])
      .filter(([left, right]) => ids.has(left) && ids.has(right))
      .sort((a, b) => ids.get(a[0])! - ids.get(b[0])! || ids.get(a[1])! - ids.get(b[1])!),
  );
}

/** JSON of a file with thousands of merges, by how it is written. */
export const manyMerges: Record<string, () => string> = Object.fromEntries(
  Object.entries(forms).map(([form, write]) => [form, () => write(largeFile())]),
);
