import { EmbError } from '../errors.ts';
import type { TensorInfo } from '../types.ts';
import { readEntry, readTensor, type TensorPlaces } from './onnx-tensor.ts';
import type { ProtoReader } from './protobuf.ts';

/** Names are paths of modules. */
const longestName = 1 << 16;

/** Longest value of metadata_props that is read: configs fit, pictures don't. */
const longestValue = 1 << 20;

/** Inputs of a node that are kept: no operation that matters here has more. */
const mostInputs = 24;

/** Longest list of numbers in an attribute: a permutation of dimensions. */
const mostNumbers = 64;

/** Fields of the messages. Source: onnx/onnx.proto. */
const modelField = { irVersion: 1, producer: 2, producerVersion: 3, graph: 7, opset: 8, metadata: 14 };
const graphField = { node: 1, name: 2, initializer: 5, input: 11, output: 12, sparse: 15 };
const nodeField = { input: 1, output: 2, operation: 4, attribute: 5 };
const attributeField = { name: 1, integer: 3, text: 4, tensor: 5, integers: 8 };
const sparseField = { values: 1, dims: 3 };

/** Operations that a token's id or a table's row may pass; others are not kept. */
const operations = new Set(
  (
    'Gather GatherBlockQuantized EmbedLayerNormalization QEmbedLayerNormalization TorchEmbedding aten_embedding ATen ' +
    'MatMul Gemm FusedMatMul MatMulNBits MatMulInteger Cast CastLike Reshape Identity Squeeze Unsqueeze Flatten Transpose Slice Expand Dropout ' +
    'DequantizeLinear QuantizeLinear Softmax LogSoftmax Add Sub Mul Div Tanh Clip Where Range CumSum ConstantOfShape Constant'
  ).split(' '),
);

/** Attributes that say how an operation reads its inputs. */
const attributes = new Set(
  'axis transA transB perm block_size bits quantize_axis gather_axis N K operator value'.split(' '),
);

/** A node whose operation matters to embeddings. */
export interface GraphNode {
  operation: string;
  inputs: string[];
  /** The first one. */
  output: string;
  /** Whole numbers, lists of them, and texts. */
  attributes?: Map<string, number | number[] | string>;
}

/** What is read of a graph: no weights, and no graphs inside it. */
export interface Graph {
  /** Initializers, and the constants that have two dimensions. */
  tensors: TensorInfo[];
  /** Everything that has a fixed value, by name: also scalars that are constants. */
  fixed: Map<string, TensorInfo>;
  /** By the name of the first output. */
  nodes: Map<string, GraphNode>;
  /** Without those that initializers give a value. */
  inputs: Set<string>;
  outputs: string[];
  metadata: Map<string, unknown>;
}

/**
 * Reads a ModelProto: its tensors and the nodes that embeddings pass through.
 *
 * Cost: O(header) reads; payloads of tensors are skipped. Memory: about a hundred bytes for a node or tensor of ten.
 * @throws EmbError "corrupt" for a message that is none, or two tensors of one name
 */
export async function readModel(reader: ProtoReader, places: TensorPlaces): Promise<Graph> {
  const graph: Graph = {
    tensors: [],
    fixed: new Map(),
    nodes: new Map(),
    inputs: new Set(),
    outputs: [],
    metadata: new Map(),
  };
  const properties = new Map<string, string>();
  let hasGraph = false;
  while (reader.ready ? reader.step() : await reader.next()) {
    switch (reader.field) {
      case modelField.irVersion:
        graph.metadata.set('ir_version', reader.integer('ir_version'));
        break;
      case modelField.producer:
        graph.metadata.set('producer_name', await reader.text('producer_name', longestName));
        break;
      case modelField.producerVersion:
        graph.metadata.set('producer_version', await reader.text('producer_version', longestName));
        break;
      case modelField.opset:
        await readOpset(reader.message('opset_import'), graph.metadata);
        break;
      case modelField.metadata:
        await readEntry(reader.message('metadata_props'), properties, longestValue);
        break;
      case modelField.graph:
        if (hasGraph) throw new EmbError('corrupt', `${places.source.name}: has two graphs, expected one`);
        hasGraph = true;
        await readGraph(reader.message('graph'), graph, places);
    }
  }
  if (!hasGraph)
    throw new EmbError('corrupt', `${places.source.name}: has no "graph", expected an ONNX model`);
  for (const [key, value] of properties) graph.metadata.set(key, value);
  for (const { name } of graph.tensors) graph.inputs.delete(name);
  return graph;
}

async function readOpset(reader: ProtoReader, metadata: Map<string, unknown>): Promise<void> {
  let domain = '';
  let version = 0;
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field === 1) domain = await reader.text('domain', longestName);
    else if (reader.field === 2) version = reader.integer('version');
  }
  metadata.set(domain === '' ? 'opset' : `opset ${domain}`, version);
}

async function readGraph(reader: ProtoReader, graph: Graph, places: TensorPlaces): Promise<void> {
  while (reader.ready ? reader.step() : await reader.next()) {
    switch (reader.field) {
      case graphField.node:
        await readNode(reader.message('node'), graph, places);
        break;
      case graphField.name:
        graph.metadata.set('graph', await reader.text('name', longestName));
        break;
      case graphField.initializer:
        add(graph, await readTensor(reader.message('initializer'), places), true);
        break;
      case graphField.sparse:
        add(graph, await readSparse(reader.message('sparse_initializer'), places), true);
        break;
      case graphField.input:
        graph.inputs.add(await readValueName(reader.message('input')));
        break;
      case graphField.output:
        graph.outputs.push(await readValueName(reader.message('output')));
    }
  }
}

function add(graph: Graph, tensor: TensorInfo, isListed: boolean): void {
  if (graph.fixed.has(tensor.name)) {
    throw new EmbError(
      'corrupt',
      `${tensor.source.name}: tensor ${JSON.stringify(tensor.name)} stands twice, expected once`,
    );
  }
  graph.fixed.set(tensor.name, tensor);
  if (isListed) graph.tensors.push(tensor);
}

/** ValueInfoProto begins with its name. */
async function readValueName(reader: ProtoReader): Promise<string> {
  let name = '';
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field === 1) name = await reader.text('name', longestName);
  }
  return name;
}

async function readNode(reader: ProtoReader, graph: Graph, places: TensorPlaces): Promise<void> {
  const inputs: string[] = [];
  let output: string | undefined;
  let operation = '';
  let value: TensorInfo | undefined;
  let kept: GraphNode['attributes'];
  while (reader.ready ? reader.step() : await reader.next()) {
    switch (reader.field) {
      case nodeField.input:
        if (inputs.length < mostInputs) inputs.push(await reader.text('input', longestName));
        break;
      case nodeField.output:
        output ??= await reader.text('output', longestName);
        break;
      case nodeField.operation:
        operation = await reader.text('op_type', longestName);
        break;
      case nodeField.attribute: {
        // op_type stands before its attributes, in every writer's order of fields.
        if (operation !== '' && !operations.has(operation)) break;
        const attribute = await readAttribute(reader.message('attribute'), places, output);
        if (attribute === undefined) break;
        if (typeof attribute.value === 'object' && 'dtype' in attribute.value) value = attribute.value;
        else {
          kept ??= new Map();
          kept.set(attribute.name, attribute.value);
        }
      }
    }
  }
  if (output === undefined || output === '' || !operations.has(operation)) return;
  if (operation === 'Constant' && value !== undefined) {
    add(graph, value, value.shape.length > 1);
  } else {
    graph.nodes.set(
      output,
      kept === undefined ? { operation, inputs, output } : { operation, inputs, output, attributes: kept },
    );
  }
}

/** The attributes that are kept, and a constant's tensor, which is named like the constant's output. */
async function readAttribute(
  reader: ProtoReader,
  places: TensorPlaces,
  output: string | undefined,
): Promise<{ name: string; value: number | number[] | string | TensorInfo } | undefined> {
  let name = '';
  let value: number | number[] | string | TensorInfo | undefined;
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field === attributeField.name) {
      name = await reader.text('attribute', longestName);
      if (!attributes.has(name)) return undefined;
    } else if (name === '') {
      // Nothing is known of it before its name, which every writer puts first.
    } else if (reader.field === attributeField.integer) value = reader.integer(name);
    else if (reader.field === attributeField.integers) {
      const numbers: number[] = Array.isArray(value) ? value : [];
      await reader.integers(name, numbers, mostNumbers);
      value = numbers;
    } else if (reader.field === attributeField.text) value = await reader.text(name, longestName);
    else if (reader.field === attributeField.tensor && name === 'value' && output !== undefined) {
      const tensor = await readTensor(reader.message('value'), places, output);
      value = { ...tensor, name: output };
    }
  }
  return value === undefined ? undefined : { name, value };
}

/** Listed by its name, and refused when its rows are asked for. */
async function readSparse(reader: ProtoReader, places: TensorPlaces): Promise<TensorInfo> {
  let values: TensorInfo | undefined;
  const dims: number[] = [];
  while (reader.ready ? reader.step() : await reader.next()) {
    if (reader.field === sparseField.values) values = await readTensor(reader.message('values'), places);
    else if (reader.field === sparseField.dims) await reader.integers('dims', dims, mostNumbers);
  }
  if (values === undefined)
    throw new EmbError('corrupt', `${places.source.name}: a sparse tensor has no "values"`);
  const { name } = values;
  return {
    ...values,
    shape: dims,
    reader() {
      throw new EmbError(
        'unsupported',
        `${places.source.name}: tensor ${JSON.stringify(name)} is sparse, expected a dense one`,
      );
    },
  };
}
