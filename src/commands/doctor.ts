import type { Command, Context } from '../command.ts';
import { auditTokens, kindCode } from '../core/audit-kinds.ts';
import { findProvenances } from '../core/provenance.ts';
import { EmbError } from '../errors.ts';
import type { EmbeddingTable, Model, ModelLayout, Report, Tokenizer } from '../types.ts';
import {
  checkHead,
  checkRowCount,
  checkRows,
  checkSize,
  checkSpecials,
  counted,
  type Finding,
  type Rows,
} from './doctor-checks.ts';
import { findingReport, rowReport } from './doctor-report.ts';
import { namedOptions } from './named-options.ts';
import { namedRef } from './named-ref.ts';
import { captionOfTable } from './open-table.ts';

/** Keys of a config that give an id a role. */
const roleKey = /^(bos|eos|pad|unk|sep|cls|mask|decoder_start)_token_id$/;

export const command: Command = {
  name: 'doctor',
  summary: 'tokenizer, config, input table and head held against each other',
  usage: '[ref]',
  description:
    'Holds what a model says of itself against what is there: ids of the tokenizer and rows of the table (and the multiple that explains\n' +
    'padding), special tokens and their rows, sizes and ids of the config, whether the head is tied by its bytes. Then says where rows come from:\n' +
    '  nan          a value is no number, or infinite\n' +
    '  zero         all values are 0\n' +
    '  copy         the same values as an earlier row\n' +
    '  mean-init    the mean of the old rows, as resized tables begin\n' +
    '  normal-init  as drawn from a normal distribution around 0, with its sigma\n' +
    '  trained      everything else\n' +
    'A norm over a hundred times the median is named, too, where few rows have one.\n' +
    'Rows below 16 columns, and tables below 16 rows, are too small to tell the last three apart. --rows prints a line for every row that is not\n' +
    'trained. --strict exits with 3 when there is a warning or an error.',
  options: [
    namedOptions.model,
    namedOptions.tensor,
    namedOptions.tokenizer,
    {
      long: 'rows',
      type: 'flag',
      description: 'rows that are not trained, one by one, instead of the findings',
    },
    { long: 'strict', type: 'flag', description: 'exit with 3 when there is a warning or an error' },
  ],
  groups: [],
  formats: ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'],
  examples: [
    { line: 'emb doctor ./gpt2', says: 'what fits and what does not' },
    { line: 'emb doctor ./bert -f jsonl', says: 'the same for a program' },
    { line: 'emb doctor ./gpt2 --rows -f csv', says: 'rows that were not trained, one by one' },
  ],
  run,
};

/** What is held against each other. */
interface Patient {
  model: Model;
  layout: ModelLayout | undefined;
  tokenizer: Tokenizer | undefined;
  input: EmbeddingTable;
  output: EmbeddingTable | undefined;
  ties: { tied: boolean; reason: string } | null;
}

async function run(context: Context): Promise<Report> {
  const findings: Finding[] = [];
  const patient = await openPatient(context, findings);
  const { model, input, tokenizer } = patient;
  const scans = await examine(context, patient);
  findings.push(...(await judge(patient, scans)));
  const caption = [captionOfTable({ model, table: input }, tokenizer)];
  const isBad = findings.some(({ level }) => level === 'warning' || level === 'error');
  const status = context.options.strict && isBad ? ('found' as const) : undefined;
  if (context.options.rows) return { ...rowReport(scans, tokenizer), caption, status };
  const counts = ['error', 'warning', 'note'].map((level) =>
    counted(findings.filter((one) => one.level === level).length, level),
  );
  caption.push(counts.join(', '));
  return { ...findingReport(findings), caption, status };
}

async function openPatient(context: Context, findings: Finding[]): Promise<Patient> {
  const { options } = context;
  const model = await context.open(namedRef(context, { command: 'doctor' }));
  const tensor = options.tensor as string | undefined;
  const input = await model.table('input', tensor);
  const ties = tensor === undefined ? ((await model.tied?.()) ?? null) : null;
  const output = ties === null ? undefined : await model.table('output');
  const tokenizer = await tokenizerOf(context, model, findings);
  return { model, layout: await model.layout(), tokenizer, input, output, ties };
}

/** A tokenizer that does not open is a finding, not the end. */
async function tokenizerOf(
  context: Context,
  model: Model,
  findings: Finding[],
): Promise<Tokenizer | undefined> {
  const own = context.options.tokenizer !== undefined;
  if (!own && !(await model.hasTokenizer())) {
    findings.push({ level: 'note', check: 'tokenizer', finding: 'the model brings none' });
    return undefined;
  }
  try {
    const tokenizer = await context.tokenizer(model);
    findings.push({
      level: 'ok',
      check: 'tokenizer',
      finding: `${tokenizer.kind}, ${counted(tokenizer.vocabSize, 'id')}`,
    });
    return tokenizer;
  } catch (error) {
    if (!(error instanceof EmbError) || own) throw error;
    findings.push({ level: 'error', check: 'tokenizer', finding: error.message });
    return undefined;
  }
}

/** Where the rows of both tables come from. */
async function examine(context: Context, patient: Patient): Promise<Rows[]> {
  const { model, input, output, ties, tokenizer } = patient;
  const tables: [string, EmbeddingTable][] = [['input', input]];
  if (output !== undefined && ties?.tied === false) tables.push(['output', output]);
  const progress = context.progress(
    tables.reduce((sum, [, { rows }]) => sum + rows, 0),
    'rows',
  );
  const range = model.config.initializer_range;
  const scans: Rows[] = [];
  for (const [role, table] of tables) {
    const found = await findProvenances(table, {
      newFrom: tokenizer === undefined ? undefined : firstNewId(tokenizer),
      sigma: typeof range === 'number' ? range : undefined,
      advance: (rows) => progress.advance(rows),
    });
    scans.push({ role, table, found });
  }
  progress.done();
  return scans;
}

/** Where the tokens begin that were added behind the vocabulary, so that their rows may be new. */
function firstNewId(tokenizer: Tokenizer): number {
  let id = tokenizer.vocabSize;
  while (id > 0 && isAdded(tokenizer, id - 1)) id--;
  return id;
}

function isAdded(tokenizer: Tokenizer, id: number): boolean {
  const text = tokenizer.tokenOf(id);
  if (text === undefined || tokenizer.isSpecial(id)) return text !== undefined;
  const tokens = tokenizer.encode(text, { template: false, allowSpecial: true });
  return tokens.length === 1 && tokens[0].id === id && tokens[0].stage === 'added token';
}

async function judge(patient: Patient, scans: readonly Rows[]): Promise<Finding[]> {
  const { model, layout, tokenizer, input, output, ties } = patient;
  const findings: Finding[] = [];
  const [own] = scans;
  if (tokenizer !== undefined) {
    findings.push(checkRowCount(input.rows, tokenizer.vocabSize, own));
    findings.push(...checkSpecials(tokenizer, input.rows, namedIds(model)));
  }
  if (Object.keys(model.config).length === 0)
    findings.push({ level: 'note', check: 'config', finding: 'the model brings none' });
  if (layout !== undefined) {
    findings.push(...checkSize('vocabulary', layout.vocab, input.rows, 'rows'));
    findings.push(...checkSize('width', layout.dim, input.dim, 'columns'));
  }
  findings.push(...(await checkPlaces(model, layout)));
  // A GGUF file says nothing of it: its loader goes by whether there is a head.
  const says = (await model.contents()).format === 'gguf' ? null : (layout?.tied ?? null);
  findings.push(...(await checkHead(input, output, ties, says)));
  const spare = spareIds(tokenizer, layout?.paddingId ?? null);
  const ids = tokenizer?.vocabSize ?? input.rows;
  for (const scan of scans) findings.push(...checkRows(scan, ids, spare));
  return findings;
}

/** Rows that nobody expects to be trained: reserved names, ids without entries, bytes no text has, and the padding token. */
function spareIds(tokenizer: Tokenizer | undefined, paddingId: number | null): (id: number) => boolean {
  if (tokenizer === undefined) return (id) => id === paddingId;
  let tokens: ReturnType<typeof auditTokens> | undefined;
  return (id) => {
    if (id === paddingId) return true;
    tokens ??= auditTokens(tokenizer);
    return tokens.unused.has(id) || tokens.kinds[id] === kindCode.unassigned;
  };
}

/** Position and type tables against the config. */
async function checkPlaces(model: Model, layout: ModelLayout | undefined): Promise<Finding[]> {
  if (layout === undefined) return [];
  const findings: Finding[] = [];
  const layers = new Set((await model.roles()).map(({ layer }) => layer));
  const { kind, max, offset } = layout.positions;
  if (layers.has('position') && kind === 'learned' && max !== null) {
    const { rows } = await model.table('position');
    // RoBERTa counts the rows that it leaves free, OPT does not.
    const said = rows === max ? max : max + offset;
    findings.push(...checkSize('positions', said, rows, 'rows'));
  }
  if (layers.has('type') && layout.types !== null) {
    findings.push(...checkSize('token types', layout.types, (await model.table('type')).rows, 'rows'));
  }
  return findings;
}

/** What the config, or its part for text, gives a role: ids, if it is right. */
function namedIds({ config }: Model): [string, unknown][] {
  const part = config.text_config;
  const inner = typeof part === 'object' && part !== null ? Object.entries(part) : [];
  const named = new Map<string, [string, unknown]>();
  for (const [key, value] of [...Object.entries(config), ...inner]) {
    if (!roleKey.test(key)) continue;
    for (const id of Array.isArray(value) ? value : [value]) {
      if (id !== null) named.set(`${key} ${id}`, [key, id]);
    }
  }
  return [...named.values()];
}
