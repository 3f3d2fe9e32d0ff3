import { isUtf8 } from 'node:buffer';
import { EmbError } from '../errors.ts';
import { readVocabulary } from './tokenizer-json-entries.ts';
import { type FileMerges, readMerges } from './tokenizer-json-merges.ts';
import { JsonScanner } from './tokenizer-json-scanner.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';

/** A JSON object of a file's small parts, read with the checks below. */
export type Part = Readonly<Record<string, unknown>>;

/** Models whose vocabulary opens. */
const knownModels = ['BPE', 'WordPiece', 'Unigram', 'WordLevel'] as const;
export type ModelType = (typeof knownModels)[number];

/** What a tokenizer.json holds. */
export interface TokenizerFile {
  readonly name: string;
  readonly modelType: ModelType;
  /** The model's members but for the vocabulary and the merges. */
  readonly model: Part;
  readonly vocabulary: Vocabulary;
  /** Of a BPE model. */
  readonly merges: FileMerges | undefined;
  /** The merges were derived from ranks, by which people know them. */
  readonly namesRanksByIds?: boolean | undefined;
  readonly addedTokens: unknown;
  readonly normalizer: Part | undefined;
  readonly preTokenizer: Part | undefined;
  readonly postProcessor: Part | undefined;
  readonly decoder: Part | undefined;
  readonly truncation: Part | undefined;
  readonly padding: Part | undefined;
}

/** What is read apart from the other members: where it lies, or what it was read into before. */
export interface FileTables {
  /** [start, end) of every "vocab" and "merges" of a model. */
  places: number[];
  /** What those places, where a 0 stands, had. */
  kept?: { vocabulary: Vocabulary; merges: FileMerges | undefined };
}

/**
 * Reads a tokenizer.json without building its JSON: vocabulary and merges go straight into tables, the small parts through JSON.parse.
 *
 * Cost: a few passes over the bytes. Memory: about the file's size.
 * @throws EmbError "corrupt" for broken JSON or contradictions, "unsupported" for an unknown model type
 */
export function readTokenizerFile(
  name: string,
  bytes: Uint8Array,
  tables: FileTables = { places: [] },
): TokenizerFile {
  if (!isUtf8(bytes)) throw new EmbError('corrupt', `${name}: "bytes" are no UTF-8, expected JSON in UTF-8`);
  const scanner = new JsonScanner(name, bytes);
  const parts: Record<string, unknown> = {};
  let model: ModelParts | undefined;
  if (scanner.peek() !== 0x7b) scanner.fail("'{', the start of a tokenizer.json");
  scanner.members((key) => {
    if (key === 'model') model = readModel(scanner, tables);
    else if (smallParts.has(key)) parts[key] = scanner.value(key);
    else scanner.skipValue();
  });
  if (scanner.peek() >= 0) scanner.fail('the end of the file');
  if (model === undefined) throw new EmbError('corrupt', `${name}: "model" is missing, expected an object`);
  if (parts.version !== undefined && parts.version !== '1.0') {
    throw new EmbError(
      'unsupported',
      `${name}: "version" is ${JSON.stringify(parts.version)}, expected "1.0"`,
    );
  }
  return {
    name,
    ...model,
    addedTokens: parts.added_tokens,
    normalizer: optionalPart(name, 'normalizer', parts.normalizer),
    preTokenizer: optionalPart(name, 'pre_tokenizer', parts.pre_tokenizer),
    postProcessor: optionalPart(name, 'post_processor', parts.post_processor),
    decoder: optionalPart(name, 'decoder', parts.decoder),
    truncation: optionalPart(name, 'truncation', parts.truncation),
    padding: optionalPart(name, 'padding', parts.padding),
  };
}

const smallParts = new Set([
  'version',
  'added_tokens',
  'normalizer',
  'pre_tokenizer',
  'post_processor',
  'decoder',
  'truncation',
  'padding',
]);

type ModelParts = Pick<TokenizerFile, 'model' | 'modelType' | 'vocabulary' | 'merges'>;

function readModel(scanner: JsonScanner, { places, kept }: FileTables): ModelParts {
  const model: Record<string, unknown> = {};
  let vocabulary = kept?.vocabulary;
  let merges = kept?.merges;
  let mergesAt = -1;
  scanner.members((key) => {
    if (key !== 'vocab' && key !== 'merges') {
      model[key] = scanner.value(`model.${key}`);
      return;
    }
    scanner.peek();
    const start = scanner.at;
    if (kept !== undefined) scanner.skipValue();
    else if (key === 'vocab') vocabulary = readVocabulary(scanner);
    else if (vocabulary !== undefined && scanner.peek() === 0x5b && !hasPrefix(model))
      merges = readMerges(scanner, vocabulary);
    else {
      // Sorted keys put the merges before the vocabulary that they name.
      mergesAt = start;
      scanner.skipValue();
    }
    places.push(start, scanner.at);
  });
  if (vocabulary === undefined) {
    throw new EmbError('corrupt', `${scanner.name}: "model.vocab" is missing, expected an object`);
  }
  if (mergesAt >= 0) {
    const end = scanner.at;
    scanner.at = mergesAt;
    const prefix = model.continuing_subword_prefix;
    merges = readMerges(scanner, vocabulary, typeof prefix === 'string' ? prefix : '');
    scanner.at = end;
  }
  const modelType = modelTypeOf(scanner.name, model, merges !== undefined);
  if (modelType === 'BPE' && merges === undefined) {
    throw new EmbError('corrupt', `${scanner.name}: "model.merges" is missing, expected a list`);
  }
  return { modelType, model, vocabulary, merges };
}

/** A prefix that joined pieces lose; one that comes after the merges is refused with them, since no writer puts it there. */
function hasPrefix(model: Part): boolean {
  return typeof model.continuing_subword_prefix === 'string' && model.continuing_subword_prefix !== '';
}

/** Files from before 2020 have no "type"; they are told apart by their members, as Hugging Face's reader does. */
function modelTypeOf(name: string, model: Part, hasMerges: boolean): ModelType {
  const { type } = model;
  if (type === undefined) {
    if (hasMerges) return 'BPE';
    if ('unk_id' in model) return 'Unigram';
    return 'max_input_chars_per_word' in model ? 'WordPiece' : 'WordLevel';
  }
  const known = knownModels.find((candidate) => candidate === type);
  if (known === undefined) {
    throw new EmbError(
      'unsupported',
      `${name}: "model.type" is ${JSON.stringify(type)}, expected ${knownModels.join(', ')}`,
    );
  }
  return known;
}

/** An object, or undefined for null and for a missing member. @throws EmbError "corrupt" for anything else */
export function optionalPart(name: string, thing: string, value: unknown): Part | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value))
    return refuseType(name, thing, value, 'an object or null');
  return value as Part;
}

/** The elements of a list of objects. @throws EmbError "corrupt" */
export function partsOf(name: string, thing: string, value: unknown): Part[] {
  if (!Array.isArray(value)) return refuseType(name, thing, value, 'a list');
  return value.map((element, i) => {
    const part = optionalPart(name, `${thing}[${i}]`, element);
    return part ?? refuseType(name, `${thing}[${i}]`, element, 'an object');
  });
}

/** A boolean member, with what a missing one means. @throws EmbError "corrupt" */
export function flagOf(name: string, part: Part, key: string, missing: boolean): boolean {
  const value = part[key] ?? missing;
  return typeof value === 'boolean' ? value : refuseType(name, key, value, 'true or false');
}

/** A text member. @throws EmbError "corrupt" */
export function textOf(name: string, part: Part, key: string): string {
  const value = part[key];
  return typeof value === 'string' ? value : refuseType(name, key, value, 'a text');
}

/** The "type" member of a part. @throws EmbError "corrupt" */
export function typeOf(name: string, thing: string, part: Part): string {
  return typeof part.type === 'string' ? part.type : refuseType(name, `${thing}.type`, part.type, 'a text');
}

export function refuseType(name: string, thing: string, value: unknown, expected: string): never {
  const shown = value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing').slice(0, 40);
  throw new EmbError('corrupt', `${name}: "${thing}" is ${shown}, expected ${expected}`);
}
