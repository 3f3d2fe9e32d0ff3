import { EmbError } from '../errors.ts';
import type { FileRole, Layer, RowReader, TensorInfo } from '../types.ts';
import { blockQuantizedRows, dequantizedRows, nBitsRows } from './onnx-dequantize.ts';
import type { Graph } from './onnx-graph.ts';
import { type Lookup, lookupsIn } from './onnx-lookups.ts';
import { type Operand, operandOf, type Product, traceLogits } from './onnx-trace.ts';

/** Tables of rotations that positions look up: no embeddings. */
const rotations = /(^|[._/])(cos|sin|rotary|rope|inv_freq|freqs)|relative/i;

/** Graph inputs that hold ids of tokens. */
const tokenIds = /(^|[._:/])(input_?ids?|token_?ids?|tokens?|text|ids)(:\d+)?$/i;

/**
 * Which tensors the graph uses as embeddings. Where the graph computes a table's values, the tensor gets a reader of them.
 *
 * input, position, type: what ids are looked up in, told apart by where the ids come from. output: what the logits are a product
 * with; its tensor gets the shape [vocab, dim] and strides where the file has it transposed.
 */
export async function findRoles(graph: Graph): Promise<{ roles: FileRole[]; notes: string[] }> {
  const notes: string[] = [];
  const lookups = await lookupsIn(graph);
  const inputs = chooseInputs(lookups.filter(({ layer }) => layer === 'input'));
  const roles: FileRole[] = inputs.map(({ table, reason }) => ({
    layer: 'input',
    tensor: table.tensor.name,
    reason,
  }));
  for (const lookup of inputs) attach(lookup, notes);
  const width = inputs.length === 1 ? sizeOf(inputs[0].table.tensor)?.[1] : undefined;
  const used = new Set(inputs.map(({ table }) => table.tensor));
  for (const layer of ['position', 'type'] as const) {
    const found = lookups.filter(
      (lookup) =>
        lookup.layer === layer && !rotations.test(lookup.table.tensor.name) && !used.has(lookup.table.tensor),
    );
    const fitting = unique(found).filter(
      ({ table }) => width === undefined || sizeOf(table.tensor)?.[1] === width,
    );
    // Both ends of a translator have positions; the encoder's are those of the text that is read.
    const reading = fitting.filter(({ table }) => !/decoder/i.test(table.tensor.name));
    for (const lookup of reading.length > 0 ? reading : fitting) {
      attach(lookup, notes);
      roles.push({ layer, tensor: lookup.table.tensor.name, reason: lookup.reason });
    }
  }
  const output = findOutput(graph, inputs, notes);
  if (output !== undefined) roles.push(output);
  return { roles, notes };
}

/** Ids named as such before others; a table beside each token's own before one of every layer. */
function chooseInputs(lookups: readonly Lookup[]): Lookup[] {
  let found = unique(lookups);
  const prefer = (test: (lookup: Lookup) => boolean) => {
    if (found.length > 1 && found.some(test)) found = found.filter(test);
  };
  prefer(({ ids }) => tokenIds.test(ids));
  prefer(({ ids }) => !/decoder/i.test(ids));
  prefer(({ table }) => !/per_layer|rotary|relative/i.test(table.tensor.name));
  return found;
}

/** One lookup for a table. */
function unique(lookups: readonly Lookup[]): Lookup[] {
  const seen = new Set<TensorInfo>();
  return lookups.filter(({ table: { tensor } }) => !seen.has(tensor) && seen.add(tensor));
}

/** Gives the tensor the rows that the graph makes of it, when these are others than it stores. */
function attach({ table, node, quantized }: Lookup, notes: string[]): void {
  const { tensor } = table;
  if (node.operation === 'GatherBlockQuantized') {
    setReader(tensor, notes, node.operation, () =>
      blockQuantizedRows(node, tensor, quantized?.scale as TensorInfo, quantized?.zero),
    );
  } else if (quantized !== undefined) {
    const { scale, zero, axis, blockSize } = quantized;
    setReader(tensor, notes, 'DequantizeLinear', () =>
      dequantizedRows({
        table: { ...tensor, reader: undefined },
        scale,
        zero,
        axis,
        blockSize,
        transposed: table.transposed,
      }),
    );
  }
}

function setReader(tensor: TensorInfo, notes: string[], operation: string, reader: () => RowReader): void {
  if (tensor.reader !== undefined) return;
  tensor.reader = reader;
  notes.push(`${tensor.name}: rows are dequantized, as ${operation} does`);
}

/** Rows and columns of a table as it is looked up; undefined for what is no table. */
function sizeOf(tensor: TensorInfo): readonly number[] | undefined {
  if (tensor.reader === undefined) return tensor.shape.length === 2 ? tensor.shape : undefined;
  try {
    const { rows, dim } = tensor.reader();
    return [rows, dim];
  } catch (error) {
    if (!(error instanceof EmbError)) throw error;
    // It says so when it is read.
    return undefined;
  }
}

/** The right side of the product that gives the logits, when it has a row for every row of the input table. */
function findOutput(graph: Graph, inputs: readonly Lookup[], notes: string[]): FileRole | undefined {
  const size = inputs.length === 1 ? sizeOf(inputs[0].table.tensor) : undefined;
  const isDecoder = inputs.length === 0 && graph.inputs.has('inputs_embeds');
  if (size === undefined && !isDecoder) return undefined;
  const names = graph.outputs.filter((name) => /logits|scores|lm_head|predictions/i.test(name));
  for (const name of names.length > 0 ? names : graph.outputs.slice(0, 1)) {
    const product = traceLogits(graph, name);
    const found = product === undefined ? undefined : asOutput(graph, product, name, size, notes);
    if (found !== undefined) return found;
  }
  return undefined;
}

const layer: Layer = 'output';

function asOutput(
  graph: Graph,
  { node: product, scale: factor }: Product,
  name: string,
  size: readonly number[] | undefined,
  notes: string[],
): FileRole | undefined {
  const reason = `${product.operation} with it gives ${JSON.stringify(name)}`;
  const fits = (rows: number, dim: number) => (size === undefined ? rows > dim : rows === size[0]);
  if (product.operation === 'MatMulNBits') {
    const [table, scale, zero] = product.inputs.slice(1, 4).map((input) => graph.fixed.get(input));
    const [rows, dim] = ['N', 'K'].map((key) => product.attributes?.get(key));
    if (table === undefined || scale === undefined || typeof rows !== 'number' || typeof dim !== 'number')
      return undefined;
    if (!fits(rows, dim)) return undefined;
    setReader(table, notes, product.operation, () => nBitsRows(product, table, scale, zero));
    return { layer, tensor: table.name, reason };
  }
  const operand = operandOf(graph, product.inputs[1] ?? '');
  if (operand?.tensor.shape.length !== 2) return undefined;
  if (product.operation === 'MatMulInteger') {
    const zero = graph.fixed.get(product.inputs[3] ?? '');
    if (factor === undefined || (zero === undefined && product.inputs.length > 3)) return undefined;
    const quantized = { scale: factor, zero, axis: 1, blockSize: 0 };
    return outputOf({ ...operand, quantized }, operand.transposed, fits, reason, product.operation, notes);
  }
  const transB = product.operation !== 'MatMul' && product.attributes?.get('transB') === 1;
  // A product wants [dim, vocab]; what is transposed on the way lies in the file as [vocab, dim].
  return outputOf(operand, operand.transposed !== transB, fits, reason, 'DequantizeLinear', notes);
}

function outputOf(
  { tensor, quantized }: Operand,
  isUpright: boolean,
  fits: (rows: number, dim: number) => boolean,
  reason: string,
  operation: string,
  notes: string[],
): FileRole | undefined {
  const [first, second] = tensor.shape;
  const [rows, dim] = isUpright ? [first, second] : [second, first];
  if (tensor.strides !== undefined || !fits(rows, dim)) return undefined;
  if (quantized !== undefined) {
    const plain = { ...tensor, reader: undefined };
    setReader(tensor, notes, operation, () =>
      dequantizedRows({ ...quantized, table: plain, transposed: !isUpright }),
    );
  } else if (!isUpright) {
    tensor.shape = [rows, dim];
    tensor.strides = [1, rows];
    return { layer, tensor: tensor.name, reason: `${reason}; stored as [${dim}, ${rows}]` };
  }
  return { layer, tensor: tensor.name, reason };
}
