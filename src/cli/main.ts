import { type AtomicFile, ClosedPipe, DescriptorSink, openAtomic } from '../bytes/output.ts';
import type { Command, OptionValues } from '../command.ts';
import { EmbError, exitCodes } from '../errors.ts';
import { renderers } from '../render/index.ts';
import { didYouMean, nearestNames } from '../text/nearest.ts';
import { formatCount } from '../text/numbers.ts';
import type { Block, Renderer } from '../types.ts';
import { type Look, muchText, sharesTexts } from './batch-terms.ts';
import { colorLevel } from './color.ts';
import { createContext, type RunContext, type TextArguments } from './context.ts';
import { parseCommandLine } from './program.ts';
import { complain, say } from './say.ts';
import { onSignals } from './signals.ts';
import { isTerminal } from './terminal.ts';

declare const EMB_VERSION: string;

/** Commands that read stdin when they are given nothing else. */
const readsTexts = ['tokenize', 'embed', 'similarity'];

/** Endings of formats that emb does not write here: a table in such a file would be a trap. */
const foreignEndings = [
  'png',
  'jpg',
  'pdf',
  'html',
  'parquet',
  'arrow',
  'feather',
  'npz',
  'pt',
  'pth',
  'bin',
  'gguf',
  'onnx',
  'h5',
  'gz',
  'zip',
  'xlsx',
];

/** Runs one command line and ends the process: the only place that exits. */
export async function main(argv: readonly string[]): Promise<never> {
  const debug = argv.includes('--debug');
  const started = process.hrtime.bigint();
  let code: number;
  try {
    code = await run(argv);
  } catch (error) {
    code = report(error, debug);
  }
  if (debug)
    say(
      `${(Number(process.hrtime.bigint() - started) / 1e6).toFixed(1)} ms, ${formatCount(process.memoryUsage.rss())} bytes resident`,
    );
  process.exit(code);
}

/** Says what went wrong and gives the exit code for it. */
function report(error: unknown, debug: boolean): number {
  if (error instanceof ClosedPipe) return 0;
  if (error instanceof EmbError) {
    complain(error.message, error.hint);
    if (debug) say(String(error.stack));
    return exitCodes[error.code];
  }
  say(`emb: this is a bug in emb\n${error instanceof Error ? error.stack : String(error)}`);
  return 70;
}

function textArguments({ name, groups }: Command): TextArguments {
  return { unasked: readsTexts.includes(name), arguments: groups.includes('input') };
}

async function run(argv: readonly string[]): Promise<number> {
  const parsed = await parseCommandLine(argv, EMB_VERSION);
  const stdout = new DescriptorSink(1);
  if (parsed.kind === 'help') {
    const sink = parsed.asked ? stdout : new DescriptorSink(2);
    sink.write(parsed.text);
    sink.end();
    return parsed.asked ? 0 : exitCodes.usage;
  }
  const { command } = parsed;
  const options = parsed.options.output === '-' ? { ...parsed.options, output: undefined } : parsed.options;
  const output = options.output as string | undefined;
  const format = chooseFormat(command, options, output);
  const renderer = await renderers[format]!.load();
  if (renderer.binary && output === undefined && isTerminal(1)) {
    throw new EmbError(
      'usage',
      `${format} is binary and stdout is a terminal`,
      `redirect it (> x.${renderer.endings[0] ?? format}), or -o FILE`,
    );
  }
  const context = createContext(parsed.args, options, format, textArguments(command), () => stdout.end());
  if (sharesTexts(command, context)) context.inputs.endTextsWhere(muchText());
  // Listening before the file is there: a signal in between would leave it behind.
  const stop = output === undefined ? undefined : onSignals(() => file?.abandon());
  let file: AtomicFile | undefined;
  try {
    file = output === undefined ? undefined : openAtomic(output);
    const status = await print(command, context, renderer, file?.sink ?? stdout, options);
    if (file) file.commit();
    else stdout.end();
    return status === 'found' ? exitCodes.check : context.skipped > 0 ? 1 : 0;
  } catch (error) {
    // What was answered before the error still belongs to the reader; a half file belongs to nobody.
    if (file) file.abandon();
    else if (!(error instanceof ClosedPipe)) endQuietly(stdout);
    throw error;
  } finally {
    stop?.();
    await context.close();
  }
}

/** Gives the reader what is left; one who has gone must not hide the error that is on its way. */
function endQuietly(sink: DescriptorSink): void {
  try {
    sink.end();
  } catch (error) {
    if (!(error instanceof ClosedPipe)) throw error;
  }
}

async function print(
  command: Command,
  context: RunContext,
  renderer: Renderer,
  sink: DescriptorSink,
  options: OptionValues,
): Promise<'found' | undefined> {
  const report = await command.run(context);
  if (renderer.needsVectors && !report.vectors) {
    throw new EmbError(
      'usage',
      `${renderer.name} prints vectors, and ${command.name} gives none here`,
      `one of ${command.formats.join(', ')}`,
    );
  }
  // The first rows come before anything is printed: a question that fails says only why.
  report.blocks = await begun(report.blocks);
  if (report.caption && !renderer.captioned) for (const line of report.caption) context.caption(line);
  const color =
    options.output === undefined || options.color === 'always'
      ? colorLevel(options.color as string | undefined)
      : 0;
  const look: Look = {
    precision: options.precision as number | undefined,
    full: options.full === true,
    terminal: isTerminal(1) && options.output === undefined,
    width: isTerminal(1) && options.output === undefined ? process.stdout.columns || 80 : 80,
    color,
    shownColumns: options.columns as number | undefined,
    range: readRange(options.range as string | undefined),
  };
  await renderer.render(report, sink, { ...look, note: context.note, onPause: context.onPause });
  const { rest } = context.inputs;
  if (rest !== undefined) {
    const { printRest } = await import('./batch.ts');
    await printRest(rest, { command: command.name, context, look, sink });
  }
  return report.status;
}

/** --range LOW,HIGH. */
function readRange(text: string | undefined): [number, number] | undefined {
  if (text === undefined) return undefined;
  const [low = Number.NaN, high = Number.NaN, ...more] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (more.length > 0 || !(low < high) || !Number.isFinite(high - low)) {
    throw new EmbError('usage', `--range is "${text}", expected two numbers that rise`, '--range -1,1');
  }
  return [low, high];
}

/** The same blocks, the first of them made already. */
async function begun(blocks: AsyncIterable<Block>): Promise<AsyncIterable<Block>> {
  const iterator = blocks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
}

/** -f, else FILE's ending, else the command's first. */
function chooseFormat(command: Command, options: OptionValues, output: string | undefined): string {
  const asked = options.format as string | undefined;
  if (asked !== undefined) {
    if (command.formats.includes(asked)) return asked;
    const known = Object.hasOwn(renderers, asked);
    const near = didYouMean(nearestNames(asked, known ? [] : command.formats));
    throw new EmbError(
      'usage',
      known ? `"${asked}" is no format of ${command.name}` : `unknown format "${asked}"`,
      near ?? `one of ${command.formats.join(', ')}`,
    );
  }
  const ending = output?.split('/').pop()?.split('.').slice(1).pop()?.toLowerCase();
  if (ending === undefined) return defaultFormat(command, options);
  const byEnding = command.formats.find((name) => renderers[name]!.endings.includes(ending));
  if (byEnding !== undefined) return byEnding;
  // Plain text is what people read, where nothing is called text.
  if (ending === 'txt' && command.formats.includes('table')) return 'table';
  const isForeign = (known: string) =>
    foreignEndings.includes(known) || Object.values(renderers).some(({ endings }) => endings.includes(known));
  const chosen = defaultFormat(command, options);
  const near = nearestNames(
    ending,
    command.formats.flatMap((name) => renderers[name]!.endings),
  );
  if (isForeign(ending) || (near.length > 0 && chosen === 'table')) {
    throw new EmbError(
      'usage',
      `${command.name} writes no .${ending}, expected one of ${command.formats.join(', ')}`,
      near.length > 0
        ? `${didYouMean(near.map((name) => `.${name}`))} -f chooses the format whatever the ending`
        : '-f chooses the format whatever the ending',
    );
  }
  if (chosen === 'table' && !options.quiet)
    complain(`note: .${ending} names no format: ${output} is a table; -f chooses another`);
  return chosen;
}

const defaultFormat = (command: Command, options: OptionValues): string =>
  command.defaultFormat?.(options) ?? command.formats[0]!;
