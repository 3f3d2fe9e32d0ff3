import { EmbError } from '../errors.ts';

/** One token of an expression and how much of it is taken. */
export interface Term {
  weight: number;
  /** A piece by its name, or a row by its number. */
  operand: { word: string } | { id: number };
}

type Lexeme =
  | { kind: 'operator'; text: '+' | '-' | '*' | '(' | ')' }
  | { kind: 'weight'; value: number }
  | { kind: 'word'; word: string; quoted: boolean }
  | { kind: 'id'; id: number };

const operators = ['+', '-', '*', '(', ')'];
const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;

/** What may stand next in an argument, in this order. + and - inside of a word belong to it. */
const patterns = {
  space: /\s+/y,
  quoted: /"([^"]*)"|'([^']*)'(?=[\s)]|$)/y,
  operator: /[()]|[-+*](?=[\s("']|$)/y,
  weight: new RegExp(`(${number})\\*(?=\\S)`, 'y'),
  id: /#(\d+)(?=[\s)]|$)/y,
  word: /[^\s()]+/y,
};

/**
 * Reads a sum of tokens: `king - man + woman`, `0.5*king`, `2*(a - b)`, `#123`, quotes around what holds spaces or parentheses.
 *
 * `isPiece`: an argument that is a piece of the vocabulary as a whole (" king") is that piece, but for the operators.
 * Parentheses are multiplied out. Cost: O(length); no recursion.
 * @throws EmbError "usage" where the expression breaks off or two tokens follow each other
 */
export function parseExpression(args: readonly string[], isPiece: (text: string) => boolean): Term[] {
  const lexemes = args.flatMap((argument) => lexArgument(argument, isPiece));
  return new Parser().parse(joinWeights(lexemes));
}

/** The expression as it is shown. */
export function expressionText(terms: readonly Term[]): string {
  return terms
    .map(({ weight, operand }, index) => {
      const size = Math.abs(weight);
      const name = 'id' in operand ? `#${operand.id}` : operand.word;
      const sign = weight < 0 ? '- ' : index === 0 ? '' : '+ ';
      return `${sign}${size === 1 ? '' : `${size}*`}${name}`;
    })
    .join(' ');
}

function lexArgument(argument: string, isPiece: (text: string) => boolean): Lexeme[] {
  if (isOperator(argument)) return [{ kind: 'operator', text: argument }];
  const lexemes = lex(argument);
  const [only] = lexemes;
  const plain = lexemes.length === 1 && (only.kind === 'id' || (only.kind === 'word' && !only.quoted));
  const asItIs = plain && (only.kind === 'id' || (only.kind === 'word' && only.word === argument));
  return !asItIs && isPiece(argument) ? [{ kind: 'word', word: argument, quoted: true }] : lexemes;
}

function isOperator(text: string): text is '+' {
  return operators.includes(text);
}

function lex(text: string): Lexeme[] {
  const lexemes: Lexeme[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(patterns.space);
    if (at >= text.length) return lexemes;
    let match = take(patterns.quoted);
    if (match !== null) {
      lexemes.push({ kind: 'word', word: match[1] ?? match[2], quoted: true });
      continue;
    }
    if (text[at] === '"')
      throw new EmbError('usage', `the quote at ${text.slice(at, at + 20)} is not closed`);
    match = take(patterns.operator);
    if (match !== null) {
      lexemes.push({ kind: 'operator', text: match[0] as '+' });
      continue;
    }
    match = take(patterns.weight);
    if (match !== null) {
      lexemes.push({ kind: 'weight', value: readWeight(match[1]) });
      continue;
    }
    match = take(patterns.id);
    if (match !== null) {
      lexemes.push({ kind: 'id', id: Number(match[1]) });
      continue;
    }
    lexemes.push({ kind: 'word', word: take(patterns.word)![0], quoted: false });
  }
}

function readWeight(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new EmbError('usage', `the weight ${text} is ${value}, expected a finite number`);
}

/** A number, then a `*` of its own, is a weight. */
function joinWeights(lexemes: readonly Lexeme[]): Lexeme[] {
  const joined: Lexeme[] = [];
  const whole = new RegExp(`^${number}$`);
  for (let at = 0; at < lexemes.length; at++) {
    const lexeme = lexemes[at];
    const next = lexemes[at + 1];
    const starred = next?.kind === 'operator' && next.text === '*';
    if (starred && lexeme.kind === 'word' && whole.test(lexeme.word)) {
      joined.push({ kind: 'weight', value: readWeight(lexeme.word) });
      at++;
    } else joined.push(lexeme);
  }
  return joined;
}

class Parser {
  readonly #terms: Term[] = [];
  /** What the parentheses that are open multiply by, the whole expression first. */
  readonly #scales = [1];
  /** Sign and weights before the next operand. */
  #scale = 1;
  #wantsOperand = true;
  #last = '';

  parse(lexemes: readonly Lexeme[]): Term[] {
    for (const lexeme of lexemes) {
      if (this.#wantsOperand) this.#operand(lexeme);
      else this.#operator(lexeme);
      this.#last = textOf(lexeme);
    }
    if (this.#wantsOperand) {
      throw new EmbError('usage', `the expression ends ${this.#place()}, expected a token`, example);
    }
    if (this.#scales.length > 1) {
      throw new EmbError(
        'usage',
        `${this.#scales.length - 1} "(" of the expression are not closed, expected 0`,
        example,
      );
    }
    return this.#terms;
  }

  #operand(lexeme: Lexeme): void {
    if (lexeme.kind === 'weight') {
      this.#scale *= lexeme.value;
    } else if (lexeme.kind === 'operator') {
      const starts = this.#last === '' || this.#last === '(';
      if (lexeme.text === '(') {
        this.#scales.push(this.#next());
      } else if (lexeme.text === '-' && starts) {
        this.#scale = -this.#scale;
      } else if (lexeme.text !== '+' || !starts) {
        throw new EmbError(
          'usage',
          `"${lexeme.text}" stands ${this.#place()}, expected a token`,
          `'"${lexeme.text}"' in quotes is the token ${lexeme.text}`,
        );
      }
    } else {
      const weight = this.#next();
      const operand = lexeme.kind === 'id' ? { id: lexeme.id } : { word: lexeme.word };
      this.#terms.push({ weight, operand });
      this.#wantsOperand = false;
    }
  }

  #operator(lexeme: Lexeme): void {
    const text = lexeme.kind === 'operator' ? lexeme.text : '';
    if (text === '+' || text === '-') {
      this.#scale = text === '-' ? -1 : 1;
      this.#wantsOperand = true;
    } else if (text === ')' && this.#scales.length > 1) {
      this.#scales.pop();
    } else {
      throw new EmbError(
        'usage',
        `${JSON.stringify(textOf(lexeme))} stands ${this.#place()}, expected + or -`,
        text === '' ? 'a token that holds spaces is quoted: \'"New York" - York\'' : example,
      );
    }
  }

  /** What the next operand is multiplied by; the sign after it starts anew. */
  #next(): number {
    const scale = this.#scales[this.#scales.length - 1] * this.#scale;
    this.#scale = 1;
    if (Number.isFinite(scale)) return scale;
    throw new EmbError('usage', `the weights before a token make ${scale}, expected a finite number`);
  }

  #place(): string {
    return this.#last === '' ? 'at its start' : `after ${JSON.stringify(this.#last)}`;
  }
}

const example = 'emb analogy king - man + woman';

function textOf(lexeme: Lexeme): string {
  if (lexeme.kind === 'operator') return lexeme.text;
  if (lexeme.kind === 'weight') return `${lexeme.value}*`;
  return lexeme.kind === 'id' ? `#${lexeme.id}` : lexeme.word;
}
