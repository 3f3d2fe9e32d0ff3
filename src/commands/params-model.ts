import type { Context, Preset } from '../command.ts';
import { countModel, groupNames, type ParameterGroups } from '../core/architecture-count.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { Block, Cell, Column, Report } from '../types.ts';
import { fileRecord } from './params-file.ts';
import { mapGroups } from './params-groups.ts';
import { lookupFields, weightCaption, weightFields } from './params-layer.ts';

/** What is known of a model, be it from its configuration or from its file. Null is unknown. */
export interface ModelRecord {
  name: string;
  title: string | null;
  format: string;
  source: string;
  counted: string | null;
  vocab: number | null;
  dim: number | null;
  layers: number | null;
  groups: Record<keyof ParameterGroups, bigint>;
  total: bigint;
  active: bigint | null;
  /** Values in the file, those of buffers and of tensors stored twice included. */
  stored: bigint | null;
  buffers: bigint | null;
  bytes: bigint | null;
  tied: boolean | null;
  /** Values that are looked up for one token. */
  lookup: bigint | null;
  caption: string;
}

/** Counts the models that are named, side by side. @throws EmbError "missing" for a REF that is neither preset nor model */
export async function reportModels(context: Context, refs: readonly string[]): Promise<Report> {
  const records: ModelRecord[] = [];
  for (const ref of refs) {
    const preset = await context.preset(ref);
    const record = preset ? presetRecord(preset) : await fileRecord(context, ref);
    checkSizes(context, ref, record);
    records.push(record);
  }
  const fields = modelFields(records);
  async function* blocks(): AsyncGenerator<Block> {
    yield {
      cells: records.map((record) => fields.map((field) => field.cell(record))),
      sequence: 0,
      ends: true,
    };
  }
  return {
    columns: fields.map((field) => field.column),
    blocks: blocks(),
    caption: [...records.map((record) => record.caption), weightCaption],
    layout: 'records',
    single: records.length === 1,
  };
}

/** --vocab and --dim beside a REF must be what it has. */
function checkSizes(context: Context, ref: string, record: ModelRecord): void {
  for (const key of ['vocab', 'dim'] as const) {
    const asked = context.options[key] as number[] | undefined;
    const wrong = asked?.find((value) => value !== record[key]);
    if (wrong === undefined) continue;
    const has = record[key] === null ? 'unknown' : formatCount(record[key]);
    throw new EmbError(
      'range',
      `--${key} is ${formatCount(wrong)}, and that of ${ref} is ${has}`,
      `leave out ${ref} to count a layer of any size`,
    );
  }
}

function presetRecord(preset: Preset): ModelRecord {
  const { config } = preset;
  const { groups, total, active } = countModel(config);
  const width = config.embeddingDim ?? config.dim;
  const positions = config.positions ? (config.positionDim ?? width) : 0;
  return {
    name: preset.name,
    title: preset.title,
    format: 'preset',
    source: preset.source,
    counted: preset.counted,
    vocab: config.vocab,
    dim: config.dim,
    layers:
      config.layers +
      (config.decoderLayers ?? (config.architecture === 'encoder-decoder' ? config.layers : 0)),
    groups: mapGroups((group) => BigInt(groups[group])),
    total: BigInt(total),
    active: BigInt(active),
    stored: null,
    buffers: null,
    bytes: null,
    tied: config.head === 'none' ? null : config.head === 'tied',
    lookup: BigInt(width + positions + (config.types ? width : 0)),
    caption: `${preset.name}: ${preset.title}, counted as ${preset.counted} of transformers; ${preset.source}`,
  };
}

const groupTitles: Partial<Record<keyof ParameterGroups, string>> = {
  head: 'output head',
  type: 'token types',
  other: 'others',
};

/** Columns of models. Machine formats have them all; tables leave out what none of the models has. */
function modelFields(records: readonly ModelRecord[]): { column: Column; cell(record: ModelRecord): Cell }[] {
  const field = (
    key: string,
    kind: Column['kind'],
    cell: (record: ModelRecord) => Cell,
    title = key,
    optional = false,
  ) => ({
    column: {
      key,
      title,
      kind,
      ...(optional && records.every((record) => !cell(record)) ? { where: 'machine' as const } : {}),
    },
    cell,
  });
  const machine = (key: string, cell: (record: ModelRecord) => Cell) => ({
    column: { key, kind: 'text' as const, where: 'machine' as const },
    cell,
  });
  return [
    field('model', 'text', (record) => record.name),
    machine('title', (record) => record.title),
    machine('format', (record) => record.format),
    machine('counted', (record) => record.counted),
    field('vocab', 'count', (record) => record.vocab, 'vocab (V)'),
    field('dim', 'count', (record) => record.dim, 'dim (D)'),
    field('layers', 'count', (record) => record.layers, 'layers', true),
    field('total', 'count', (record) => record.total, 'parameters'),
    {
      ...field('active', 'count', (record) => record.active, 'active'),
      column: {
        key: 'active',
        title: 'active',
        kind: 'count',
        where: records.some((record) => record.active !== null && record.active !== record.total)
          ? 'all'
          : 'machine',
      },
    },
    field('stored', 'count', (record) => record.stored, 'stored', true),
    field('buffers', 'count', (record) => record.buffers, 'buffers', true),
    ...groupNames.map((group) =>
      field(
        group,
        'count',
        (record) => record.groups[group],
        groupTitles[group] ?? group,
        group !== 'embedding',
      ),
    ),
    field('embedding_share', 'share', shareOf, 'emb. share'),
    field('tied', 'flag', (record) => record.tied, 'head tied'),
    field('bytes_stored', 'size', (record) => record.bytes, 'as stored', true),
    ...weightFields((record: ModelRecord) => record.total),
    ...lookupFields((record: ModelRecord) => record.lookup),
    machine('source', (record) => record.source),
  ];
}

function shareOf(record: ModelRecord): number | null {
  return record.total === 0n || record.vocab === null
    ? null
    : Number(record.groups.embedding) / Number(record.total);
}
