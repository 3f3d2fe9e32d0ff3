/**
 * What a pickle holds, as data: nothing here was called or can be.
 *
 * Whole numbers beyond 2^53 are bigints; bytes are views of the pickle.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleObject
  | PickleReference;

export class PickleSequence {
  readonly kind: 'list' | 'tuple' | 'set';
  items: PickleValue[];

  constructor(kind: 'list' | 'tuple' | 'set', items: PickleValue[]) {
    this.kind = kind;
    this.items = items;
  }
}

/** A dictionary as keys and values in turn, as they were set: a Map costs more memory than the pickle may justify. */
export class PickleDict {
  items: PickleValue[];

  constructor(items: PickleValue[]) {
    this.items = items;
  }
}

/** A class or function by its name. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What calling a global would have given: its arguments and, once built, its state. */
export class PickleObject {
  readonly type: PickleGlobal;
  readonly args: readonly PickleValue[];
  state: PickleValue = null;
  /** What was set, keys and values in turn, or appended, with its place as key. */
  items: PickleValue[] = [];

  constructor(type: PickleGlobal, args: readonly PickleValue[]) {
    this.type = type;
    this.args = args;
  }
}

/** Something outside the pickle, or made by its host: a storage, a tensor. */
export abstract class PickleReference {
  abstract readonly kind: string;
}

/** Who gives globals a meaning. */
export interface PickleHost {
  /** @throws EmbError "unsupported" for a global that is not on the list */
  global(module: string, name: string): PickleValue;
  /** What calling (REDUCE, INST, OBJ, NEWOBJ) a value would give. */
  call(callee: PickleValue, args: readonly PickleValue[]): PickleValue;
  persistent(id: PickleValue): PickleValue;
}
