import {
  caseVariants,
  noWordAlone,
  pairFolds,
  shorthands,
  UntranslatedPattern,
  wordAlone,
} from './tokenizer-json-regex-class.ts';
import { deepestGroups, type PatternOptions, PatternReader } from './tokenizer-json-regex-reader.ts';

/** A pattern as a tree. `set` and `assertion` hold their JavaScript source already. */
export type RegexNode =
  | { kind: 'letter'; character: string; variants: string[] }
  | { kind: 'set'; source: string }
  | { kind: 'assertion'; source: string }
  | { kind: 'searchStart' }
  | { kind: 'sequence'; items: RegexNode[] }
  | { kind: 'choice'; options: RegexNode[] }
  | { kind: 'repeat'; item: RegexNode; min: number; max: number; mode: 'greedy' | 'lazy' | 'possessive' }
  | { kind: 'capture'; item: RegexNode; index: number }
  | { kind: 'atomic'; item: RegexNode }
  | { kind: 'look'; item: RegexNode; opening: '?=' | '?!' | '?<=' | '?<!' }
  | { kind: 'backreference'; index: number };

// Without the m flag; a lookbehind for no character would also hold between surrogates.
const textStart = '^';
const textEnd = '$';
const word = wordAlone;

const anchors: Readonly<Record<string, string>> = {
  A: textStart,
  z: textEnd,
  Z: `(?=\\n?${textEnd})`,
  b: `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
  B: `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
};

/**
 * Reads a pattern as Oniguruma (its Ruby syntax, UTF-8, as Hugging Face's tokenizers use it) understands it.
 *
 * Source: Oniguruma doc/RE.
 * @throws UntranslatedPattern for what has no counterpart in JavaScript
 */
export function parseRegex(pattern: string): RegexNode {
  const parser = new RegexParser(pattern);
  return parser.parse();
}

class RegexParser extends PatternReader {
  private captures = 0;
  private readonly named: boolean;

  constructor(pattern: string) {
    super(pattern);
    // With named groups Oniguruma does not capture plain ones.
    this.named = /\(\?<[A-Za-z_]/.test(pattern);
  }

  parse(): RegexNode {
    const node = this.alternatives({ foldCase: false, extended: false, dotAll: false });
    if (this.at < this.pattern.length) this.refuse(')');
    return node;
  }

  private alternatives(options: PatternOptions): RegexNode {
    if (++this.depth > deepestGroups) this.refuse(`more than ${deepestGroups} nested groups`);
    const choices = [this.sequence(options)];
    while (this.take('|')) choices.push(this.sequence(options));
    this.depth--;
    return choices.length === 1 ? choices[0] : { kind: 'choice', options: choices };
  }

  private sequence(options: PatternOptions): RegexNode {
    const items: RegexNode[] = [];
    while (this.at < this.pattern.length && !this.peek('|') && !this.peek(')')) {
      if (options.extended && this.skipExtended()) continue;
      const item = this.quantified(this.atom(options));
      items.push(item);
    }
    return { kind: 'sequence', items: options.foldCase ? foldPairs(items) : items };
  }

  private skipExtended(): boolean {
    const found = /^(?:\s+|#[^\n]*)/.exec(this.pattern.slice(this.at));
    if (found === null) return false;
    this.at += found[0].length;
    return true;
  }

  private quantified(atom: RegexNode): RegexNode {
    let node = atom;
    for (;;) {
      const bounds = this.quantifier();
      if (bounds === undefined) return node;
      const { min, max, braces } = bounds;
      if (max < min) this.refuse(`{${min},${max}}`);
      if (!braces && this.take('+')) node = { kind: 'repeat', item: node, min, max, mode: 'possessive' };
      else if (braces && min === max && this.take('?')) {
        // {n}? is no lazy repeat but an optional one in this syntax.
        const item: RegexNode = { kind: 'repeat', item: node, min, max, mode: 'greedy' };
        node = { kind: 'repeat', item, min: 0, max: 1, mode: 'greedy' };
      } else node = { kind: 'repeat', item: node, min, max, mode: this.take('?') ? 'lazy' : 'greedy' };
    }
  }

  private quantifier(): { min: number; max: number; braces: boolean } | undefined {
    if (this.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY, braces: false };
    if (this.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY, braces: false };
    if (this.take('?')) return { min: 0, max: 1, braces: false };
    const found = /^\{(\d*)(,?)(\d*)\}/.exec(this.pattern.slice(this.at, this.at + 24));
    if (found === null || (found[1] === '' && found[3] === '')) return undefined;
    this.at += found[0].length;
    const min = Number(found[1]);
    const open = found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    return { min, max: found[2] === '' ? min : open, braces: true };
  }

  private atom(options: PatternOptions): RegexNode {
    const character = this.next();
    switch (character) {
      case '.':
        return { kind: 'set', source: options.dotAll ? '[\\s\\S]' : '[^\\n]' };
      case '^':
        return { kind: 'assertion', source: `(?:${textStart}|(?<=\\n)(?=[\\s\\S]))` };
      case '$':
        return { kind: 'assertion', source: `(?=\\n|${textEnd})` };
      case '[':
        return { kind: 'set', source: this.characterClass(options) };
      case '(':
        return this.group(options);
      case '\\':
        return this.escape(options);
      case '*':
      case '+':
      case '?':
        return this.refuse(`${character} without anything to repeat`);
      default:
        return letterNode(character, options);
    }
  }

  private group(options: PatternOptions): RegexNode {
    const opening = ['?<=', '?<!', '?=', '?!'].find((each) => this.take(each));
    if (opening !== undefined) {
      return { kind: 'look', item: this.closed(options), opening: opening as '?=' | '?!' | '?<=' | '?<!' };
    }
    if (this.take('?:')) return this.closed(options);
    if (this.take('?>')) return { kind: 'atomic', item: this.closed(options) };
    if (this.take('?#')) {
      const end = this.pattern.indexOf(')', this.at);
      if (end < 0) this.refuse('(?#');
      this.at = end + 1;
      return { kind: 'sequence', items: [] };
    }
    const flags = /^\?([imx]*)(?:-([imx]*))?([:)])/.exec(this.pattern.slice(this.at, this.at + 16));
    if (flags !== null) {
      this.at += flags[0].length;
      const inner = changedOptions(options, flags[1], flags[2] ?? '');
      // Without a colon the options hold up to the end of the group around, whatever alternatives follow.
      return flags[3] === ':' ? this.closed(inner) : this.alternatives(inner);
    }
    const name = /^\?<[A-Za-z_]\w*>/.exec(this.pattern.slice(this.at, this.at + 64));
    if (name !== null) this.at += name[0].length;
    else if (this.peek('?') || this.peek('*')) this.refuse(`(${this.pattern.slice(this.at, this.at + 3)}`);
    if (this.named && name === null) return this.closed(options);
    const index = ++this.captures;
    return { kind: 'capture', item: this.closed(options), index };
  }

  private closed(options: PatternOptions): RegexNode {
    const node = this.alternatives(options);
    if (!this.take(')')) this.refuse('a group without end');
    return node;
  }

  private escape(options: PatternOptions): RegexNode {
    const character = this.next();
    if (character === 'w') return { kind: 'set', source: wordAlone };
    if (character === 'W') return { kind: 'set', source: noWordAlone };
    if (shorthands[character] !== undefined) return { kind: 'set', source: `[${shorthands[character]}]` };
    if (anchors[character] !== undefined) return { kind: 'assertion', source: anchors[character] };
    if (character === 'G') return { kind: 'searchStart' };
    if (character === 'p' || character === 'P')
      return { kind: 'set', source: this.property(character, options, true) };
    if (character === 'R') {
      const item: RegexNode = { kind: 'set', source: '(?:\\r\\n|[\\n-\\r\\u{85}\\u{2028}\\u{2029}])' };
      return { kind: 'atomic', item };
    }
    if (/[1-9]/.test(character)) {
      const index = Number(character);
      if (
        options.foldCase ||
        this.named ||
        index > this.captures ||
        /\d/.test(this.pattern.charAt(this.at))
      ) {
        this.refuse(`\\${character}`);
      }
      return { kind: 'backreference', index };
    }
    return letterNode(this.escapedCharacter(character), options);
  }
}

function changedOptions(options: PatternOptions, on: string, off: string): PatternOptions {
  const changed = { ...options };
  for (const [flags, value] of [
    [on, true],
    [off, false],
  ] as const) {
    if (flags.includes('i')) changed.foldCase = value;
    if (flags.includes('x')) changed.extended = value;
    if (flags.includes('m')) changed.dotAll = value;
  }
  return changed;
}

function letterNode(character: string, options: PatternOptions): RegexNode {
  return { kind: 'letter', character, variants: options.foldCase ? caseVariants(character) : [character] };
}

/** Lets two letters match the single character that equals them when case does not count. */
function foldPairs(items: readonly RegexNode[]): RegexNode[] {
  const folded: RegexNode[] = [];
  for (let i = 0; i < items.length; i++) {
    const fold = pairAt(items, i);
    if (fold === undefined) {
      folded.push(items[i]);
      continue;
    }
    if (pairAt(items, i + 1) !== undefined || /f[fil]/.test(foldKey(items, i + 1))) {
      throw new UntranslatedPattern(`${foldKey(items, i)}... without case`);
    }
    const pair: RegexNode = { kind: 'sequence', items: [items[i], items[i + 1]] };
    folded.push({ kind: 'choice', options: [pair, { kind: 'set', source: `[${fold}]` }] });
    i++;
  }
  return folded;
}

function pairAt(items: readonly RegexNode[], at: number): string | undefined {
  return pairFolds.get(foldKey(items, at));
}

function foldKey(items: readonly RegexNode[], at: number): string {
  const [first, second] = [items[at], items[at + 1]];
  if (first?.kind !== 'letter' || second?.kind !== 'letter') return '';
  return (first.character + second.character).toLowerCase();
}
