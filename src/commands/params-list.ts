import type { Context } from '../command.ts';
import { countModel } from '../core/architecture-count.ts';
import { EmbError } from '../errors.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import type { Block, Cell, Column, Report } from '../types.ts';

const columns: Column[] = [
  { key: 'name', kind: 'text' },
  { key: 'title', kind: 'text', where: 'machine' },
  { key: 'vocab', kind: 'count' },
  { key: 'dim', kind: 'count' },
  { key: 'layers', kind: 'count' },
  { key: 'total', title: 'parameters', kind: 'count' },
  { key: 'active', kind: 'count', where: 'machine' },
  { key: 'embedding', kind: 'count', where: 'machine' },
  { key: 'embedding_share', title: 'emb. share', kind: 'share' },
  { key: 'encoding', kind: 'text', where: 'machine' },
  { key: 'aliases', kind: 'text', where: 'machine' },
  { key: 'counted', kind: 'text', where: 'machine' },
  { key: 'source', kind: 'text', where: 'machine' },
];

/** The presets, one a row; of those whose name has one of the words, when there are words. */
export async function reportPresets(context: Context): Promise<Report> {
  const words = context.args.map((word) => word.toLowerCase());
  const presets = await context.presets();
  const chosen = presets.filter(
    (preset) =>
      words.length === 0 ||
      words.some((word) =>
        [preset.name, ...preset.aliases].some((name) => name.toLowerCase().includes(word)),
      ),
  );
  if (chosen.length === 0) {
    const near = didYouMean(
      nearestNames(
        words[0]!,
        presets.map((preset) => preset.name),
      ),
    );
    throw new EmbError(
      'missing',
      `no preset has "${words[0]}" in its name`,
      near ?? 'emb params --list shows all',
    );
  }
  async function* blocks(): AsyncGenerator<Block> {
    const cells = chosen.map((preset): Cell[] => {
      const { groups, total, active } = countModel(preset.config);
      return [
        preset.name,
        preset.title,
        preset.config.vocab,
        preset.config.dim,
        preset.config.layers,
        total,
        active,
        groups.embedding,
        groups.embedding / total,
        preset.encoding ?? null,
        preset.aliases.join(' '),
        preset.counted,
        preset.source,
      ];
    });
    yield { cells, sequence: 0, ends: true };
  }
  const caption = [`${chosen.length} presets; their sources, embedding counts and other names: -f csv`];
  return { columns, blocks: blocks(), caption, layout: 'rows' };
}
