import { EmbError } from '../errors.ts';
import { PickleDict, PickleObject, PickleSequence, type PickleValue } from './pickle-values.ts';
import { type TorchHost, TorchTensor } from './pytorch-pickle.ts';

/** What a checkpoint holds, by dotted names. */
export interface Checkpoint {
  tensors: { name: string; tensor: TorchTensor }[];
  /** Numbers, texts and booleans beside them. */
  scalars: Map<string, unknown>;
  notes: string[];
}

/** Name of a tensor that stands alone. */
const tensorName = 'tensor';

/** Modules nest to 20 or so. */
const deepest = 128;

/** What a checkpoint may list whatever its size, and bytes of pickle that justify one more. */
const namesAnyway = 1 << 16;
const bytesPerName = 16;
const lettersAnyway = 1 << 22;
const lettersPerByte = 4;
const stepsAnyway = 1 << 20;
const stepsPerByte = 8;

/** Scalars are shown, not computed with: the first of them, when they are short. */
const mostScalars = 64;
const longestScalar = 200;

/** A module that was saved whole keeps its weights in these, its children in the last. */
const moduleParts = ['_parameters', '_buffers', '_modules'];

/**
 * Lists the tensors of a checkpoint: nested dictionaries, lists, objects and whole modules become dotted names.
 *
 * A tensor that stands at two places has two names. Memory and time are bounded by the bytes of the pickle, however often its
 * parts refer to each other.
 * @throws EmbError "unsupported" for nesting beyond 128 levels or more names than such a pickle has
 */
export function nameTensors(
  root: PickleValue,
  name: string,
  host: TorchHost,
  pickleBytes: number,
): Checkpoint {
  return new Walk(name, host, pickleBytes).run(root);
}

class Walk {
  readonly #name: string;
  readonly #host: TorchHost;
  readonly #pickleBytes: number;
  readonly #checkpoint: Checkpoint = { tensors: [], scalars: new Map(), notes: [] };
  readonly #seen = new Map<string, number>();
  /** Containers that the walk is in: a checkpoint may refer to itself. */
  readonly #active = new Set<PickleValue>();
  /** Containers without tensors are looked at once. */
  readonly #barren = new Set<PickleValue>();
  #letters = 0;
  #steps = 0;

  constructor(name: string, host: TorchHost, pickleBytes: number) {
    this.#name = name;
    this.#host = host;
    this.#pickleBytes = pickleBytes;
  }

  run(root: PickleValue): Checkpoint {
    if (root instanceof TorchTensor) this.#list(tensorName, root);
    else this.#visit('', root);
    return this.#checkpoint;
  }

  #visit(name: string, value: PickleValue): void {
    this.#step();
    if (value instanceof TorchTensor) {
      this.#list(name === '' ? tensorName : name, value);
    } else if (
      value instanceof PickleDict ||
      value instanceof PickleSequence ||
      value instanceof PickleObject
    ) {
      this.#enter(name, value);
    } else {
      this.#noteScalar(name, value);
    }
  }

  #enter(name: string, container: PickleDict | PickleSequence | PickleObject): void {
    if (this.#barren.has(container) || this.#active.has(container)) return;
    if (this.#active.size === deepest) this.#refuse(`nests deeper than ${deepest} levels`);
    this.#active.add(container);
    const { tensors } = this.#checkpoint;
    const before = tensors.length;
    if (container instanceof PickleSequence) {
      container.items.forEach((item, index) => {
        this.#visit(join(name, index), item);
      });
    } else if (container instanceof PickleDict) {
      this.#visitPairs(name, container.items);
    } else {
      this.#visitObject(name, container);
    }
    this.#active.delete(container);
    if (tensors.length === before) this.#barren.add(container);
  }

  #visitPairs(name: string, items: readonly PickleValue[]): void {
    for (let at = 0; at + 1 < items.length; at += 2) {
      const key = items[at];
      const isName = typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean';
      this.#visit(join(name, isName ? key : at / 2), items[at + 1]);
    }
  }

  #visitObject(name: string, { type, args, state, items }: PickleObject): void {
    const { path } = type;
    if (
      /^torch(\.cuda)?\.\w*Tensor$/.test(path) &&
      state instanceof PickleSequence &&
      state.items.length === 4
    ) {
      // As PyTorch 0.1 wrote them.
      this.#visit(name, this.#host.tensor(state.items));
    } else if (/^torch\._utils\._rebuild_\w+$/.test(path)) {
      this.#note(
        `tensor ${JSON.stringify(name.slice(0, longestScalar))} is not listed: ${path} makes no plain tensor`,
      );
    } else if (path === 'torch.nn.parameter.Parameter' && state instanceof PickleSequence) {
      this.#visit(name, state.items[0] ?? null);
    } else {
      const parts = state instanceof PickleDict ? modulePartsOf(state) : [];
      if (parts.length > 0) {
        for (const part of parts) this.#visit(name, part);
      } else {
        args.forEach((argument, index) => {
          this.#visit(join(name, index), argument);
        });
        this.#visit(name, state);
      }
      this.#visitPairs(name, items);
    }
  }

  #list(name: string, tensor: TorchTensor): void {
    const { tensors } = this.#checkpoint;
    this.#letters += name.length;
    if (
      tensors.length >= namesAnyway + this.#pickleBytes / bytesPerName ||
      this.#letters > lettersAnyway + this.#pickleBytes * lettersPerByte
    ) {
      this.#refuse(`names more tensors than ${this.#pickleBytes} bytes of pickle have`);
    }
    // "a.b" and b in a are two tensors of one name.
    const times = (this.#seen.get(name) ?? 0) + 1;
    this.#seen.set(name, times);
    tensors.push({ name: times === 1 ? name : `${name}#${times}`, tensor });
  }

  #noteScalar(name: string, value: PickleValue): void {
    const { scalars } = this.#checkpoint;
    if (scalars.size >= mostScalars || name === '' || name.length > longestScalar) return;
    if (typeof value === 'number' || typeof value === 'boolean') scalars.set(name, value);
    if (typeof value === 'string' && value.length <= longestScalar) scalars.set(name, value);
  }

  #note(text: string): void {
    const { notes } = this.#checkpoint;
    if (notes.length < mostScalars) notes.push(text);
  }

  #step(): void {
    this.#steps++;
    if (this.#steps > stepsAnyway + this.#pickleBytes * stepsPerByte) {
      this.#refuse(`refers to its parts more often than ${this.#pickleBytes} bytes of pickle do`);
    }
  }

  #refuse(what: string): never {
    throw new EmbError('unsupported', `${this.#name}: checkpoint ${what}`);
  }
}

function join(name: string, key: string | number | boolean): string {
  return name === '' ? String(key) : `${name}.${key}`;
}

/** The dictionaries of weights in a module's state; none for any other state. */
function modulePartsOf({ items }: PickleDict): PickleValue[] {
  const parts: PickleValue[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    if (moduleParts.includes(items[at] as string)) parts.push(items[at + 1]);
  }
  return parts.length >= 2 ? parts : [];
}
