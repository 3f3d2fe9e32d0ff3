import { EmbError } from '../errors.ts';
import { arenaOffset } from '../kernels/arena.ts';
import { loadArenaDecode } from '../kernels/dequantize.ts';
import type { DType } from '../types.ts';
import { type BlockLayout, blockLayouts, type Family, swapFields } from './blocks.ts';
import { bf16, f16, f32, f64 } from './floats.ts';
import type { Decode } from './half.ts';
import { bool, i8, i16, i32, i64, u8, u16, u32, u64 } from './ints.ts';
import { swapBytes } from './unaligned.ts';

/** A dtype whose size is known, so that a header that names it can be checked, and that is not decoded here. */
function sized(name: string, blockWeights: number, blockBytes: number): DType {
  return {
    name,
    blockWeights,
    blockBytes,
    decode() {
      throw unreadable(name, decoded);
    },
  };
}

/**
 * Names and bits per weight as the safetensors crate 0.8 has them; C128 is NumPy's complex128. Nobody says in which order weights of
 * 6 bits share bytes: the crate has only their size, and ml_dtypes gives each a byte.
 */
const sizedOnly = [sized('F6_E2M3', 4, 3), sized('F6_E3M2', 4, 3), sized('C64', 1, 8), sized('C128', 1, 16)];

const readable = [f64, f32, f16, bf16, i8, u8, i16, u16, i32, u32, i64, u64, bool];

const onDemand = Object.entries(blockLayouts).map(([name, { blockWeights, blockBytes }]) =>
  sized(name, blockWeights, blockBytes),
);

const decoded = [...readable, ...onDemand];

const registry = new Map([...decoded, ...sizedOnly].map((dtype) => [dtype.name, dtype]));

const families: Record<Family, () => Promise<{ decoders: Record<string, Decode> }>> = {
  legacy: () => import('./ggml-legacy.ts'),
  k: () => import('./ggml-k.ts'),
  i: () => import('./ggml-i.ts'),
  ternary: () => import('./ggml-ternary.ts'),
  microscaling: () => import('./microscaling.ts'),
  floats8: () => import('./floats8.ts'),
};

/** From so many weights on a SIMD twin is worth the 2 milliseconds that loading it takes. */
const simdWorth = 1 << 20;

/** Below this many bytes a call into WebAssembly gains nothing. */
const simdBytes = 1 << 12;

/** The dtype of a name as files write it, for its sizes; undefined for a name that no format has. */
export function dtypeNamed(name: string): DType | undefined {
  return registry.get(name);
}

/**
 * The dtype of a name, ready to decode, if that needs nothing loaded: plain floats and integers.
 *
 * With bigEndian its decode reverses the bytes of src in place before it reads them.
 * @throws EmbError "unsupported" for any other dtype; loadDType has more
 */
export function readableDType(name: string, bigEndian = false): DType {
  const dtype = registry.get(name);
  if (dtype === undefined || !readable.includes(dtype)) throw unreadable(name, readable);
  if (!bigEndian || dtype.blockBytes === 1) return dtype;
  return {
    ...dtype,
    decode(src, out) {
      swapBytes(src, dtype.blockBytes);
      dtype.decode(src, out);
    },
  };
}

/**
 * The dtype of a name, ready to decode, with its SIMD twin where that is worth loading.
 *
 * With bigEndian its decode reverses the bytes of numbers in src in place: of blocks the scales, and what else ggml reads as one
 * number. The twin runs where src and out lie in the arena of src/kernels/arena.ts; the values are the same bits.
 * @param weights how many will be decoded in all; few are not worth a twin
 * @throws EmbError "unsupported" for a dtype that is not decoded, or not in this byte order
 */
export async function loadDType(
  name: string,
  bigEndian = false,
  weights: number = Number.POSITIVE_INFINITY,
): Promise<DType> {
  if (!Object.hasOwn(blockLayouts, name)) {
    if (!readable.some((dtype) => dtype.name === name)) throw unreadable(name, decoded);
    const dtype = readableDType(name, bigEndian);
    const swap = bigEndian ? (src: Uint8Array) => swapBytes(src, dtype.blockBytes) : undefined;
    return withTwin(dtype, weights, swap);
  }
  const layout = blockLayouts[name];
  if (bigEndian && layout.fields === null) throw unordered(name);
  const { decoders } = await families[layout.family]();
  const decode = decoders[name];
  const swaps = bigEndian && layout.fields?.length !== 0;
  const dtype: DType = {
    ...sized(name, layout.blockWeights, layout.blockBytes),
    decode: swaps ? swapped(decode, layout) : decode,
  };
  return withTwin(dtype, weights, swaps ? (src) => swapFields(src, layout) : undefined);
}

/**
 * The dtype of a name, whose decoder is loaded when rows are first read.
 *
 * @throws EmbError "unsupported" for a dtype that is not decoded; load throws for one that is not in this byte order
 */
export function lateDType(name: string, bigEndian = false): DType {
  const base = decoded.find((dtype) => dtype.name === name);
  if (base === undefined) throw unreadable(name, decoded);
  let { decode } = readable.includes(base) ? readableDType(name, bigEndian) : base;
  const isPlain = readable.includes(base);
  return {
    ...base,
    decode: (src, out) => decode(src, out),
    async load(weights) {
      if (isPlain && weights < simdWorth) return;
      ({ decode } = await loadDType(name, bigEndian, weights));
    },
  };
}

function swapped(decode: Decode, layout: BlockLayout): Decode {
  return (src, out) => {
    swapFields(src, layout);
    decode(src, out);
  };
}

/** The same dtype, decoding what lies in the arena by SIMD. swap: what its own decode does to src first. */
async function withTwin(
  dtype: DType,
  weights: number,
  swap: ((src: Uint8Array) => void) | undefined,
): Promise<DType> {
  const twin = weights < simdWorth ? undefined : await loadArenaDecode(dtype.name);
  if (twin === undefined) return dtype;
  const plain = dtype.decode;
  return {
    ...dtype,
    decode(src, out) {
      if (src.length < simdBytes || arenaOffset(src) === undefined || arenaOffset(out) === undefined)
        plain(src, out);
      else {
        swap?.(src);
        twin(src, out);
      }
    },
  };
}

function unordered(name: string): EmbError {
  return new EmbError(
    'unsupported',
    `dtype ${name} is not decoded in big endian: ggml reads its grid both as numbers and byte by byte`,
    'convert the model again to little endian',
  );
}

function unreadable(name: string, expected: readonly DType[]): EmbError {
  const names = expected.map((dtype) => dtype.name).join(' ');
  return new EmbError('unsupported', `dtype ${name} is not decoded, expected one of ${names}`, hintFor(name));
}

function hintFor(name: string): string | undefined {
  if (name === 'C64' || name === 'C128')
    return 'a complex number is no float32: save its real and imaginary parts as two tables';
  if (name.startsWith('F6_'))
    return 'no format says how weights of 6 bits are packed: save them as F8_E4M3 or BF16';
  return undefined;
}
