import type { OptionSpec } from '../command.ts';
import { layers } from '../layout.ts';

/** Most rows of a scratch table: ids are unsigned 32-bit. */
const mostRows = 2 ** 32 - 1;

/** Most columns of a scratch table: a row of them is 64 MiB, a thousand times the widest model. */
const mostColumns = 2 ** 24;

/** What --input can be. */
const inputForms = ['lines', 'jsonl[:field]', 'ids', 'npy', 'f32'];

/** Options that every command takes. */
export const everywhere: readonly OptionSpec[] = [
  { long: 'format', short: 'f', type: 'text', value: 'format', description: 'how to print' },
  {
    long: 'output',
    short: 'o',
    type: 'text',
    value: 'file',
    description: 'write to a file, whole or not at all; its ending chooses the format',
  },
  {
    long: 'precision',
    type: 'integer',
    value: 'n',
    min: 0,
    max: 20,
    description: 'decimals in tables, torch, numpy and pictures',
  },
  { long: 'full', type: 'flag', description: 'elide nothing' },
  { long: 'quiet', short: 'q', type: 'flag', description: 'no notes and captions on stderr' },
  {
    long: 'color',
    type: 'text',
    value: 'when',
    choices: ['auto', 'always', 'never', '16', '256', 'truecolor'],
    default: 'auto',
    description: 'color: auto (a terminal, NO_COLOR unset), always, never, or how many colors',
  },
  { long: 'debug', type: 'flag', description: 'timing, and the stack of an error, on stderr' },
];

/** Option groups that commands name. */
export const groups: Record<'model' | 'tokenizer' | 'input' | 'scratch', readonly OptionSpec[]> = {
  model: [
    {
      long: 'model',
      short: 'm',
      type: 'text',
      value: 'ref',
      description: 'model folder or file, - for stdin (default: EMB_MODEL, else the scratch layer)',
    },
    {
      long: 'tensor',
      type: 'text',
      value: 'name',
      description: 'this 2-D tensor instead of the one found by name',
    },
    {
      long: 'layer',
      type: 'text',
      value: 'role',
      choices: layers,
      default: 'input',
      description: 'which table of the model',
    },
  ],
  tokenizer: [
    {
      long: 'tokenizer',
      type: 'text',
      value: 'ref',
      description: "a built-in encoding, a tokenizer file or a model, instead of the model's own",
    },
    { long: 'allow-special', type: 'flag', description: 'parse special tokens that are spelled in the text' },
    {
      long: 'no-special',
      type: 'flag',
      description: 'without the tokens that the template adds ([CLS], <s>)',
    },
    {
      long: 'truncate',
      type: 'integer',
      value: 'n',
      min: 0,
      description: 'at most n tokens of each text, those of the template ([CLS], </s>) among them: they stay',
    },
  ],
  input: [
    {
      long: 'ids',
      type: 'text',
      value: 'ids',
      repeat: true,
      description: 'ids instead of text: 1,23 or 0-99 or all; - reads lines of ids from stdin',
    },
    {
      long: 'token',
      type: 'text',
      value: 'piece',
      repeat: true,
      description: "a token by its name: '[CLS]', ' world'",
    },
    {
      long: 'input',
      type: 'text',
      value: 'kind',
      default: 'lines',
      description: `what stdin or --file holds: ${inputForms.join(', ')}`,
    },
    { long: 'file', type: 'text', value: 'file', description: 'read texts from a file instead of stdin' },
    { long: 'null', short: '0', type: 'flag', description: 'texts end with NUL instead of a line end' },
    {
      long: 'strict',
      type: 'flag',
      description: 'stop at the first bad input line instead of passing over it',
    },
  ],
  scratch: [
    {
      long: 'vocab',
      type: 'count',
      value: 'rows',
      min: 1,
      max: mostRows,
      description: "rows of the scratch layer (default: the tokenizer's)",
    },
    {
      long: 'dim',
      type: 'integer',
      value: 'columns',
      min: 1,
      max: mostColumns,
      description: "columns of the scratch layer (default 768); with a model, its table's width",
    },
    {
      long: 'seed',
      type: 'text',
      value: 'n',
      default: '0',
      description: 'as torch.manual_seed(n); also draws --project',
    },
    {
      long: 'std',
      type: 'number',
      value: 'x',
      min: 0,
      default: '1',
      description: 'standard deviation of the scratch layer',
    },
    {
      long: 'padding-idx',
      type: 'integer',
      value: 'id',
      description: 'this row of the scratch layer is zero; negative counts from the end',
    },
    {
      long: 'init',
      type: 'text',
      value: 'generator',
      choices: ['torch', 'torch-scalar', 'numpy'],
      default: 'torch',
      description: 'whose generator draws the scratch layer',
    },
  ],
};
