import { availableParallelism } from 'node:os';
import { inBatches, pathExists, readAll, readRecords } from '../bytes/input.ts';
import type { Context, OptionValues } from '../command.ts';
import { EmbError } from '../errors.ts';
import { escapeText } from '../text/escape.ts';
import type { Model, Tokenizer } from '../types.ts';
import { Inputs } from './inputs.ts';
import { startProgress } from './progress.ts';
import { complain, say } from './say.ts';
import { isTerminal } from './terminal.ts';

/** A context, and what main needs of it besides. */
export interface RunContext extends Context {
  /** Input lines that were passed over. */
  readonly skipped: number;
  caption(line: string): void;
  onPause(emit: () => void): void;
  readonly inputs: Inputs;
  /** Gives the reader what is buffered. */
  flush(): void;
  close(): Promise<void>;
}

/** Rows of the gpt2 encoding's table, known without loading it: ids need no tokenizer. */
const gpt2Rows = 50_257;

/** What options of the scratch layer mean nothing for a trained table. */
const scratchOnly = ['std', 'padding-idx', 'init'] as const;

/** What a command does with texts: reads stdin when it is given nothing else, takes arguments for texts. */
export interface TextArguments {
  unasked: boolean;
  arguments: boolean;
}

/** The context of one run: everything that a command may ask for, loaded when it is asked for. */
export function createContext(
  args: readonly string[],
  options: OptionValues,
  format: string,
  takes: TextArguments,
  flush: () => void,
): RunContext {
  const emitters: (() => void)[] = [];
  const said = new Set<string>();
  const opened: Model[] = [];
  let skipped = 0;

  const note = (message: string): void => {
    if (options.quiet || said.has(message)) return;
    said.add(message);
    complain(`note: ${message}`);
  };
  const onPause = (): void => {
    for (const emit of emitters) emit();
    flush();
  };
  const skip = (line: number, message: string): void => {
    if (options.strict) throw new EmbError('corrupt', `input line ${line} ${message}`);
    skipped++;
    say(escapeText(`emb: input line ${line} ${message}: passed over`));
  };
  // A summary is printed when all is read.
  const answersShow = () => options.output === undefined && options.summary !== true && isTerminal(1);
  const inputs = new Inputs({
    progress: () => context.progressBeside(undefined, 'texts'),
    args,
    options,
    textArguments: takes.arguments,
    readsUnasked: takes.unasked,
    note,
    onPause,
    skip,
  });
  const modelRef = (options.model as string | undefined) ?? (process.env.EMB_MODEL || undefined);

  const context: RunContext = {
    args,
    options,
    format,
    modelRef,
    inputs,
    flush,
    get skipped() {
      return skipped;
    },
    note,
    inputKind: () => inputs.kind(),
    inputIsGiven: () => options.file === undefined && !inputs.readsStdin(true),
    texts: () => inputs.texts(),
    idSequences: (rows, tokenizer, of) => inputs.idSequences(rows, tokenizer, of),
    async open(ref) {
      const model =
        ref === undefined
          ? await openScratchLayer(context)
          : await openTrained(ref, context, inputs, takes.unasked);
      opened.push(model);
      return model;
    },
    async openAside(ref) {
      const { openModel } = await import('../model/open.ts');
      const model = await openModel(ref, { note, env: process.env });
      opened.push(model);
      return model;
    },
    splitRef(ref) {
      const cut = ref.lastIndexOf(':');
      if (cut <= 0 || pathExists(ref)) return { path: ref, tensor: undefined };
      return { path: ref.slice(0, cut), tensor: ref.slice(cut + 1) };
    },
    async tokenizer(model) {
      const named = options.tokenizer as string | undefined;
      if (named !== undefined) return context.tokenizerOf(named);
      if (model !== undefined) return model.tokenizer();
      return context.tokenizerOf(modelRef ?? 'gpt2');
    },
    async tokenizerOf(ref) {
      if (ref === '-') return (await openTrained(ref, context, inputs, takes.unasked)).tokenizer();
      const { openTokenizer } = await import('../model/tokenizer-ref.ts');
      return openTokenizer(ref, note, process.env);
    },
    async presets() {
      return (await import('../model/presets/index.ts')).presets;
    },
    async preset(ref) {
      const { kindOfPath } = await import('../bytes/file.ts');
      if (kindOfPath(ref) !== undefined) return undefined;
      return (await import('../model/presets/index.ts')).findPreset(ref);
    },
    async encodingOf(name) {
      return (await import('../model/presets/encodings.ts')).encodingOf(name);
    },
    vectors: async (dim) => (await import('./vectors.ts')).wholeVectors(context, undefined, dim),
    vectorsOf: async (path, dim) => (await import('./vectors.ts')).wholeVectors(context, path, dim),
    async *vectorRows(path, dim) {
      yield* (await import('./vectors.ts')).vectorRows(context, path, dim);
    },
    batches: (items, most) => inBatches(items, most, onPause),
    passOver: skip,
    linesOf: (path) =>
      readRecords({ file: path === '-' ? undefined : path, separator: 10, note, onPause: () => {} }),
    progress: (total, unit) => startProgress(total, unit, options.quiet === true),
    progressBeside: (total, unit) => startProgress(total, unit, options.quiet === true || answersShow()),
    cores: availableParallelism,
    async startWorkers(count, job, data) {
      if (count <= 0) return [];
      const { startWorkers } = await import('./workers.ts');
      return startWorkers(count, job, data);
    },
    onPause: (emit) => {
      emitters.push(emit);
    },
    caption(line) {
      if (!options.quiet) say(escapeText(line));
    },
    async close() {
      for (const model of opened) await model.close();
    },
  };
  return context;
}

/** The scratch layer; its tokenizer is loaded only when rows or texts need it. */
async function openScratchLayer(context: Context): Promise<Model> {
  const { options } = context;
  const { openScratch } = await import('../model/scratch.ts');
  let tokenizer: Promise<Tokenizer> | undefined;
  return openScratch({
    vocab: options.vocab as number | undefined,
    dim: options.dim as number | undefined,
    seed: options.seed as string | undefined,
    std: options.std as number | undefined,
    paddingIdx: options.paddingIdx as number | undefined,
    init: options.init as 'torch' | 'torch-scalar' | 'numpy' | undefined,
    defaultVocab: options.tokenizer === undefined ? gpt2Rows : undefined,
    tokenizer: () => {
      tokenizer ??= context.tokenizerOf((options.tokenizer as string | undefined) ?? 'gpt2');
      return tokenizer;
    },
  });
}

async function openTrained(
  ref: string,
  context: Context,
  inputs: Inputs,
  takesTexts: boolean,
): Promise<Model> {
  const { options } = context;
  for (const long of scratchOnly) {
    const key = long === 'padding-idx' ? 'paddingIdx' : long;
    if (options[key] !== undefined) {
      throw new EmbError(
        'usage',
        `--${long} is for the scratch layer, and -m names ${ref}`,
        `leave out one of them`,
      );
    }
  }
  const { openModel, openModelBytes } = await import('../model/open.ts');
  if (ref === '-') {
    if (inputs.readsStdin(takesTexts)) {
      throw new EmbError(
        'usage',
        '-m - and the input both read stdin',
        'give the texts as arguments, the ids by --ids',
      );
    }
    const bytes = await readAll(undefined);
    return openModelBytes(bytes, { tensor: options.tensor as string | undefined, note: context.note });
  }
  const repository = await repositoryOf(ref, context);
  if (repository !== undefined) context.note(`${ref}: ${repository} of the hub`);
  const tensor = options.tensor as string | undefined;
  const env = process.env;
  return openModel(repository ?? ref, { tensor, note: context.note, env });
}

/**
 * The repository of a preset's short name (gpt2), since a preset has sizes and no weights; undefined for every other REF.
 *
 * @throws EmbError "unsupported" for a preset whose weights were not published
 */
async function repositoryOf(ref: string, context: Context): Promise<string | undefined> {
  if (ref.includes('/') || pathExists(ref)) return undefined;
  const preset = await context.preset(ref);
  if (preset === undefined) return undefined;
  const repository = preset.aliases.find((alias) => alias.includes('/'));
  if (repository !== undefined) return `hf:${repository}`;
  throw new EmbError(
    'unsupported',
    `"${ref}" is a preset, known sizes without weights`,
    `give a model folder or file; emb params ${ref} counts it`,
  );
}
