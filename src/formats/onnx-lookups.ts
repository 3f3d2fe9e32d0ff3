import { EmbError } from '../errors.ts';
import type { Layer, TensorInfo } from '../types.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';
import {
  fixedBehind,
  type IdSource,
  type Operand,
  operandOf,
  type Scaling,
  scalingOf,
  traceIds,
} from './onnx-trace.ts';

/** Names of tables of positions and of token types; also names of their ids. */
const positions = /position|(^|[._/])wpe([._/]|$)|pos_emb|pos_ids/i;
const types = /token_type|segment|type_emb/i;

/** Fixed ids that are read to tell what they are: a row of positions has a few thousand. */
const longestIds = 1 << 16;
const mostReads = 16;

/** A table in which a graph looks ids up. */
export interface Lookup {
  node: GraphNode;
  table: Operand;
  layer: Layer;
  /** The graph input that the ids come from, or how they are made. */
  ids: string;
  reason: string;
  quantized?: Scaling;
}

/**
 * Tables that rows are gathered from by ids, and what the ids tell about them.
 *
 * Fixed ids that no name speaks for are read, where they are few: 0, 1, 2 ... are positions, zeros are types.
 */
export async function lookupsIn(graph: Graph): Promise<Lookup[]> {
  const scaled = scalingByInput(graph);
  const lookups: Lookup[] = [];
  let left = mostReads;
  for (const node of graph.nodes.values()) {
    for (const { table: name, ids: idsName, layer: known, scaling } of operandsOf(graph, node)) {
      const table = tableOf(graph, node, name);
      if (table === undefined) continue;
      const ids = traceIds(graph, idsName);
      let layer = known ?? layerOf(ids, table.tensor);
      if (layer === undefined && ids.kind === 'fixed' && left-- > 0) {
        layer = await layerOfValues(graph.fixed.get(ids.name) as TensorInfo);
      }
      if (layer === undefined) continue;
      lookups.push({
        node,
        table,
        layer,
        ids: ids.name,
        reason: reasonOf(node, ids),
        quantized:
          scaling ?? table.quantized ?? (node.operation === 'Gather' ? scaled.get(node.output) : undefined),
      });
    }
  }
  return lookups;
}

/** The table of two dimensions that a node looks up; in blocks of numbers it may be laid out in more. */
function tableOf(graph: Graph, node: GraphNode, name: string): Operand | undefined {
  if (node.operation === 'GatherBlockQuantized') {
    const tensor = fixedBehind(graph, name);
    return tensor !== undefined && tensor.shape.length >= 2 ? { tensor, transposed: false } : undefined;
  }
  const table = operandOf(graph, name);
  if (table?.tensor.shape.length !== 2 || (table.transposed && table.quantized === undefined))
    return undefined;
  return table;
}

/** What ids are by themselves. @returns undefined for other ids, or more than are read */
async function layerOfValues({ dtype, source, offset, byteLength }: TensorInfo): Promise<Layer | undefined> {
  if ((dtype !== 'I64' && dtype !== 'I32') || byteLength > longestIds || byteLength === 0) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await source.read(offset, offset + byteLength);
  } catch (error) {
    if (!(error instanceof EmbError)) throw error;
    // They lie in a file that is not there: the model can be listed all the same.
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = dtype === 'I64' ? 8 : 4;
  const values = Array.from({ length: byteLength / width }, (_, index) => view.getInt32(index * width, true));
  if (values.every((value) => value === 0)) return 'type';
  return values.every((value, index) => value === values[0] + index) ? 'position' : undefined;
}

/** Scales of one number for what a node gives: rows of whole numbers may be dequantized after they are gathered. */
function scalingByInput(graph: Graph): Map<string, Scaling> {
  const found = new Map<string, Scaling>();
  for (const node of graph.nodes.values()) {
    if (node.operation !== 'DequantizeLinear') continue;
    const scaling = scalingOf(graph, node);
    if (scaling?.scale.shape.every((size) => size === 1) === true) found.set(node.inputs[0] ?? '', scaling);
  }
  return found;
}

interface Operands {
  table: string;
  ids: string;
  layer?: Layer;
  scaling?: Scaling;
}

/** Tables and ids of an operation that looks up, by where its inputs stand. */
function operandsOf(graph: Graph, node: GraphNode): Operands[] {
  const { operation, inputs, attributes } = node;
  const [first = '', second = ''] = inputs;
  switch (operation) {
    case 'Gather':
      return (attributes?.get('axis') ?? 0) === 0 ? [{ table: first, ids: second }] : [];
    case 'TorchEmbedding':
    case 'aten_embedding':
      return [{ table: first, ids: second }];
    case 'ATen':
      return attributes?.get('operator') === 'embedding' ? [{ table: first, ids: second }] : [];
    case 'GatherBlockQuantized': {
      const scaling = blockScaling(graph, inputs);
      return scaling === undefined ? [] : [{ table: first, ids: second, scaling }];
    }
    case 'EmbedLayerNormalization':
      return embedLayers(inputs, () => undefined);
    case 'QEmbedLayerNormalization':
      // Scales are inputs 8, 9, 10 and zero points 13, 14, 15 of the tables 2, 3, 4.
      return embedLayers(inputs, (index) => {
        const [scale, zero] = [index + 6, index + 11].map((place) => graph.fixed.get(inputs[place] ?? ''));
        return scale === undefined ? undefined : { scale, zero, axis: 0, blockSize: 0 };
      });
    default:
      return [];
  }
}

function blockScaling(graph: Graph, inputs: readonly string[]): Scaling | undefined {
  const [scale, zero] = inputs.slice(2, 4).map((input) => fixedBehind(graph, input));
  return scale === undefined ? undefined : { scale, zero, axis: 1, blockSize: 0 };
}

/** Inputs of onnxruntime's operations that embed words, positions and segments at once. Source: docs/ContribOperators.md. */
function embedLayers(
  inputs: readonly string[],
  scalingAt: (index: number) => Scaling | undefined,
): Operands[] {
  const [ids = '', segments = ''] = inputs;
  const tables: [index: number, layer: Layer, ids: string][] = [
    [2, 'input', ids],
    [3, 'position', ''],
    [4, 'type', segments],
  ];
  return tables.map(([index, layer, from]) => ({
    table: inputs[index] ?? '',
    ids: from,
    layer,
    scaling: scalingAt(index),
  }));
}

/** What a table is, by its ids; where these are computed, by what computes them and by names. */
function layerOf(ids: IdSource, { name }: TensorInfo): Layer | undefined {
  if (ids.kind === 'input') {
    if (types.test(ids.name)) return 'type';
    if (positions.test(ids.name)) return 'position';
    // Word ids that are moved on are no longer words.
    return ids.shifted && positions.test(name) ? 'position' : 'input';
  }
  if (types.test(name) || (ids.kind === 'fixed' && types.test(ids.name))) return 'type';
  if (positions.test(name) || (ids.kind === 'fixed' && positions.test(ids.name))) return 'position';
  return ids.kind === 'computed' && /^(Range|CumSum)$/.test(ids.name) ? 'position' : undefined;
}

function reasonOf({ operation }: GraphNode, { kind, name }: IdSource): string {
  if (kind === 'input') return `${operation} looks ${JSON.stringify(name)} up in it`;
  if (kind === 'fixed') return `${operation} looks the fixed ${JSON.stringify(name)} up in it`;
  return `${operation} takes rows of it by computed ids`;
}
