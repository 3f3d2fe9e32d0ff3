import {
  bracketClass,
  caseVariants,
  characterSource,
  namedClass,
  noWordAlone,
  pairFolds,
  rangeSource,
  shorthands,
  UntranslatedPattern,
  wordAlone,
} from './tokenizer-json-regex-class.ts';

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

interface Options {
  foldCase: boolean;
  extended: boolean;
  dotAll: boolean;
}

/** Groups nested deeper than this are no pattern of a tokenizer. */
const deepestGroups = 100;

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

const controls: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
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

class RegexParser {
  private readonly pattern: string;
  private at = 0;
  private captures = 0;
  private depth = 0;
  private readonly named: boolean;

  constructor(pattern: string) {
    this.pattern = pattern;
    // With named groups Oniguruma does not capture plain ones.
    this.named = /\(\?<[A-Za-z_]/.test(pattern);
  }

  parse(): RegexNode {
    const node = this.alternatives({ foldCase: false, extended: false, dotAll: false });
    if (this.at < this.pattern.length) this.refuse(')');
    return node;
  }

  private refuse(construct: string): never {
    throw new UntranslatedPattern(construct);
  }

  private peek(text: string): boolean {
    return this.pattern.startsWith(text, this.at);
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false;
    this.at += text.length;
    return true;
  }

  private next(): string {
    if (this.at >= this.pattern.length) this.refuse('the end of the pattern');
    const character = String.fromCodePoint(this.pattern.codePointAt(this.at) as number);
    this.at += character.length;
    return character;
  }

  private alternatives(options: Options): RegexNode {
    if (++this.depth > deepestGroups) this.refuse(`more than ${deepestGroups} nested groups`);
    const choices = [this.sequence(options)];
    while (this.take('|')) choices.push(this.sequence(options));
    this.depth--;
    return choices.length === 1 ? choices[0] : { kind: 'choice', options: choices };
  }

  private sequence(options: Options): RegexNode {
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

  private atom(options: Options): RegexNode {
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

  private group(options: Options): RegexNode {
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

  private closed(options: Options): RegexNode {
    const node = this.alternatives(options);
    if (!this.take(')')) this.refuse('a group without end');
    return node;
  }

  private escape(options: Options): RegexNode {
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

  /** The character that an escape stands for, inside or outside a class. */
  private escapedCharacter(character: string): string {
    if (controls[character] !== undefined) return controls[character];
    const rest = this.pattern.slice(this.at, this.at + 12);
    const digits =
      character === 'x'
        ? (/^\{([0-9A-Fa-f]{1,8})\}/.exec(rest) ?? /^([0-9A-Fa-f]{1,2})/.exec(rest))
        : character === 'u'
          ? /^([0-9A-Fa-f]{4})/.exec(rest)
          : null;
    if (digits !== null) {
      const point = Number.parseInt(digits[1], 16);
      if (point > 0x10ffff || (character === 'x' && point > 0x7f && !digits[0].startsWith('{')))
        this.refuse('\\x');
      this.at += digits[0].length;
      return String.fromCodePoint(point);
    }
    if (character === '0') {
      const octal = (/^[0-7]{0,2}/.exec(rest) as RegExpExecArray)[0];
      this.at += octal.length;
      return String.fromCharCode(Number.parseInt(`0${octal}`, 8));
    }
    if (/[A-Za-z0-9]/.test(character)) this.refuse(`\\${character}`);
    return character;
  }

  private property(letter: string, options: Options, alone = false): string {
    const found = /^\{(\^?)([\w -]{1,60})\}/.exec(this.pattern.slice(this.at, this.at + 66));
    if (found === null) return this.refuse(`\\${letter}`);
    this.at += found[0].length;
    const negated = (letter === 'P') !== (found[1] === '^');
    if (alone && found[2].toLowerCase() === 'word') return negated ? noWordAlone : wordAlone;
    return namedClass((negated ? '^' : '') + found[2], options.foldCase);
  }

  /** What follows `[`, as a class of JavaScript's v flag. */
  private characterClass(options: Options): string {
    if (++this.depth > deepestGroups) this.refuse(`more than ${deepestGroups} nested classes`);
    const negated = this.take('^');
    const operands = [''];
    let first = true;
    for (;;) {
      if (this.at >= this.pattern.length) this.refuse('a class without end');
      if (!first && this.take(']')) break;
      if (this.take('&&')) operands.push('');
      else operands[operands.length - 1] += this.classItem(options);
      first = false;
    }
    this.depth--;
    const sign = negated ? '^' : '';
    if (operands.length === 1) return `[${sign}${operands[0]}]`;
    return `[${sign}${operands.map((operand) => `[${operand}]`).join('&&')}]`;
  }

  private classItem(options: Options): string {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.pattern.slice(this.at, this.at + 20));
    if (posix !== null) {
      this.at += posix[0].length;
      return bracketClass(posix[1] + posix[2], options.foldCase);
    }
    const start = this.classCharacter(options);
    if (start.set !== undefined) return start.set;
    const range = this.peek('-') && !this.peek('-]') && !this.peek('-&&') && !this.peek('-[');
    if (!range) return letterSource(start.character, options);
    this.at++;
    const end = this.classCharacter(options);
    if (end.set !== undefined) this.refuse('a range up to a class');
    return rangeSource(start.character, end.character, options.foldCase);
  }

  private classCharacter(options: Options): { character: string; set?: string } {
    const character = this.next();
    if (character === '[') return { character, set: this.characterClass(options) };
    if (character !== '\\') return { character };
    const escaped = this.next();
    if (shorthands[escaped] !== undefined) return { character, set: shorthands[escaped] };
    if (escaped === 'p' || escaped === 'P') return { character, set: this.property(escaped, options) };
    if (escaped === 'b') return { character: '\b' };
    return { character: this.escapedCharacter(escaped) };
  }
}

function changedOptions(options: Options, on: string, off: string): Options {
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

function letterNode(character: string, options: Options): RegexNode {
  return { kind: 'letter', character, variants: options.foldCase ? caseVariants(character) : [character] };
}

function letterSource(character: string, options: Options): string {
  const variants = options.foldCase ? caseVariants(character) : [character];
  return variants.map(characterSource).join('');
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
