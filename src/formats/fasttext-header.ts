import { EmbError } from '../errors.ts';
import type { Fields } from './fasttext-fields.ts';

/** How a model was trained, as its file begins. */
export interface FasttextArguments {
  /** From before models had a magic number and a version. */
  isOld: boolean;
  /** 11 or 12; 0 for old models. */
  version: number;
  dim: number;
  /** cbow, skipgram or supervised. */
  model: string;
  /** Longest and shortest n-gram; 0 for none. */
  minn: number;
  maxn: number;
  buckets: number;
  /** All of them, as fastText names them. */
  all: ReadonlyMap<string, unknown>;
}

const magicNumber = 793712314;
const losses = ['hs', 'ns', 'softmax', 'ova'];
const models = ['cbow', 'skipgram', 'supervised'];

/** Longest n-gram, in characters; fastText's own default is 6. */
const longestNgram = 64;

/** Widest row that is read; published models have 300. */
const widest = 1 << 16;

/** Reads the magic number, the version and the training arguments. @throws EmbError "unsupported" for another version */
export async function readArguments(fields: Fields, name: string): Promise<FasttextArguments> {
  const first = await fields.i32('magic number');
  const second = await fields.i32('version');
  const isOld = first !== magicNumber;
  if (!isOld && second !== 11 && second !== 12) {
    throw new EmbError('unsupported', `${name}: fastText version is ${second}, expected 11 or 12`);
  }
  const dim = isOld ? first : await fields.i32('dim');
  const all = new Map<string, unknown>([['dim', dim]]);
  all.set('ws', isOld ? second : await fields.i32('ws'));
  for (const key of ['epoch', 'minCount', 'neg', 'wordNgrams']) all.set(key, await fields.i32(key));
  const loss = named(losses, await fields.i32('loss'), 'loss', name);
  const model = named(models, await fields.i32('model'), 'model', name);
  all.set('loss', loss).set('model', model);
  for (const key of ['bucket', 'minn', 'maxn', 'lrUpdateRate']) all.set(key, await fields.i32(key));
  all.set('t', await fields.f64('t'));
  // Supervised models of version 11 were trained without n-grams, whatever stands there.
  if (second === 11 && !isOld && model === 'supervised') all.set('maxn', 0);
  const [minn, maxn, buckets] = ['minn', 'maxn', 'bucket'].map((key) => all.get(key) as number) as [
    number,
    number,
    number,
  ];
  checkRange('dim', dim, 1, widest, name);
  checkRange('minn', minn, 0, longestNgram, name);
  checkRange('maxn', maxn, 0, longestNgram, name);
  checkRange('bucket', buckets, 0, 2 ** 31, name);
  return { isOld, version: isOld ? 0 : second, dim, model, minn, maxn, buckets, all };
}

function named(names: readonly string[], value: number, what: string, name: string): string {
  const found = names[value - 1];
  if (found !== undefined) return found;
  throw new EmbError(
    'corrupt',
    `${name}: "${what}" is ${value}, expected 1 to ${names.length} (${names.join(', ')})`,
  );
}

function checkRange(what: string, value: number, least: number, most: number, name: string): void {
  if (value >= least && value <= most) return;
  throw new EmbError('corrupt', `${name}: "${what}" is ${value}, expected ${least} to ${most}`);
}
