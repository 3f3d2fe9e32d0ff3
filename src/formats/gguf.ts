import { EmbError } from '../errors.ts';
import type { ByteSource, Files, TensorFile, TensorInfo } from '../types.ts';
import { configOf, rolesOf } from './gguf-config.ts';
import { type GgufPart, readHeader, shown } from './gguf-header.ts';

/** More parts than any model has; each is a file that is opened. */
const mostParts = 9999;

/**
 * Reads the header of a GGUF file, version 1, 2 or 3, either byte order, and of its other parts when it is split; no weights.
 *
 * Arrays of the metadata are passed over by their lengths and decoded when they are asked for. A part whose others are all missing
 * opens alone, with a note. Shapes are outermost first.
 * Source: docs/gguf.md of ggml-org/ggml, ggml/src/gguf.cpp and tools/gguf-split of ggml-org/llama.cpp.
 * Cost: one walk over the header in blocks.
 * @param files what lies beside it: the other parts
 * @throws EmbError "corrupt" naming the fact that does not hold, "unsupported" for versions and types that are not known,
 * "missing" for a part that is not there
 */
export async function openGguf(source: ByteSource, files?: Files): Promise<TensorFile> {
  const part = await readHeader(source);
  const count = countOf(part);
  if (count <= 1) return fileOf([part], []);
  const place = placeOf(part, count);
  const others = files === undefined ? [] : await openOthers(files, place);
  if (others.length === 0) {
    return fileOf(
      [part],
      [`part ${place.index + 1} of ${count}: the others are not here, and its tensors stand alone`],
    );
  }
  try {
    const parts = await readParts(part, others, place);
    checkParts(parts, count);
    return fileOf(parts, []);
  } catch (error) {
    for (const other of others) await other.source.close();
    throw error;
  }
}

function fileOf(parts: readonly GgufPart[], notes: readonly string[]): TensorFile {
  const [{ source, metadata }] = parts;
  const tensors = parts.flatMap((part) => part.tensors);
  const roles = rolesOf(tensors);
  return {
    format: 'gguf',
    name: source.name,
    tensors,
    metadata,
    roles,
    config: configOf(metadata, roles),
    notes: [...parts.flatMap((part) => part.notes), ...notes],
    ...(metadata.has('tokenizer.ggml.model') ? { vocabulary: { kind: 'gguf' as const, metadata } } : {}),
    async close() {
      for (const part of parts) await part.source.close();
    },
  };
}

/** How many parts the model has; 1 for a file that is not split. */
function countOf({ source, metadata }: GgufPart): number {
  const count = metadata.get('split.count') ?? 1;
  if (typeof count === 'number' && count >= 0 && count <= mostParts) return count;
  throw new EmbError(
    'corrupt',
    `${source.name}: "split.count" is ${shown(count)}, expected 1 to ${mostParts} parts`,
  );
}

/** Where a part stands, by its metadata and by its name, which must agree. */
interface Place {
  count: number;
  /** From 0. */
  index: number;
  /** Name of any part in its folder. */
  nameOf(index: number): string;
}

function placeOf({ source, metadata }: GgufPart, count: number): Place {
  const index = metadata.get('split.no');
  if (typeof index !== 'number' || !(index >= 0 && index < count)) {
    throw new EmbError(
      'corrupt',
      `${source.name}: "split.no" is ${shown(index)}, expected 0 to ${count - 1}, one of ${count} parts`,
    );
  }
  const file = source.name.split(/[\\/]/).at(-1) ?? '';
  const number = (value: number): string => String(value).padStart(5, '0');
  const ending = `-${number(index + 1)}-of-${number(count)}.gguf`;
  if (!file.endsWith(ending)) {
    throw new EmbError(
      'corrupt',
      `${source.name}: is part ${index + 1} of ${count}, expected a name that ends with ${JSON.stringify(ending)}`,
      'parts find each other by their names: rename it back',
    );
  }
  const stem = file.slice(0, -ending.length);
  return { count, index, nameOf: (each) => `${stem}-${number(each + 1)}-of-${number(count)}.gguf` };
}

interface Other {
  index: number;
  source: ByteSource;
}

/** The other parts; none when none is there. @throws EmbError "missing" when only some are */
async function openOthers(files: Files, place: Place): Promise<Other[]> {
  const others: Other[] = [];
  let absent: string | undefined;
  try {
    for (let index = 0; index < place.count; index++) {
      if (index === place.index) continue;
      const source = await files.open(place.nameOf(index));
      if (source === undefined) absent ??= place.nameOf(index);
      else others.push({ index, source });
    }
    if (absent !== undefined && others.length > 0) {
      throw new EmbError(
        'missing',
        `${files.name}: has no ${absent}, expected all ${place.count} parts: ${others.length + 1} are there`,
        'download the missing part',
      );
    }
  } catch (error) {
    for (const { source } of others) await source.close();
    throw error;
  }
  return others;
}

async function readParts(known: GgufPart, others: readonly Other[], place: Place): Promise<GgufPart[]> {
  const parts: GgufPart[] = [];
  parts[place.index] = known;
  for (const { index, source } of others) {
    const part = await readHeader(source);
    const [number, count] = [part.metadata.get('split.no'), part.metadata.get('split.count')];
    if (number !== index || count !== place.count) {
      throw new EmbError(
        'corrupt',
        `${source.name}: "split.no" and "split.count" are ${shown(number)} and ${shown(count)}, expected ${index} and ${place.count}`,
        'the file belongs to another split',
      );
    }
    parts[index] = part;
  }
  return parts;
}

/** Tensors stand in one part each, and are as many as the first part says. */
function checkParts(parts: readonly GgufPart[], count: number): void {
  const owners = new Map<string, TensorInfo>();
  for (const tensor of parts.flatMap((part) => part.tensors)) {
    const owner = owners.get(tensor.name);
    if (owner !== undefined) {
      throw new EmbError(
        'corrupt',
        `${tensor.source.name}: tensor ${JSON.stringify(tensor.name)} stands in ${owner.source.name} too`,
      );
    }
    owners.set(tensor.name, tensor);
  }
  const [{ source, metadata }] = parts;
  const expected = metadata.get('split.tensors.count');
  if (typeof expected === 'number' && expected !== owners.size) {
    throw new EmbError(
      'corrupt',
      `${source.name}: ${count} parts have ${owners.size} tensors, expected ${expected}, "split.tensors.count"`,
    );
  }
}
