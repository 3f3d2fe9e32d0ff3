import { dtypeNamed } from '../dtypes/index.ts';
import { EmbError } from '../errors.ts';
import type { TensorInfo } from '../types.ts';
import type { Cursor } from './gguf-cursor.ts';
import { removedType, typeNamed } from './gguf-types.ts';
import { checkFits, readString } from './gguf-values.ts';

/** Bytes of the shortest tensor entry: a name's length, a rank, a type and an offset. */
const shortestEntry = 20;

/** ggml has 4 dimensions, and the format leaves room for more. */
const highestRank = 8;

/** Longest name of a tensor: the format says 64, and some writers go beyond. */
const longestName = 65_535;

/** Reads `count` tensor entries; their offsets still count from where the data begins. */
export async function readTensors(cursor: Cursor, count: number): Promise<TensorInfo[]> {
  checkFits(cursor, '"tensor_count"', count, shortestEntry, 'tensors');
  const tensors: TensorInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const tensor = await readTensor(cursor, i);
    if (names.has(tensor.name)) {
      throw new EmbError('corrupt', `${cursor.name}: tensor ${JSON.stringify(tensor.name)} stands twice`);
    }
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

async function readTensor(cursor: Cursor, index: number): Promise<TensorInfo> {
  const { source } = cursor.header;
  const { countBytes, littleEndian } = cursor.layout;
  const name = await readString(cursor, `the name of tensor ${index}`, longestName);
  const label = `${source.name}: tensor ${JSON.stringify(name)}`;
  if (!cursor.has(4)) await cursor.want(4, label);
  const rank = cursor.u32();
  if (rank > highestRank) {
    throw new EmbError('corrupt', `${label} has ${rank} dimensions, expected at most ${highestRank}`);
  }
  const size = rank * countBytes + 12;
  if (!cursor.has(size)) await cursor.want(size, `the entry of tensor ${JSON.stringify(name)}`);
  const shape: number[] = [];
  // The innermost dimension stands first.
  for (let i = 0; i < rank; i++) shape.unshift(cursor.count());
  const dtype = typeOf(label, cursor.u32());
  const byteLength = byteLengthOf(label, dtype, shape);
  const offset = Number(cursor.u64());
  const tensor: TensorInfo = { name, shape, dtype, offset, byteLength, source };
  if (!littleEndian) tensor.bigEndian = true;
  return tensor;
}

function typeOf(label: string, id: number): string {
  const name = typeNamed(id);
  if (name !== undefined) return name;
  const old = removedType(id);
  if (old !== undefined) {
    throw new EmbError(
      'unsupported',
      `${label}: type is ${old} (${id}), which ggml has removed`,
      'convert the model again with a llama.cpp of today',
    );
  }
  throw new EmbError('unsupported', `${label}: type is ${id}, which ggml does not have`);
}

/** Bytes of a tensor: whole blocks along its innermost dimension. */
function byteLengthOf(label: string, dtype: string, shape: readonly number[]): number {
  const block = dtypeNamed(dtype);
  if (block === undefined) throw new EmbError('unsupported', `${label}: type ${dtype} has no known size`);
  const { blockWeights, blockBytes } = block;
  const shown = `[${shape.join(', ')}]`;
  const inner = shape.at(-1) ?? 1;
  if (inner % blockWeights !== 0) {
    throw new EmbError(
      'corrupt',
      `${label}: rows of ${shown} are ${inner} weights of ${dtype}, expected a multiple of ${blockWeights}`,
    );
  }
  const weights = shape.includes(0) ? 0 : shape.reduce((product, each) => product * each, 1);
  const bytes = (weights / blockWeights) * blockBytes;
  if (weights > Number.MAX_SAFE_INTEGER || bytes > Number.MAX_SAFE_INTEGER) {
    throw new EmbError('corrupt', `${label}: shape ${shown} has more than 2^53 - 1 weights or bytes`);
  }
  return bytes;
}

/**
 * Moves offsets to where the data begins; gives notes on what is odd.
 *
 * @throws EmbError "corrupt" for data that is shared or beyond the file
 */
export function placeTensors(tensors: readonly TensorInfo[], headerEnd: number, alignment: number): string[] {
  const dataStart = Math.ceil(headerEnd / alignment) * alignment;
  const odd = tensors.filter(({ offset }) => offset % alignment !== 0);
  for (const tensor of tensors) {
    const label = `${tensor.source.name}: tensor ${JSON.stringify(tensor.name)}`;
    tensor.offset += dataStart;
    const end = tensor.offset + tensor.byteLength;
    if (end > tensor.source.byteLength) {
      throw new EmbError(
        'corrupt',
        `${label} ends at byte ${end}, expected at most ${tensor.source.byteLength}, the size of the file`,
        'the file may be truncated: compare its size with the published one',
      );
    }
  }
  const placed = tensors.filter(({ byteLength }) => byteLength > 0).sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < placed.length; i++) {
    const before = placed[i - 1];
    const free = before.offset + before.byteLength;
    if (placed[i].offset < free) {
      throw new EmbError(
        'corrupt',
        `${placed[i].source.name}: tensor ${JSON.stringify(placed[i].name)} begins at byte ${placed[i].offset}, expected at least ${free}: it overlaps ${JSON.stringify(before.name)}`,
      );
    }
  }
  if (odd.length === 0) return [];
  return [
    `offsets of ${odd.length} of ${tensors.length} tensors, ${JSON.stringify(odd[0].name)} first, are no multiple of ${alignment}, the alignment: llama.cpp refuses such a file`,
  ];
}
