import ndarray from 'ndarray';
import type { Context, OptionValues } from '../command.ts';
import { centerRows, meanOfFinite } from '../core/center.ts';
import { composeRows, decomposeRows, type Parts, scaleRows } from '../core/compose.ts';
import { normalizeRows } from '../core/norms.ts';
import { type Pool, type Pooling, startPool } from '../core/pool.ts';
import { drawProjection, type Projection, projectRows } from '../core/project.ts';
import { parseSeed } from '../core/random/seed.ts';
import { roundFactor } from '../core/round-factor.ts';
import { rowBuffer } from '../core/row-buffer.ts';
import { EmbError } from '../errors.ts';
import type { Cell, Column, EmbeddingTable, Matrix, Model } from '../types.ts';
import { preparePositions } from './embed-positions.ts';
import { loadProjection } from './embed-projection.ts';
import { noteMean } from './open-table.ts';

/** Rows are looked up in pieces of about this many values, so that memory does not grow with the sequence. */
export const gatheredValues = 1 << 20;

/** What happens to rows between the table and the report. */
export interface Pipeline {
  /** Columns of the result. */
  dim: number;
  pool: Pooling | 'none';
  /** Names of the steps after the lookup, in order. */
  steps: string[];
  /** True when rows come out as the table has them. */
  plain: boolean;
  /** Columns that --decompose adds. */
  partColumns: Column[];
  /** Looks ids up that stand at `offset` of their sequence. Shape: ids [n] → [n, table dim]; parts: cells of partColumns. */
  look(ids: Uint32Array, offset: number): Promise<{ rows: Float32Array; parts: Cell[][] }>;
  startPool(): Pool;
  /** Projects and normalizes. Shape: [n, table dim] → [n, dim] */
  finish(rows: Float32Array): Matrix;
}

/** Reads which steps the options ask for and loads what they need. */
export async function preparePipeline(
  context: Context,
  model: Model,
  table: EmbeddingTable,
): Promise<Pipeline> {
  const { options } = context;
  checkSteps(context);
  const scale = options.scale ? await scaleOf(context, model, table) : 1;
  const type = await typeRow(options, model, table);
  const positions =
    options.position || options.sinusoidal ? await preparePositions(context, model, table) : undefined;
  const mean = options.center ? await tableMean(context, table) : undefined;
  const projection = await chooseProjection(context, table);
  const pool = (options.pool as Pooling | 'none' | undefined) ?? 'none';
  const decomposes = options.decompose === true;
  const names = ['token', ...(type ? ['type'] : []), ...(positions ? ['position'] : [])];
  const steps = [
    ...(scale === 1 ? [] : [`x ${scale.toPrecision(6)}`]),
    ...(type ? ['+ type'] : []),
    ...(positions ? [`+ ${positions.name}`] : []),
    ...(mean ? ['- mean row'] : []),
    ...(pool === 'none' ? [] : [`${pool} pool`]),
    ...(projection ? [`linear ${projection.inputs} → ${projection.outputs}`] : []),
    ...(options.normalize ? ['L2 normalize'] : []),
  ];
  const dim = projection?.outputs ?? table.dim;
  const buffer = rowBuffer(gatheredValues);
  return {
    dim,
    pool,
    steps,
    plain: steps.length === 0,
    partColumns: decomposes ? names.flatMap(partColumns) : [],
    async look(ids, offset) {
      const word = (await table.gather(ids, buffer(ids.length * table.dim))).data;
      const parts: Parts = { word, type, position: await positions?.rows(offset, ids.length) };
      const cells = decomposes ? decompose(parts, table.dim, scale) : [];
      const composed = scale === 1 && !type && !positions ? word : composeRows(parts, table.dim, scale);
      if (mean) centerRows(composed, mean);
      return { rows: composed, parts: cells };
    },
    startPool: () => startPool(pool as Pooling, table.dim),
    finish(rows) {
      const projected = projection ? projectRows(rows, table.dim, projection) : rows;
      if (options.normalize) normalizeRows(projected, dim);
      return ndarray(projected, [projected.length / dim, dim]);
    },
  };
}

/** Options that would change nothing are said, not passed over. */
function checkSteps({ options, format, note }: Context): void {
  const pools = (options.pool ?? 'none') !== 'none';
  if (options.pad && pools) note('--pool leaves one row per text: --pad changes nothing');
  if (!options.decompose) return;
  if (pools) {
    throw new EmbError(
      'usage',
      '--decompose is of the rows of tokens, and --pool leaves one row per text',
      'leave out one of them',
    );
  }
  if (['npy', 'f32', 'safetensors', 'torch', 'numpy', 'ids', 'heatmap', 'svg'].includes(format)) {
    note(`${format} has no room for --decompose: table, csv, json and jsonl show it`);
  }
}

function partColumns(name: string): Column[] {
  // All three parts fit into 80 columns.
  const short = name === 'position' ? 'pos' : name;
  return [
    { key: `${name}_norm`, title: `|${short}|`, kind: 'number' },
    { key: `${name}_share`, title: `${short} %`, kind: 'share' },
  ];
}

/** Per row: norm and share of token, type, position, as partColumns lists them. */
function decompose({ word, type, position }: Parts, dim: number, scale: number): Cell[][] {
  const scaled = new Float32Array(word);
  if (scale !== 1) scaleRows(scaled, scale);
  const rows = word.length / dim;
  const repeated = type && Float32Array.from({ length: word.length }, (_, index) => type[index % dim]);
  const parts = [scaled, ...(repeated ? [repeated] : []), ...(position ? [position] : [])];
  const found = decomposeRows(parts, dim);
  return Array.from({ length: rows }, (_, row) =>
    found.flatMap(({ norms, shares }): Cell[] => [norms[row], shares[row]]),
  );
}

/** The factor of --scale: the config's; sqrt(dim) in the scratch layer. */
async function scaleOf(context: Context, model: Model, table: EmbeddingTable): Promise<number> {
  const layout = await model.layout();
  if (layout === undefined) return Math.sqrt(table.dim);
  const { scale } = layout;
  if (scale === null) {
    context.note(`${model.name}: its config says nothing of a scale, so --scale changes nothing`);
    return 1;
  }
  return scale.rounded ? roundFactor(scale.factor, table.dtype) : scale.factor;
}

async function typeRow(
  options: OptionValues,
  model: Model,
  table: EmbeddingTable,
): Promise<Float32Array | undefined> {
  const id = (options.typeId as number | undefined) ?? (options.type ? 0 : undefined);
  if (id === undefined) return undefined;
  const types = await model.table('type');
  checkWidth(model, types, table);
  if (id >= types.rows) {
    throw new EmbError(
      'range',
      `--type-id is ${id}, expected at most ${types.rows - 1}: "${types.tensorName}" has ${types.rows} rows`,
    );
  }
  return (await types.gather(Uint32Array.of(id))).data;
}

function checkWidth(model: Model, part: EmbeddingTable, table: EmbeddingTable): void {
  if (part.dim === table.dim) return;
  throw new EmbError(
    'range',
    `${model.name}: "${part.tensorName}" has ${part.dim} columns, expected ${table.dim}, as "${table.tensorName}"`,
  );
}

async function tableMean(context: Context, table: EmbeddingTable): Promise<Float64Array> {
  const progress = context.progress(table.rows, 'rows');
  let left = table.rows;
  async function* counted() {
    for await (const block of table.scan()) {
      // Of a second scan nothing is counted.
      progress.advance(Math.min(left, block.rows));
      left -= Math.min(left, block.rows);
      yield block;
    }
  }
  const { mean, rows } = await meanOfFinite(counted, table.dim);
  progress.done();
  noteMean(context, table, rows);
  return mean;
}

async function chooseProjection(context: Context, table: EmbeddingTable): Promise<Projection | undefined> {
  const { project, projection, seed } = context.options;
  if (project !== undefined && projection !== undefined) {
    throw new EmbError(
      'usage',
      '--project draws a projection and --projection loads one',
      'leave out one of them',
    );
  }
  if (projection !== undefined) return loadProjection(context, projection as string, table.dim);
  if (project === undefined) return undefined;
  return drawProjection(table.dim, project as number, parseSeed((seed as string | undefined) ?? '0'));
}
