import { EmbError } from '../errors.ts';
import type { IdSink, Token } from '../types.ts';
import { reserveIds } from './id-sink.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import { flagOf, type Part, partsOf, refuseType, typeOf } from './tokenizer-json-file.ts';

/** What happens to tokens after the model, in order. */
export type PostStep =
  /** Takes white space out of spans. prefixSpace: one leading space of the first token was never there. */
  | { kind: 'trim'; prefixSpace: boolean }
  /** Puts ids around the text's tokens; `text` stands for those. */
  | WrapStep;

type Piece = 'text' | readonly number[];

type WrapStep = { kind: 'wrap'; pieces: readonly Piece[] };

/**
 * The post-processor that a tokenizer.json describes, for single texts.
 *
 * @throws EmbError "unsupported" naming a post-processor that emb lacks, "corrupt" for wrong members
 */
export function createPostSteps(name: string, part: Part | undefined): PostStep[] {
  if (part === undefined) return [];
  const steps: PostStep[] = [];
  /** A template leaves its pieces apart, and what follows in a sequence does its work on each. */
  let apart: (readonly Piece[])[] = [['text']];
  for (const step of stepsOf(name, part)) {
    if (step.kind === 'trim') {
      // Of pieces that are apart only the text's own has spans to trim, and it is the first token there that counts as first.
      if (apart.length === 1) {
        steps.push({ kind: 'wrap', pieces: apart.flat() });
        apart = [['text']];
      }
      steps.push(step);
    } else if (step.kind === 'ends') apart = withEnds(apart, step);
    else {
      steps.push({ kind: 'wrap', pieces: apart.flat() });
      apart = step.pieces.map((piece) => [piece]);
    }
  }
  steps.push({ kind: 'wrap', pieces: apart.flat() });
  return steps.filter(
    (step) => step.kind === 'trim' || step.pieces.length !== 1 || step.pieces[0] !== 'text',
  );
}

/** Puts one id before and one after a text: BERT's and RoBERTa's way. */
interface EndsStep {
  kind: 'ends';
  before: number;
  after: number;
  /** What comes before every piece but the first. */
  between: readonly number[];
}

/** Source: process_encodings in Hugging Face's processors/bert.rs and roberta.rs, which take further pieces for second texts. */
function withEnds(apart: (readonly Piece[])[], { before, after, between }: EndsStep): Piece[][] {
  return apart.map((pieces, i) => [i === 0 ? [before] : between, ...pieces, [after]]);
}

function stepsOf(name: string, part: Part): (PostStep | EndsStep)[] {
  const type = typeOf(name, 'post_processor', part);
  switch (type) {
    case 'Sequence':
      return partsOf(name, 'post_processor.processors', part.processors).flatMap((each) =>
        stepsOf(name, each),
      );
    case 'ByteLevel':
      return trimSteps(name, part);
    case 'RobertaProcessing':
      return [...trimSteps(name, part), endsStep(name, part, true)];
    case 'BertProcessing':
      return [endsStep(name, part, false)];
    case 'TemplateProcessing':
      return [templateStep(name, part)];
    default:
      throw new EmbError(
        'unsupported',
        `${name}: "post_processor" is ${JSON.stringify(type)}, expected TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or Sequence`,
      );
  }
}

function trimSteps(name: string, part: Part): PostStep[] {
  const prefixSpace = flagOf(name, part, 'add_prefix_space', true);
  return flagOf(name, part, 'trim_offsets', true) ? [{ kind: 'trim', prefixSpace }] : [];
}

/** `"cls": ["<s>", 0]`, `"sep": ["</s>", 2]`. */
function endsStep(name: string, part: Part, twice: boolean): EndsStep {
  const [before, after] = ['cls', 'sep'].map((key) => {
    const pair = part[key];
    if (!Array.isArray(pair) || pair.length !== 2)
      return refuseType(name, `post_processor.${key}`, pair, '["token", id]');
    return idOf(name, `post_processor.${key}`, pair[1]);
  });
  return { kind: 'ends', before, after, between: twice ? [after] : [] };
}

function templateStep(name: string, part: Part): WrapStep {
  const tokens = (part.special_tokens ?? {}) as Part;
  const pieces = partsOf(name, 'post_processor.single', part.single).map((piece) => {
    const sequence = piece.Sequence as Part | undefined;
    if (sequence?.id === 'A') return 'text';
    const id = (piece.SpecialToken as Part | undefined)?.id;
    const token =
      typeof id === 'string' && Object.hasOwn(tokens, id) ? (tokens[id] as Part | null) : undefined;
    if (!Array.isArray(token?.ids)) {
      return refuseType(name, 'post_processor.single', piece, 'sequence A or one of "special_tokens"');
    }
    return token.ids.map((each) => idOf(name, `post_processor.special_tokens.${id}`, each));
  });
  return { kind: 'wrap', pieces };
}

function idOf(name: string, thing: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  return refuseType(name, thing, value, 'an id');
}

/** Applies a template to the ids of a sink from `from` on. With `special` false only the text stays. */
export function wrapIds(into: IdSink, from: number, step: WrapStep, special: boolean): void {
  const size = into.length - from;
  const texts = step.pieces.filter((piece) => piece === 'text').length;
  const added = special
    ? step.pieces.reduce((sum, piece) => sum + (piece === 'text' ? 0 : piece.length), 0)
    : 0;
  if (texts === 1 && added === 0) return;
  // What stands before the text's ids makes room, the rest follows.
  const text = texts === 1 ? undefined : into.ids.slice(from, into.length);
  reserveIds(into, added + Math.max(0, texts - 1) * size);
  const { ids } = into;
  const first = special ? countBefore(step) : 0;
  if (text === undefined) ids.copyWithin(from + first, from, from + size);
  let to = from;
  for (const piece of step.pieces) {
    if (piece === 'text') {
      if (text !== undefined) ids.set(text, to);
      to += size;
    } else if (special) for (const id of piece) ids[to++] = id;
  }
  into.length = to;
}

/** How many ids stand before the text. */
function countBefore(step: WrapStep): number {
  let count = 0;
  for (const piece of step.pieces) {
    if (piece === 'text') break;
    count += piece.length;
  }
  return count;
}

/** A token and what it spelled when it was found, which decides how its span is trimmed. */
export interface SpelledToken extends Token {
  value: string;
}

/** Applies a template to tokens; those that it adds have the span 0, 0. */
export function wrapTokens(
  tokens: readonly SpelledToken[],
  step: WrapStep,
  special: boolean,
  tokenOf: (id: number) => SpelledToken,
): SpelledToken[] {
  return step.pieces.flatMap((piece) => {
    if (piece === 'text') return tokens.map((token) => ({ ...token }));
    return special ? piece.map((id) => ({ ...tokenOf(id), special: true, stage: 'template' as const })) : [];
  });
}

/** Takes white space out of spans. Source: process_offsets in Hugging Face's pre_tokenizers/byte_level.rs. */
export function trimSpans(tokens: SpelledToken[], text: string, prefixSpace: boolean): void {
  tokens.forEach((token, i) => {
    let leading = 0;
    const { value } = token;
    while (leading < value.length && isSpaceUnit(value.charCodeAt(leading))) leading++;
    let trailing = 0;
    while (trailing < value.length && isSpaceUnit(value.charCodeAt(value.length - 1 - trailing))) trailing++;
    const first = i === 0 || token.start === 0;
    if (leading > 0 && !(first && prefixSpace && leading === 1)) {
      token.start = Math.min(forward(text, token.start, leading), token.end);
    }
    if (trailing > 0) {
      const end = backward(text, token.end, trailing);
      if (end >= 0) token.end = Math.max(end, token.start);
    }
  });
}

/** Ġ is how a byte-level vocabulary writes a space. */
function isSpaceUnit(unit: number): boolean {
  return unit === 0x120 || isWhiteSpace(unit);
}

/** The place `count` characters on. */
function forward(text: string, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

/** The place `count` characters back, -1 when there are not so many. */
function backward(text: string, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at <= 0) return -1;
    at -= at > 1 && (text.codePointAt(at - 2) as number) > 0xffff ? 2 : 1;
  }
  return at;
}

/** A token without what only decoding needs. */
export function tokenOf({ id, text, bytes, start, end, special, stage }: SpelledToken): Token {
  return { id, text, bytes, start, end, special, stage };
}
