import { EmbError } from '../errors.ts';
import { QuantizedRows, roundBF16, roundF16 } from '../formats/quantized-rows.ts';
import { rowsOf } from '../formats/rows.ts';
import type { Config, TensorInfo } from '../types.ts';

/** Looks up a tensor of the model; undefined for a name that is not there. */
export type FindTensor = (name: string) => Promise<TensorInfo | undefined>;

/** Tensors beside a weight whose numbers are only a part of its values, by what follows the module's name. */
const companions: [suffix: string, library: string][] = [
  ['weight.absmax', 'bitsandbytes'],
  ['weight.quant_map', 'bitsandbytes'],
  ['SCB', 'bitsandbytes'],
  ['weight_scale', 'compressed-tensors'],
  ['weight_scale_inv', 'FP8 blocks'],
];

const roundings: Record<string, ((value: number) => number) | undefined> = {
  F32: Math.fround,
  F16: roundF16,
  BF16: roundBF16,
};

/**
 * The tensor as it is, or with a reader of its values where they are packed as MLX does it.
 *
 * Source: ml-explore/mlx 0.32, affine_dequantize in mlx/ops.cpp: number x scale + bias, each rounded to the dtype of the scales;
 * several numbers in one U32, lowest bits first. Bits and group size are the config's, also those of a single module.
 * @throws EmbError "unsupported" for weights that another library packed or scaled, naming what lies beside them
 */
export async function unpackedTable(
  tensor: TensorInfo,
  find: FindTensor,
  config: Config,
): Promise<TensorInfo> {
  if (tensor.reader !== undefined || !tensor.name.endsWith('weight')) return tensor;
  const base = tensor.name.slice(0, -'weight'.length);
  for (const [suffix, library] of companions) {
    const beside = await find(base + suffix);
    if (beside !== undefined) throw packed(tensor, `${library}: ${tensor.dtype} with ${beside.name}`);
  }
  if (!/^[IU]/.test(tensor.dtype)) return tensor;
  const scales = await find(`${base}scales`);
  if (scales === undefined) return tensor;
  const biases = await find(`${base}biases`);
  const { mode, bits, group } = settingsOf(config, base.replace(/\.$/, ''));
  if (mode !== 'affine' || biases === undefined || tensor.dtype !== 'U32') {
    throw packed(tensor, `${mode ?? 'unknown mode'}: ${tensor.dtype} with ${scales.name}`);
  }
  const [rows, words] = tensor.shape;
  const dim = (words * 32) / bits;
  const blocks = dim / group;
  const round = roundings[scales.dtype];
  const isGrid = ({ shape, dtype }: TensorInfo) =>
    shape.length === 2 && shape[0] === rows && shape[1] === blocks && dtype === scales.dtype;
  if (
    tensor.shape.length !== 2 ||
    !Number.isInteger(dim) ||
    round === undefined ||
    !isGrid(scales) ||
    !isGrid(biases)
  ) {
    const shapes = [tensor, scales, biases].map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
    throw new EmbError(
      'corrupt',
      `${tensor.source.name}: ${shapes.join(', ')} do not fit together, expected ${bits} bits in groups of ${group}`,
      'check "quantization" in config.json',
    );
  }
  const factors = (grid: TensorInfo) => ({ reader: rowsOf(grid), tableRows: 1, tableColumns: group });
  return {
    ...tensor,
    shape: [rows, dim],
    reader: () =>
      new QuantizedRows({
        rows,
        dim,
        packed: rowsOf({ ...tensor, dtype: 'U8', shape: [rows, words * 4] }),
        packing: { bits, signed: false },
        scales: factors(scales),
        biases: factors(biases),
        round,
      }),
  };
}

interface Settings {
  mode: string | undefined;
  bits: number;
  group: number;
}

/** The config's "quantization", in which a module may have an entry of its own. */
function settingsOf(config: Config, module: string): Settings {
  const all = objectOf(config.quantization) ?? objectOf(config.quantization_config) ?? {};
  const own = Object.hasOwn(all, module) ? objectOf(all[module]) : undefined;
  const { bits, group_size: group, mode = 'affine' } = own ?? all;
  const isWhole = (value: unknown, most: number) =>
    Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most;
  if (typeof mode !== 'string' || !isWhole(bits, 8) || bits === 7 || bits === 1 || !isWhole(group, 1 << 16)) {
    return { mode: undefined, bits: 0, group: 0 };
  }
  return { mode, bits: bits as number, group: group as number };
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function packed({ name, source }: TensorInfo, how: string): EmbError {
  return new EmbError(
    'unsupported',
    `${source.name}: tensor ${JSON.stringify(name)} is quantized (${how}), expected plain weights or MLX's affine ones`,
    'open the model that it was made from',
  );
}
