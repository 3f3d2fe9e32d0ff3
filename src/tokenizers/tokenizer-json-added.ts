import { EmbError } from '../errors.ts';
import { flagOf, type Part, partsOf, refuseType, textOf } from './tokenizer-json-file.ts';
import type { Vocabulary } from './tokenizer-json-vocabulary.ts';

/** A token that is found in the text before the model sees it. */
export interface AddedToken {
  id: number;
  content: string;
  /** Only where no word character touches it. */
  singleWord: boolean;
  /** Takes the white space before it along. */
  lstrip: boolean;
  /** Takes the white space after it along. */
  rstrip: boolean;
  /** Found in the normalized text instead of the text as it is. */
  normalized: boolean;
  special: boolean;
}

/** Longest content. Texts are matched character by character, so this bounds what one character can cost. */
const longestContent = 1024;

/**
 * The added tokens of a tokenizer.json and of its tokenizer_config.json, by content; the last of equal ones counts.
 *
 * A token of the vocabulary has the vocabulary's id, whatever the list says, as in Hugging Face's reader; any other has its own.
 * @throws EmbError "corrupt" when two tokens claim one id
 */
export function readAddedTokens(
  name: string,
  list: unknown,
  config: Part | undefined,
  vocabulary: Vocabulary,
): Map<string, AddedToken> {
  const tokens = new Map<string, AddedToken>();
  const byId = new Map<number, AddedToken>();
  const limit = vocabulary.highest + 1 + vocabulary.limit;
  const add = (part: Part, given: unknown, thing: string, firm: boolean): void => {
    if (typeof given !== 'number' || !Number.isInteger(given) || given < 0 || given > limit) {
      refuseType(name, `${thing}.id`, given, `a whole number up to ${limit}`);
    }
    const token = readAddedToken(name, part, given, thing);
    // Hugging Face ignores tokens without content.
    if (token.content === '') return;
    token.id = vocabulary.idOf(token.content) ?? given;
    const holder = byId.get(token.id)?.content ?? vocabulary.nameOf(token.id);
    if (holder !== undefined && holder !== token.content) {
      if (!firm) return;
      throw new EmbError(
        'corrupt',
        `${name}: "added_tokens" gives id ${token.id} to ${JSON.stringify(token.content)}, expected ${JSON.stringify(holder)}, which has it`,
      );
    }
    const known = tokens.get(token.content);
    if (known !== undefined) token.id = known.id;
    tokens.set(token.content, token);
    byId.set(token.id, token);
  };
  if (list !== undefined && list !== null) {
    partsOf(name, 'added_tokens', list).forEach((part, i) => {
      add(part, part.id, `added_tokens[${i}]`, true);
    });
  }
  for (const [key, part] of configTokens(config)) {
    // tokenizer.json decides; the config only adds what it lacks.
    if (typeof part.content === 'string' && !tokens.has(part.content))
      add(part, Number(key), `added_tokens_decoder.${key}`, false);
  }
  return tokens;
}

function configTokens(config: Part | undefined): [string, Part][] {
  const decoder = config?.added_tokens_decoder;
  if (typeof decoder !== 'object' || decoder === null || Array.isArray(decoder)) return [];
  return Object.entries(decoder).filter(
    (entry): entry is [string, Part] =>
      typeof entry[1] === 'object' && entry[1] !== null && /^\d+$/.test(entry[0]),
  );
}

/** Missing flags are false (some writers leave them out; Hugging Face's reader refuses those files). */
function readAddedToken(name: string, part: Part, id: number, thing: string): AddedToken {
  const content = textOf(name, part, 'content');
  if (content.length > longestContent) {
    throw new EmbError(
      'unsupported',
      `${name}: "${thing}.content" is ${content.length} characters, expected at most ${longestContent}`,
    );
  }
  if (/\p{Surrogate}/u.test(content))
    refuseType(name, `${thing}.content`, content, 'text without half a surrogate pair');
  return {
    id,
    content,
    singleWord: flagOf(name, part, 'single_word', false),
    lstrip: flagOf(name, part, 'lstrip', false),
    rstrip: flagOf(name, part, 'rstrip', false),
    normalized: flagOf(name, part, 'normalized', false),
    special: flagOf(name, part, 'special', false),
  };
}

/**
 * Where tokens by their normalized text are found, whatever stands around: within runs of letters and digits, which nothing cuts,
 * between white space, or only in a text as a whole.
 */
export function placeOfAdded(normalized: ReadonlyMap<string, AddedToken>): 'letters' | 'words' | 'text' {
  const texts = [...normalized.keys()];
  if (texts.some((text) => /\s|\u0085/.test(text))) return 'text';
  if ([...normalized.values()].some((token) => token.lstrip || token.rstrip || token.singleWord))
    return 'text';
  return texts.every((text) => /^(?:(?!\p{Ideographic})[\p{L}\p{N}])*$/u.test(text)) ? 'letters' : 'words';
}

/** A part of a text: text[start, end), which is `token` when it has one. */
export interface Segment {
  start: number;
  end: number;
  token: AddedToken | undefined;
}

const wordBefore = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const wordAfter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const whiteSpace = /\p{White_Space}/u;

/** White space as Unicode (and Rust) has it: U+0085 is one, U+FEFF is none. */
export function isWhiteSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 9 && unit <= 13);
  // U+3000 is the last.
  return unit <= 0x3000 && whiteSpace.test(String.fromCharCode(unit));
}

/**
 * Finds added tokens in a text: the leftmost, of those the longest, in one pass.
 *
 * Cost: one search for first characters, and at each of them at most the longest content in characters.
 */
export class AddedTokenMatcher {
  /** Contents by first UTF-16 unit, sorted by unit. */
  private readonly byFirst = new Map<number, string[]>();
  private readonly tokens: ReadonlyMap<string, AddedToken>;
  private readonly firsts: RegExp;

  /** `tokens` by the text that is searched for. */
  constructor(tokens: ReadonlyMap<string, AddedToken>) {
    this.tokens = tokens;
    for (const content of tokens.keys()) {
      const list = this.byFirst.get(content.charCodeAt(0));
      if (list === undefined) this.byFirst.set(content.charCodeAt(0), [content]);
      else list.push(content);
    }
    for (const list of this.byFirst.values()) list.sort((a, b) => (a < b ? -1 : 1));
    const units = [...this.byFirst.keys()].map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`);
    this.firsts = new RegExp(`[${units.join('')}]`, 'g');
  }

  /** Longest content at text[at...], or ''. */
  private longestAt(text: string, at: number): string {
    const list = this.byFirst.get(text.charCodeAt(at));
    if (list === undefined) return '';
    let low = 0;
    let high = list.length;
    let longest = '';
    for (let depth = 1; low < high; depth++) {
      // Of contents with one prefix the bare prefix stands first.
      if (list[low].length === depth) longest = list[low++];
      if (at + depth >= text.length) break;
      const unit = text.charCodeAt(at + depth);
      low = firstFrom(list, low, high, depth, unit);
      high = firstFrom(list, low, high, depth, unit + 1);
    }
    return longest;
  }

  /** The text's segments in order, which cover it but for what a match takes twice. Empty for an empty text. */
  split(text: string, ignoreSpecial: boolean): Segment[] {
    const segments: Segment[] = [];
    let done = 0;
    this.firsts.lastIndex = 0;
    for (let found = this.firsts.exec(text); found !== null; found = this.firsts.exec(text)) {
      const at = found.index;
      const content = this.longestAt(text, at);
      if (content === '') continue;
      this.firsts.lastIndex = at + content.length;
      const token = this.tokens.get(content) as AddedToken;
      // A match that does not count still hides what it covers, as in Hugging Face's matcher.
      if (ignoreSpecial && token.special) continue;
      if (token.singleWord && touchesWord(text, at, at + content.length)) continue;
      let start = at;
      let end = at + content.length;
      if (token.lstrip) while (start > done && isWhiteSpace(text.charCodeAt(start - 1))) start--;
      if (token.lstrip && start < done) start = done;
      if (token.rstrip) {
        // What an earlier match stripped is not gone over again: a run of spaces would cost its square.
        end = Math.max(end, done);
        while (end < text.length && isWhiteSpace(text.charCodeAt(end))) end++;
      }
      // White space that the match before took along is not there again.
      if (start >= end) continue;
      if (done < start) segments.push({ start: done, end: start, token: undefined });
      segments.push({ start, end, token });
      done = end;
    }
    if (done < text.length) segments.push({ start: done, end: text.length, token: undefined });
    return segments;
  }
}

function touchesWord(text: string, start: number, end: number): boolean {
  return (
    (start > 0 && wordBefore.test(text.slice(Math.max(0, start - 2), start))) ||
    (end < text.length && wordAfter.test(text.slice(end, end + 2)))
  );
}

/** First index in the sorted list[low, high) whose unit at `depth` is at least `unit`. */
function firstFrom(list: readonly string[], low: number, high: number, depth: number, unit: number): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle].charCodeAt(depth) < unit) from = middle + 1;
    else to = middle;
  }
  return from;
}
