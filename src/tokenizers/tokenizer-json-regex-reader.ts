import {
  bracketClass,
  caseVariants,
  characterSource,
  namedClass,
  noWordAlone,
  rangeSource,
  shorthands,
  UntranslatedPattern,
  wordAlone,
} from './tokenizer-json-regex-class.ts';

/** PatternOptions that hold at a place of a pattern. */
export interface PatternOptions {
  foldCase: boolean;
  extended: boolean;
  dotAll: boolean;
}

/** Groups nested deeper than this are no pattern of a tokenizer. */
export const deepestGroups = 100;

const controls: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
};

/** Reads characters, escapes and classes of a pattern. */
export class PatternReader {
  protected readonly pattern: string;
  protected at = 0;
  protected depth = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  protected refuse(construct: string): never {
    throw new UntranslatedPattern(construct);
  }

  protected peek(text: string): boolean {
    return this.pattern.startsWith(text, this.at);
  }

  protected take(text: string): boolean {
    if (!this.peek(text)) return false;
    this.at += text.length;
    return true;
  }

  protected next(): string {
    if (this.at >= this.pattern.length) this.refuse('the end of the pattern');
    const character = String.fromCodePoint(this.pattern.codePointAt(this.at) as number);
    this.at += character.length;
    return character;
  }

  /** The character that an escape stands for, inside or outside a class. */
  protected escapedCharacter(character: string): string {
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

  protected property(letter: string, options: PatternOptions, alone = false): string {
    const found = /^\{(\^?)([\w -]{1,60})\}/.exec(this.pattern.slice(this.at, this.at + 66));
    if (found === null) return this.refuse(`\\${letter}`);
    this.at += found[0].length;
    const negated = (letter === 'P') !== (found[1] === '^');
    if (alone && found[2].toLowerCase() === 'word') return negated ? noWordAlone : wordAlone;
    return namedClass((negated ? '^' : '') + found[2], options.foldCase);
  }

  /** What follows `[`, as a class of JavaScript's v flag. */
  protected characterClass(options: PatternOptions): string {
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

  private classItem(options: PatternOptions): string {
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

  private classCharacter(options: PatternOptions): { character: string; set?: string } {
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

function letterSource(character: string, options: PatternOptions): string {
  const variants = options.foldCase ? caseVariants(character) : [character];
  return variants.map(characterSource).join('');
}
