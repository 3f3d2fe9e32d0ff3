import type { Command, Context } from '../command.ts';
import { EmbError } from '../errors.ts';
import type { Report } from '../types.ts';
import { reportLayers } from './params-layer.ts';

/** Options that describe a layer of one's own, and mean nothing for a model that has its own sizes. */
const ownLayer = ['positions', 'types', 'tied', 'untied', 'factorized', 'budget'] as const;

export const command: Command = {
  name: 'params',
  summary: 'how many parameters, and where they are',
  usage: '[ref...]',
  description:
    'Counts the parameters of an embedding layer from --vocab and --dim, of a preset from its known configuration, or of a model from the ' +
    'header of its file. Nothing but headers is read, counts are exact, and what is tied is counted once. Sizes are only multiplied, so they ' +
    'may be larger than any table: --vocab 1e12 is counted.',
  options: [
    {
      long: 'model',
      short: 'm',
      type: 'text',
      value: 'ref',
      description: 'a preset, or a model folder or file; the same as an argument (default: EMB_MODEL)',
    },
    {
      long: 'vocab',
      type: 'integers',
      value: 'V,...',
      min: 1,
      description: "rows of the table; a list stands side by side (default: the gpt2 tokenizer's 50257)",
    },
    {
      long: 'dim',
      type: 'integers',
      value: 'D,...',
      min: 1,
      description: 'columns of the table; a list stands side by side (default 768)',
    },
    {
      long: 'positions',
      type: 'integer',
      value: 'P',
      min: 0,
      description: 'rows of a learned position table',
    },
    { long: 'types', type: 'integer', value: 'T', min: 0, description: 'rows of a token type table' },
    { long: 'tied', type: 'flag', description: 'the output head reads the same table (default)' },
    { long: 'untied', type: 'flag', description: 'the output head has a table of its own' },
    {
      long: 'factorized',
      type: 'integer',
      value: 'E',
      min: 1,
      description: 'a table of E columns and a projection, V x E + E x D, as ALBERT has',
    },
    {
      long: 'budget',
      type: 'count',
      value: 'N',
      min: 1,
      description: 'find the dim that N parameters pay for: 100M, 1.5B',
    },
    { long: 'list', type: 'flag', description: 'the presets; with arguments those whose names contain one' },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    {
      line: 'emb params --vocab 50000 --dim 768',
      says: '50,000 x 768 = 38,400,000 parameters, and what they weigh',
    },
    { line: 'emb params --dim 768,1600,12288', says: 'the widths of GPT-2, GPT-2 XL and GPT-3 side by side' },
    {
      line: 'emb params gpt2 bert-base',
      says: 'whole models, group by group, and the share of the embedding',
    },
    {
      line: 'emb params --vocab 30000 --dim 4096 --factorized 128',
      says: "ALBERT xxlarge's table: 3.84M instead of 122.9M",
    },
    {
      line: 'emb params --budget 100M --vocab 50000',
      says: 'the widest table of 50,000 rows within 100M parameters',
    },
    { line: 'emb params --list qwen3 -f csv', says: 'presets as data, with the source of each' },
  ],
  async run(context): Promise<Report> {
    const { options } = context;
    if (options.list) {
      checkListed(context);
      const { reportPresets } = await import('./params-list.ts');
      return reportPresets(context);
    }
    const refs = namedModels(context);
    if (refs.length > 0) {
      const own = ownLayer.find((long) => options[long] !== undefined);
      if (own !== undefined) {
        throw new EmbError(
          'usage',
          `--${own} is for a layer of your own, and ${refs[0]} has its own sizes`,
          'leave out one of them',
        );
      }
      const { reportModels } = await import('./params-model.ts');
      return reportModels(context, refs);
    }
    const asked = ['vocab', 'dim', ...ownLayer].some((long) => options[long] !== undefined);
    if (!asked) {
      throw new EmbError(
        'usage',
        'params needs sizes or a model',
        'emb params --vocab 50000 --dim 768, emb params gpt2, or emb params --list',
      );
    }
    return reportLayers(context);
  },
};

function checkListed({ options }: Context): void {
  const other = ['model', 'vocab', 'dim', ...ownLayer].find((long) => options[long] !== undefined);
  if (other !== undefined)
    throw new EmbError('usage', `--list and --${other} do not go together`, 'leave out one of them');
}

/** The models that are named; EMB_MODEL only when nothing else is. */
function namedModels(context: Context): string[] {
  const { args, options, modelRef } = context;
  const named = options.model === undefined ? [...args] : [options.model as string, ...args];
  if (named.length > 0) return named;
  const sized = ['vocab', 'dim', ...ownLayer].some((long) => options[long] !== undefined);
  return sized || modelRef === undefined ? [] : [modelRef];
}
