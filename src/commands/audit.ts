import type { Command, Context } from '../command.ts';
import { type Audit, type AuditClass, auditClasses, auditModel } from '../core/audit.ts';
import { type IndicatorName, indicatorNames } from '../core/audit-indicators.ts';
import { EmbError } from '../errors.ts';
import { formatCount } from '../text/numbers.ts';
import type { EmbeddingTable, Model, Report, Tokenizer } from '../types.ts';
import { AuditRows } from './audit-rows.ts';
import { summaryOf } from './audit-summary.ts';
import { namedOptions } from './named-options.ts';
import { namedRef, optionalRef } from './named-ref.ts';
import { captionOfTable } from './open-table.ts';

const classHelp: Record<AuditClass, string> = {
  reserved: 'a name kept for later: <|reserved_1|>, <unused1>, [unused1]',
  special: 'special to the tokenizer',
  unassigned: 'an id below the highest that has no entry',
  byte: 'a single byte',
  partial: 'several bytes that are no whole characters',
  unreachable: 'its own text, encoded, gives other ids',
  plain: 'none of these',
  'no-row': 'the table has no row for the id',
  padding: 'a row beyond the vocabulary',
  zero: 'every value of the row is 0',
  nan: 'the row holds a NaN or an infinity',
  duplicate: 'an earlier row holds the same values (zeros apart)',
  'under-trained': 'indicator 5 deviations below the median, or at most --threshold',
  candidate: 'of the 2 per cent of reachable tokens with the lowest indicator',
};

export const command: Command = {
  name: 'audit',
  summary: 'tokens that were hardly trained, cannot be reached, or are broken',
  usage: '[ref]',
  description:
    'Looks at every token and its row, and says why one stands out. Without weights (a tokenizer only): kinds of tokens only.\n' +
    auditClasses.map((name) => `  ${name.padEnd(13)} ${classHelp[name]}`).join('\n') +
    '\nIndicators are low where a row was hardly trained (Land & Bartolo 2024, "Fishing for Magikarp"): the norm of the input row; the\n' +
    'cosine distance of the output row to the mean of rows that are known to be unused, and the same without the first principal\n' +
    'component (pc1; of a sample of rows above 1,024 dimensions), or the L2 distance. The norm is the default; where input and output are one table, the cosine distance.\n' +
    'Unused rows: those beyond the vocabulary, of ids without an entry, of reserved names (not <extra_id_0>), of bytes that no UTF-8\n' +
    'has (C0, C1, F5 to FF) and of single bytes that their own text does not lead to. Deviations are those of logarithms: 1.4826 x\n' +
    'their median absolute deviation over the reachable tokens that are not special. Candidates are what the paper then tries out on\n' +
    'the model: a low indicator is a sign, no proof. The table shows counts and the lowest tokens, -f jsonl a line for every token\n' +
    'that stands out.',
  options: [
    namedOptions.model,
    namedOptions.tensor,
    namedOptions.tokenizer,
    {
      long: 'class',
      type: 'text',
      value: 'class',
      repeat: true,
      choices: auditClasses,
      description: 'list the tokens of this class',
    },
    { long: 'all', type: 'flag', description: 'list every token' },
    {
      long: 'top',
      type: 'integer',
      value: 'n',
      min: 0,
      max: 10_000,
      default: '20',
      description: 'how many of the lowest tokens the summary shows',
    },
    {
      long: 'threshold',
      type: 'number',
      value: 'x',
      description: 'indicators of at most x are under-trained',
    },
    {
      long: 'indicator',
      type: 'text',
      value: 'name',
      choices: indicatorNames,
      description: 'input-norm, output-cosine, output-cosine-pc1 (one scan more) or output-l2',
    },
    {
      long: 'fail-over',
      type: 'integer',
      value: 'n',
      min: 0,
      description:
        'exit 3 where more than n tokens are of --class, else unreachable, or plain or special with a row that is faulty',
    },
    { long: 'unused', type: 'text', value: 'ids', description: 'rows that are known to be unused: 177-187' },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md', 'ids'],
  examples: [
    { line: 'emb audit ./gpt2', says: 'counts, and the tokens that were hardly trained' },
    { line: 'emb audit ./gpt2 -f jsonl', says: 'every token that stands out, with numbers' },
    { line: 'emb audit --tokenizer gpt2 --class partial', says: 'a tokenizer alone' },
  ],
  run,
};

async function run(context: Context): Promise<Report> {
  const { options } = context;
  const opened = await openParts(context);
  const { tokenizer, input, output } = opened;
  const progress = context.progress(
    (tokenizer?.vocabSize ?? 0) + (input?.rows ?? 0) + (output !== input ? (output?.rows ?? 0) : 0),
    'rows',
  );
  const audit = await auditModel({
    tokenizer,
    input,
    output,
    indicator: options.indicator as IndicatorName | undefined,
    threshold: options.threshold as number | undefined,
    unused: readUnused(options.unused as string | undefined),
    advance: (amount) => progress.advance(amount),
  });
  progress.done();
  noteDoubts(context, audit, input !== undefined && input === output);
  const caption = [captionOf(opened)];
  const rows = new AuditRows(audit, tokenizer, options.class as readonly AuditClass[] | undefined);
  const most = options.failOver as number | undefined;
  const status = most !== undefined && rows.countFaulty() > most ? 'found' : undefined;
  return { ...shown(context, audit, rows, opened), caption, status };
}

function shown({ options, format }: Context, audit: Audit, rows: AuditRows, parts: AuditParts): Report {
  const all = options.all === true;
  if (format === 'ids') return rows.listIds(all);
  if (all || options.class !== undefined || !['table', 'json', 'md'].includes(format)) return rows.list(all);
  return summaryOf(audit, rows, parts, (options.top as number | undefined) ?? 20);
}

/** What there is to look at. */
export interface AuditParts {
  name: string;
  model: Model | undefined;
  tokenizer: Tokenizer | undefined;
  input: EmbeddingTable | undefined;
  output: EmbeddingTable | undefined;
}

const words = {
  command: 'audit',
  needs: 'a model or a tokenizer',
  hint: 'emb audit REF, or emb audit --tokenizer gpt2',
};

async function openParts(context: Context): Promise<AuditParts> {
  const { options } = context;
  const ref = optionalRef(context, words);
  const own = options.tokenizer as string | undefined;
  if (ref === undefined && own !== undefined) {
    const tokenizer = await context.tokenizerOf(own);
    return { name: own, model: undefined, tokenizer, input: undefined, output: undefined };
  }
  const model = await context.open(ref ?? namedRef(context, words));
  const hasTokenizer = own !== undefined || (await model.hasTokenizer());
  const input = await inputOf(context, model, hasTokenizer);
  const tokenizer = hasTokenizer ? await context.tokenizer(model) : undefined;
  const output = input && (await outputOf(context, model, input));
  return { name: model.name, model, tokenizer, input, output };
}

/** The input table; undefined for a model that is a tokenizer only. */
async function inputOf(
  context: Context,
  model: Model,
  hasTokenizer: boolean,
): Promise<EmbeddingTable | undefined> {
  const tensor = context.options.tensor as string | undefined;
  try {
    return await model.table('input', tensor);
  } catch (error) {
    if (!(error instanceof EmbError) || error.code !== 'missing' || !hasTokenizer || tensor !== undefined)
      throw error;
    context.note(`tokens only: ${error.message}`);
    return undefined;
  }
}

/** The output embedding, the same object where both are one table; undefined where there is none or a tensor was named. */
async function outputOf(
  context: Context,
  model: Model,
  input: EmbeddingTable,
): Promise<EmbeddingTable | undefined> {
  if (context.options.tensor !== undefined || model.tied === undefined) return undefined;
  const ties = await model.tied();
  if (ties === null) return undefined;
  return ties.tied ? input : model.table('output');
}

function captionOf({ name, model, tokenizer, input }: AuditParts): string {
  if (model !== undefined && input !== undefined) return captionOfTable({ model, table: input }, tokenizer);
  const ids = formatCount(tokenizer?.vocabSize ?? 0);
  return `${name} · tokenizer ${tokenizer?.name} (${tokenizer?.kind}) · ${ids} ids · no weights`;
}

/** Ids of --unused: 5,177-187. */
function readUnused(list: string | undefined): number[] | undefined {
  if (list === undefined) return undefined;
  const ids: number[] = [];
  for (const part of list.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last - first >= mostUnused || ids.length > mostUnused) {
      throw new EmbError(
        'usage',
        `--unused ${JSON.stringify(part)} is no list of at most ${formatCount(mostUnused)} ids`,
        '5,177-187',
      );
    }
    for (let id = first; id <= last; id++) ids.push(id);
  }
  return ids;
}

/** Ids of --unused at most; more would be a vocabulary. */
const mostUnused = 1_000_000;

function noteDoubts(context: Context, { tokens, reference }: Audit, isTied: boolean): void {
  if (tokens?.reencoder.refusal !== undefined)
    context.note(`no token is tried for being reachable: ${tokens.reencoder.refusal}`);
  else if (tokens !== undefined && tokens.untested > 0) {
    context.note(
      `${formatCount(tokens.untested)} tokens only stand within words: whether text leads to them is not tried`,
    );
  }
  if (isTied && reference === undefined)
    context.note(
      'no row is known to be unused: the indicator is the norm, a weaker sign where tables are tied',
    );
}
