import { EmbError } from '../errors.ts';
import {
  PickleDict,
  PickleGlobal,
  type PickleHost,
  PickleObject,
  PickleReference,
  PickleSequence,
  type PickleValue,
} from './pickle-values.ts';
import { storageDType, TorchDType, torchDType } from './pytorch-dtypes.ts';
import { isAllowedGlobal } from './pytorch-globals.ts';

/** Bytes that tensors are views of. */
export class TorchStorage extends PickleReference {
  readonly kind = 'storage';
  readonly key: string;
  readonly dtype: TorchDType;
  /** Length of the storage in the file, in elements. */
  readonly elements: number;
  /** Where a legacy view of it begins, in elements. */
  readonly start: number;

  constructor(key: string, dtype: TorchDType, elements: number, start: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.elements = elements;
    this.start = start;
  }
}

/** A tensor as its arguments describe it. Units: offset and strides in elements of dtype. */
export class TorchTensor extends PickleReference {
  readonly kind = 'tensor';
  readonly storage: TorchStorage;
  readonly dtype: TorchDType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: TorchStorage,
    dtype: TorchDType,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    super();
    this.storage = storage;
    this.dtype = dtype;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** Ranks beyond this are no tensors: torch itself stops at 64. */
const longestShape = 64;

/** Pairs that lists turn into dictionaries, as Python 2 wrote them. */
const mostPairs = 1 << 20;

type Meaning = (host: TorchHost, args: readonly PickleValue[], callee: PickleGlobal) => PickleValue;

/** What calls mean; every other allowed global is kept as data. */
const meanings: Record<string, Meaning> = {
  'collections.OrderedDict': dictionary,
  'collections.Counter': dictionary,
  'collections.defaultdict': () => new PickleDict([]),
  'builtins.dict': dictionary,
  '__builtin__.dict': dictionary,
  'builtins.set': collection('set'),
  'builtins.frozenset': collection('set'),
  '__builtin__.set': collection('set'),
  '__builtin__.frozenset': collection('set'),
  'builtins.list': collection('list'),
  'builtins.tuple': collection('tuple'),
  'torch.Size': collection('tuple'),
  'torch._utils._rebuild_tensor': (host, args) => host.tensor(args),
  'torch._utils._rebuild_tensor_v2': (host, args) => host.tensor(args),
  'torch._utils._rebuild_tensor_v3': (host, args) => host.tensor(args, args[6]),
  'torch._utils._rebuild_qtensor': (host, args) => host.tensor(args),
  'torch._utils._rebuild_parameter': first,
  'torch._utils._rebuild_parameter_with_state': first,
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': first,
  'torch.nn.parameter.Parameter': (_, args, callee) =>
    args[0] instanceof TorchTensor ? args[0] : new PickleObject(callee, args),
  'torch._tensor._rebuild_from_type': rebuildFromType,
  'torch._tensor._rebuild_from_type_v2': rebuildFromType,
  'torch.jit._pickle.build_boollist': first,
  'torch.jit._pickle.build_doublelist': first,
  'torch.jit._pickle.build_intlist': first,
  'torch.jit._pickle.build_tensorlist': first,
  'torch.jit._pickle.restore_type_tag': first,
  'copyreg._reconstructor': (host, args) => host.call(args[0] ?? null, []),
  'copy_reg._reconstructor': (host, args) => host.call(args[0] ?? null, []),
};

/** Gives the pickles of torch.save their meaning: storages, tensors, dictionaries; the rest is data. */
export class TorchHost implements PickleHost {
  /** The first mention of every storage, by key. */
  readonly storages = new Map<string, TorchStorage>();
  readonly #name: string;
  readonly #tuples = new Map<PickleSequence, readonly number[]>();
  #pairs = 0;

  /** @param name of the file, for errors */
  constructor(name: string) {
    this.#name = name;
  }

  global(module: string, name: string): PickleValue {
    const dtype = module === 'torch' ? torchDType(name) : undefined;
    const found = dtype ?? storageDType(module, name);
    if (found !== undefined) return found;
    if (isAllowedGlobal(module, name)) return new PickleGlobal(module, name);
    throw new EmbError(
      'unsupported',
      `${this.#name}: pickle names ${JSON.stringify(`${module} ${name}`)}, which is not on the list of what emb reads`,
      'a pickle can run code, so emb executes none: save the tensors alone, as safetensors',
    );
  }

  call(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(callee instanceof PickleGlobal)) {
      throw new EmbError(
        'unsupported',
        `${this.#name}: pickle calls what is no class or function on the list`,
      );
    }
    const { path } = callee;
    const meaning = Object.hasOwn(meanings, path) ? meanings[path] : undefined;
    return meaning === undefined ? new PickleObject(callee, args) : meaning(this, args, callee);
  }

  persistent(id: PickleValue): PickleValue {
    const parts = id instanceof PickleSequence ? id.items : [];
    // Source files of modules that were saved whole, by PyTorch before 1.6.
    if (parts[0] === 'module') return parts[1] ?? null;
    const [kind, dtype, key, , elements, view] = parts;
    if (kind !== 'storage' || !(typeof key === 'string' || typeof key === 'number')) {
      this.#fail('a storage', 'has no name');
    }
    if (!(dtype instanceof TorchDType)) this.#fail(`storage ${JSON.stringify(key)}`, 'has no element type');
    const start = view instanceof PickleSequence ? view.items[1] : 0;
    const storage = new TorchStorage(
      String(key),
      dtype,
      this.#count(elements, `length of storage ${JSON.stringify(key)}`),
      this.#count(start, `start of a view of storage ${JSON.stringify(key)}`),
    );
    if (!this.storages.has(storage.key)) this.storages.set(storage.key, storage);
    return storage;
  }

  /** Counts the pairs and items that are copied: a list of them may be used any number of times. */
  countPairs(count: number): void {
    this.#pairs += count;
    if (this.#pairs <= mostPairs) return;
    throw new EmbError('unsupported', `${this.#name}: pickle copies more than ${mostPairs} pairs and items`);
  }

  /** args: storage, offset, shape, strides. given: the dtype, when it is not the storage's. */
  tensor(args: readonly PickleValue[], given?: PickleValue): PickleValue {
    const [storage, offset, shape, strides] = args;
    if (!(storage instanceof TorchStorage)) this.#fail('a tensor', 'has no storage');
    const dtype = given instanceof TorchDType ? given : storage.dtype;
    const sizes = this.#counts(shape, 'shape of a tensor');
    const steps = this.#counts(strides, 'strides of a tensor');
    if (sizes.length !== steps.length) {
      this.#fail('a tensor', `has ${steps.length} strides, expected ${sizes.length}`);
    }
    return new TorchTensor(storage, dtype, this.#count(offset, 'offset of a tensor'), sizes, steps);
  }

  /** Numbers of a tuple, which is read once however many tensors share it. */
  #counts(value: PickleValue | undefined, what: string): readonly number[] {
    if (!(value instanceof PickleSequence)) this.#fail(what, 'is no tuple');
    const known = this.#tuples.get(value);
    if (known !== undefined) return known;
    if (value.items.length > longestShape) {
      this.#fail(what, `has ${value.items.length} numbers, expected at most ${longestShape}`);
    }
    const counts = value.items.map((item) => this.#count(item, what));
    this.#tuples.set(value, counts);
    return counts;
  }

  #count(value: PickleValue | undefined, what: string): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      this.#fail(what, 'is no whole number in 0..2^53 - 1');
    }
    return value;
  }

  #fail(what: string, problem: string): never {
    throw new EmbError('corrupt', `${this.#name}: ${what} ${problem}`);
  }
}

function first(_: TorchHost, args: readonly PickleValue[]): PickleValue {
  return args[0] ?? null;
}

/** From nothing, a dictionary, or a list of pairs. */
function dictionary(host: TorchHost, args: readonly PickleValue[]): PickleValue {
  const [from] = args;
  if (from instanceof PickleDict) {
    host.countPairs(from.items.length / 2);
    return new PickleDict([...from.items]);
  }
  const pairs = from instanceof PickleSequence ? from.items : [];
  host.countPairs(pairs.length);
  const items: PickleValue[] = [];
  for (const pair of pairs) {
    if (pair instanceof PickleSequence && pair.items.length === 2) items.push(pair.items[0], pair.items[1]);
  }
  return new PickleDict(items);
}

function collection(kind: 'list' | 'tuple' | 'set'): Meaning {
  return (host, [from]) => {
    const items = from instanceof PickleSequence ? from.items : [];
    host.countPairs(items.length);
    return new PickleSequence(kind, [...items]);
  };
}

/** A subclass of Tensor: the call that rebuilds the plain tensor is an argument. Such calls don't nest. */
function rebuildFromType(host: TorchHost, args: readonly PickleValue[], callee: PickleGlobal): PickleValue {
  const [rebuild, , inner] = args;
  if (!(rebuild instanceof PickleGlobal) || rebuild.path.includes('_from_type')) {
    return new PickleObject(callee, args);
  }
  return host.call(rebuild, inner instanceof PickleSequence ? inner.items : []);
}
