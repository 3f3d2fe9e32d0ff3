import type { Context } from '../command.ts';
import { sinusoidalRows } from '../core/sinusoidal.ts';
import { EmbError } from '../errors.ts';
import type { EmbeddingTable, Model } from '../types.ts';

/** The position embedding of a run. */
export interface Positions {
  name: string;
  /** Shape: positions offset, offset + 1, ... → [count, dim] */
  rows(offset: number, count: number): Promise<Float32Array>;
}

/**
 * Learned positions where the model has a table of them, sinusoidal ones where its config says so, in the scratch layer and on request.
 * @throws EmbError "unsupported" for a model whose positions are no embedding (rotary, alibi, relative)
 */
export async function preparePositions(
  context: Context,
  model: Model,
  table: EmbeddingTable,
): Promise<Positions> {
  const known = await model.layout();
  const layout = known?.positions;
  const learned = known !== undefined && (await model.roles()).some(({ layer }) => layer === 'position');
  if (context.options.sinusoidal || known === undefined || (layout?.kind === 'sinusoidal' && !learned)) {
    const form = layout?.form ?? 'interleaved';
    const first = layout?.kind === 'sinusoidal' ? layout.offset : 0;
    const rows = async (offset: number, count: number) =>
      sinusoidalRows(first + offset, count, table.dim, form);
    return { name: 'sinusoidal position', rows };
  }
  if (!learned) {
    const kind = layout?.kind ?? 'unknown';
    const why =
      kind === 'unknown' ? 'no tensor of a position embedding' : `${kind} positions, which are no embedding`;
    throw new EmbError(
      'unsupported',
      `${model.name}: has ${why}`,
      'leave out --position, or add --sinusoidal',
    );
  }
  return learnedPositions(model, await model.table('position'), table, layout?.offset ?? 0);
}

function learnedPositions(
  model: Model,
  positions: EmbeddingTable,
  table: EmbeddingTable,
  first: number,
): Positions {
  if (positions.dim !== table.dim) {
    throw new EmbError(
      'range',
      `${model.name}: "${positions.tensorName}" has ${positions.dim} columns, expected ${table.dim}`,
    );
  }
  return {
    name: 'learned position',
    async rows(offset, count) {
      const room = positions.rows - first;
      if (offset + count > room) {
        throw new EmbError(
          'range',
          `${model.name}: a text has ${offset + count} tokens or more, "${positions.tensorName}" has ${room} positions`,
          `--truncate ${room}`,
        );
      }
      const ids = Uint32Array.from({ length: count }, (_, index) => first + offset + index);
      return (await positions.gather(ids)).data;
    },
  };
}
