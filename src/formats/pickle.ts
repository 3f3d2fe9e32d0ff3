import { EmbError } from '../errors.ts';
import { PickleBytes, PickleEnds } from './pickle-bytes.ts';
import { opcodes } from './pickle-opcodes.ts';
import {
  PickleDict,
  PickleGlobal,
  type PickleHost,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle-values.ts';

/** Objects that any pickle may have, however short. */
const objectsAnyway = 1 << 16;

/** A pickle that is no attack spends more bytes than this on an object. */
const bytesPerObject = 5;

/** Of a module or a global, as errors show it; no allowed one is as long. */
const longestName = 200;

const emptyTuple = new PickleSequence('tuple', []);

/**
 * Interprets a pickle, protocols 0 to 5, from `start` on, as data. Nothing is imported, called or built.
 *
 * Source: CPython's Lib/pickletools.py.
 * Cost: O(bytes) time; memory is bounded by the objects that as many bytes can justify.
 * @param isWhole whether the file ends with these bytes; if not, undefined is returned when more are needed
 * @throws EmbError "corrupt" naming the byte, "unsupported" naming the global or opcode
 */
export function readPickle(
  bytes: Uint8Array,
  name: string,
  host: PickleHost,
  { start = 0, isWhole = true }: { start?: number; isWhole?: boolean } = {},
): { value: PickleValue; end: number } | undefined {
  const machine = new PickleMachine(bytes, name, host, start);
  try {
    const value = machine.run();
    return { value, end: machine.source.at };
  } catch (error) {
    if (!(error instanceof PickleEnds)) throw error;
    if (!isWhole) return undefined;
    throw new EmbError(
      'corrupt',
      `${name}: pickle does not end within ${bytes.length} bytes`,
      'the file may be truncated: compare its size with the published one',
    );
  }
}

/** The stack, the marks and the memo of a pickle. */
export class PickleMachine {
  readonly source: PickleBytes;
  readonly host: PickleHost;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo: PickleValue[] = [];
  #objects = 0;

  constructor(bytes: Uint8Array, name: string, host: PickleHost, start: number) {
    this.source = new PickleBytes(bytes, name);
    this.source.at = start;
    this.host = host;
  }

  run(): PickleValue {
    const { source } = this;
    for (;;) {
      const code = source.u8();
      if (code === 0x2e) return this.pop();
      const operation = opcodes[code];
      if (operation === undefined)
        return source.fail(`byte 0x${code.toString(16).padStart(2, '0')} is no opcode`);
      operation(this, source);
    }
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.source.fail('the stack is empty');
    return this.#stack.pop() as PickleValue;
  }

  top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.source.fail('the stack is empty');
    return this.#stack[this.#stack.length - 1];
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Everything above the last mark. */
  popMark(): PickleValue[] {
    const from = this.#marks.pop();
    if (from === undefined) this.source.fail('there is no mark');
    return this.#stack.splice(from);
  }

  /** POP takes a value, or the mark when none is above it. */
  drop(): void {
    if (this.#marks.length > 0 && this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
    else this.pop();
  }

  put(index: number | undefined): void {
    const memo = this.#memo;
    const at = index ?? memo.length;
    // An unpickler numbers what it has seen, one byte each at least.
    if (!(at >= 0 && at <= this.source.length)) this.source.fail(`memo entry ${at} is out of reach`);
    while (memo.length < at) memo.push(null);
    memo[at] = this.top();
  }

  get(index: number): void {
    if (!(index >= 0 && index < this.#memo.length)) this.source.fail(`memo entry ${index} is not set`);
    this.push(this.#memo[index]);
  }

  /** Counts an object before it is made. */
  count(): void {
    this.#objects++;
    const most = objectsAnyway + this.source.length / bytesPerObject;
    if (this.#objects > most) {
      this.source.fail(`it has more than ${Math.floor(most)} objects in ${this.source.length} bytes`);
    }
  }

  sequence(kind: 'list' | 'tuple' | 'set', items: PickleValue[]): void {
    if (kind === 'tuple' && items.length === 0) {
      this.push(emptyTuple);
    } else {
      this.count();
      this.push(new PickleSequence(kind, items));
    }
  }

  dict(items: PickleValue[]): void {
    if (items.length % 2 !== 0) this.source.fail('a dictionary has a key without value');
    this.count();
    this.push(new PickleDict(items));
  }

  /** Adds to the list, set or dictionary on top. */
  extend(items: PickleValue[], keyed: boolean): void {
    if (keyed && items.length % 2 !== 0) this.source.fail('a dictionary has a key without value');
    const target = this.top();
    const isCollection =
      target instanceof PickleObject ||
      (keyed ? target instanceof PickleDict : target instanceof PickleSequence && target.kind !== 'tuple');
    if (!isCollection) this.source.fail(`something is added to what is no ${keyed ? 'dictionary' : 'list'}`);
    const collection = target as PickleObject | PickleDict | PickleSequence;
    const added =
      target instanceof PickleObject && !keyed
        ? items.flatMap((item, index) => [target.items.length / 2 + index, item])
        : items;
    // The first items as they are: an array that grows from nothing makes room for 17.
    if (collection.items.length === 0) collection.items = added;
    else for (const item of added) collection.items.push(item);
  }

  global(module: string, name: string): void {
    this.count();
    this.push(this.host.global(shorten(module), shorten(name)));
  }

  persistent(id: PickleValue): void {
    this.count();
    this.push(this.host.persistent(id));
  }

  call(callee: PickleValue, args: readonly PickleValue[]): void {
    this.count();
    this.push(this.host.call(callee, args));
  }

  /** Sets the state of the object on top; a dictionary's attributes, such as a state dict's versions, are let be. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof PickleObject) target.state = state;
    else if (target instanceof PickleGlobal) this.source.fail(`the class ${target.path} is given a state`);
  }

  /** A tuple's items. */
  popTuple(): readonly PickleValue[] {
    const args = this.pop();
    if (!(args instanceof PickleSequence)) this.source.fail('arguments are no tuple');
    return args.items;
  }
}

function shorten(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name;
}
