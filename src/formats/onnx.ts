import { EmbError } from '../errors.ts';
import type { ByteSource, Files, TensorFile } from '../types.ts';
import { ExternalFiles } from './onnx-external.ts';
import { readModel } from './onnx-graph.ts';
import { onnxKind } from './onnx-head.ts';
import { findRoles } from './onnx-roles.ts';
import { readTensor } from './onnx-tensor.ts';
import { ProtoReader } from './protobuf.ts';

/**
 * Reads what an ONNX model says of its tensors, and which of them its graph uses as embeddings; no weights.
 *
 * Initializers and constants of two dimensions are listed. Roles are told by the graph: what Gather looks the input ids up in.
 * Graphs inside nodes (If, Loop) and functions are not followed. A TensorProto (.pb) is a file of one tensor.
 * Source: onnx/onnx.proto, docs/IR.md.
 * @param files what lies beside it: external data
 * @throws EmbError "corrupt" naming the fact that does not hold
 */
export async function openOnnx(source: ByteSource, files?: Files): Promise<TensorFile> {
  const head = await source.read(0, Math.min(512, source.byteLength));
  const kind = onnxKind(head);
  const external = new ExternalFiles(source.name, files);
  const close = async () => {
    await external.close();
    await source.close();
  };
  const reader = ProtoReader.over(source);
  if (kind === undefined) {
    throw new EmbError(
      'corrupt',
      `${source.name}: begins neither an ONNX model nor a tensor, expected a version or dimensions`,
      'the graphs of TensorFlow (.pb) are not read',
    );
  }
  const shared = { format: 'onnx', name: source.name, close };
  if (kind === 'tensor') {
    const tensor = await readTensor(reader, { source, external });
    return { ...shared, tensors: [tensor], metadata: new Map() };
  }
  const graph = await readModel(reader, { source, external });
  const { roles, notes } = await findRoles(graph);
  return { ...shared, tensors: graph.tensors, metadata: graph.metadata, roles, notes };
}
