import type { TensorInfo } from '../types.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';

/** More nodes than lie between ids and a table, or a table and logits; also what ends a graph that goes in circles. */
const mostSteps = 64;

/** Operations whose result holds the first input's numbers, in some form. */
const passing = new Set(
  'Cast CastLike Reshape Identity Squeeze Unsqueeze Flatten Transpose Slice Expand Dropout Clip QuantizeLinear DequantizeLinear'.split(
    ' ',
  ),
);

/** Operations that logits pass after the product. */
const finishing = new Set(
  'Cast CastLike Reshape Identity Squeeze Unsqueeze Flatten Slice Dropout Softmax LogSoftmax Add Sub Mul Div Tanh Clip QuantizeLinear DequantizeLinear'.split(
    ' ',
  ),
);

const products = new Set('MatMul Gemm FusedMatMul MatMulNBits MatMulInteger'.split(' '));

/** A tensor as an operation gets it. */
export interface Operand {
  tensor: TensorInfo;
  /** Its dimensions are swapped on the way. */
  transposed: boolean;
  quantized?: Scaling;
}

/** What DequantizeLinear makes of whole numbers. */
export interface Scaling {
  scale: TensorInfo;
  zero: TensorInfo | undefined;
  /** Of the tensor as stored. */
  axis: number;
  blockSize: number;
}

/** The tensor behind a name, through casts, transpositions and DequantizeLinear; undefined for what is computed. */
export function operandOf(graph: Graph, name: string): Operand | undefined {
  let at = name;
  let transposed = false;
  let quantized: Scaling | undefined;
  for (let step = 0; step < mostSteps; step++) {
    const tensor = graph.fixed.get(at);
    if (tensor !== undefined) return { tensor, transposed, quantized };
    const node = graph.nodes.get(at);
    if (node === undefined) return undefined;
    if (node.operation === 'DequantizeLinear') {
      if (quantized !== undefined) return undefined;
      quantized = scalingOf(graph, node);
      if (quantized === undefined) return undefined;
    } else if (node.operation === 'Transpose') {
      transposed = !transposed;
    } else if (node.operation !== 'Identity' && node.operation !== 'Cast') {
      return undefined;
    }
    at = node.inputs[0] ?? '';
  }
  return undefined;
}

/** The fixed tensor behind a name whose numbers are only laid out anew on the way. */
export function fixedBehind(graph: Graph, name: string): TensorInfo | undefined {
  let at = name;
  for (let step = 0; step < mostSteps; step++) {
    const tensor = graph.fixed.get(at);
    const node = graph.nodes.get(at);
    if (tensor !== undefined || node === undefined) return tensor;
    if (!['Reshape', 'Identity', 'Flatten', 'Squeeze', 'Unsqueeze'].includes(node.operation))
      return undefined;
    at = node.inputs[0] ?? '';
  }
  return undefined;
}

/** The scales of a node that dequantizes; undefined when they are computed. */
export function scalingOf(graph: Graph, node: GraphNode): Scaling | undefined {
  const [scale, zero] = node.inputs.slice(1, 3).map((input) => fixedBehind(graph, input));
  if (scale === undefined || ((node.inputs[2] ?? '') !== '' && zero === undefined)) return undefined;
  const number = (key: string, otherwise: number) => {
    const value = node.attributes?.get(key);
    return typeof value === 'number' ? value : otherwise;
  };
  const axis = number('axis', 1);
  return { scale, zero, axis: axis < 0 ? axis + 2 : axis, blockSize: number('block_size', 0) };
}

/** Where ids come from. */
export interface IdSource {
  /** A graph input, a fixed tensor, or what computes them. */
  kind: 'input' | 'fixed' | 'computed';
  name: string;
  /** A fixed number is added on the way, as positions that begin after padding do. */
  shifted: boolean;
}

/** Follows ids back to a graph input, a fixed tensor or the operation that makes them. */
export function traceIds(graph: Graph, name: string): IdSource {
  let at = name;
  let shifted = false;
  for (let step = 0; step < mostSteps; step++) {
    if (graph.fixed.has(at)) return { kind: 'fixed', name: at, shifted };
    const node = graph.nodes.get(at);
    if (node === undefined) return { kind: graph.inputs.has(at) ? 'input' : 'computed', name: at, shifted };
    if (node.operation === 'Add' || node.operation === 'Sub') {
      const moving = node.inputs.filter((input) => !graph.fixed.has(input));
      if (moving.length !== 1) return { kind: 'computed', name: node.operation, shifted: true };
      shifted = true;
      at = moving[0];
    } else if (passing.has(node.operation)) at = node.inputs[0] ?? '';
    else return { kind: 'computed', name: node.operation, shifted };
  }
  return { kind: 'computed', name: '', shifted };
}

/** What logits are made by, and what a product of whole numbers is multiplied by. */
export interface Product {
  node: GraphNode;
  /** The fixed factor of a product of factors: the scale of the right side. */
  scale: TensorInfo | undefined;
}

/** The product that an output comes from, through what is added to it and done with it. */
export function traceLogits(graph: Graph, output: string): Product | undefined {
  let at = output;
  let scale: TensorInfo | undefined;
  for (let step = 0; step < mostSteps; step++) {
    const node = graph.nodes.get(at);
    if (node === undefined) return undefined;
    if (products.has(node.operation)) return { node, scale };
    // Logits are transposed only where the axis of the vocabulary is not the last, as it is for no language model.
    if (!finishing.has(node.operation)) return undefined;
    const factors = node.operation === 'Mul' ? graph.nodes.get(node.inputs[1] ?? '') : undefined;
    if (factors?.operation === 'Mul')
      scale = factors.inputs.map((input) => graph.fixed.get(input)).find(Boolean);
    at = node.inputs.find((input) => !graph.fixed.has(input)) ?? '';
  }
  return undefined;
}
