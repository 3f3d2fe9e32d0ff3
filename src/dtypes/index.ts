import { EmbError } from '../errors.ts';
import type { DType } from '../types.ts';
import { bf16, f16, f32, f64 } from './floats.ts';
import { bool, i8, i16, i32, i64, u8, u16, u32, u64 } from './ints.ts';
import { swapBytes } from './unaligned.ts';

/** A dtype whose size is known, so that a header that names it can be checked, and that is not decoded. */
function sized(name: string, blockWeights: number, blockBytes: number): DType {
  return {
    name,
    blockWeights,
    blockBytes,
    decode() {
      throw unreadable(name);
    },
  };
}

/** Names and bits per weight as the safetensors crate 0.8 has them; C128 is NumPy's complex128. */
const sizedOnly = [
  sized('F4', 2, 1),
  sized('F6_E2M3', 4, 3),
  sized('F6_E3M2', 4, 3),
  sized('F8_E4M3', 1, 1),
  sized('F8_E5M2', 1, 1),
  sized('F8_E8M0', 1, 1),
  sized('F8_E4M3FNUZ', 1, 1),
  sized('F8_E5M2FNUZ', 1, 1),
  sized('C64', 1, 8),
  sized('C128', 1, 16),
];

const readable = [f64, f32, f16, bf16, i8, u8, i16, u16, i32, u32, i64, u64, bool];

const registry = new Map([...readable, ...sizedOnly].map((dtype) => [dtype.name, dtype]));

/** The dtype of a name as files write it; undefined for a name that no format has. */
export function dtypeNamed(name: string): DType | undefined {
  return registry.get(name);
}

/**
 * The dtype of a name, ready to decode.
 *
 * With bigEndian its decode reverses the bytes of src in place before it reads them.
 * @throws EmbError "unsupported" for a dtype that is listed and not decoded
 */
export function readableDType(name: string, bigEndian = false): DType {
  const dtype = registry.get(name);
  if (dtype === undefined || !readable.includes(dtype)) throw unreadable(name);
  if (!bigEndian || dtype.blockBytes === 1) return dtype;
  return {
    ...dtype,
    decode(src, out) {
      swapBytes(src, dtype.blockBytes);
      dtype.decode(src, out);
    },
  };
}

function unreadable(name: string): EmbError {
  const complex = name === 'C64' || name === 'C128';
  return new EmbError(
    'unsupported',
    `dtype ${name} is not decoded, expected one of ${readable.map((dtype) => dtype.name).join(' ')}`,
    complex ? 'a complex number is no float32: save its real and imaginary parts as two tables' : undefined,
  );
}
