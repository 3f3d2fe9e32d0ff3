import type { Context } from '../command.ts';
import type { Projection } from '../core/project.ts';
import { EmbError } from '../errors.ts';
import type { EmbeddingTable } from '../types.ts';

/**
 * A stored linear layer: weight [outputs, inputs] as torch.nn.Linear keeps it, and the bias that lies beside it (X.weight, X.bias).
 * @param ref FILE or FILE:TENSOR
 * @throws EmbError "range" when the weight does not take `inputs` dimensions
 */
export async function loadProjection(context: Context, ref: string, inputs: number): Promise<Projection> {
  const { path, tensor } = context.splitRef(ref);
  const model = await context.openAside(path);
  const table = await model.table(undefined, tensor);
  if (table.dim !== inputs) {
    const turned = table.rows === inputs ? 'it looks transposed: ' : '';
    throw new EmbError(
      'range',
      `${path}: "${table.tensorName}" takes ${table.dim} dimensions, the table has ${inputs}`,
      `${turned}a projection is [outputs, inputs], as torch.nn.Linear keeps it`,
    );
  }
  const biasName = table.tensorName.replace(/weight$/, 'bias');
  const bias = biasName === table.tensorName ? undefined : await model.vector?.(biasName);
  if (bias !== undefined && bias.length !== table.rows) {
    throw new EmbError('range', `${path}: "${biasName}" has ${bias.length} values, expected ${table.rows}`);
  }
  return { inputs, outputs: table.rows, weight: await allRows(table), bias };
}

async function allRows(table: EmbeddingTable): Promise<Float32Array> {
  const ids = Uint32Array.from({ length: table.rows }, (_, index) => index);
  return (await table.gather(ids)).data;
}
