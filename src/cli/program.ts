import { Command, CommanderError, Option } from 'commander';
import type { Command as EmbCommand, OptionSpec, OptionValues } from '../command.ts';
import { commands } from '../commands/index.ts';
import { EmbError } from '../errors.ts';
import { nearestNames } from '../text/nearest.ts';
import { everywhere, groups } from './groups.ts';
import { optionKey, readOption } from './options.ts';
import { reflow } from './reflow.ts';
import { isTerminal } from './terminal.ts';

/** What the command line asks for. help: the text was asked for and goes to stdout. */
export type Parsed =
  | { kind: 'run'; command: EmbCommand; args: string[]; options: OptionValues }
  | { kind: 'help'; text: string; asked: boolean };

const groupTitles = {
  model: 'Model:',
  tokenizer: 'Tokenizer:',
  input: 'Input:',
  scratch: 'Scratch layer:',
} as const;

/**
 * Reads the command line. Only the command that is named gets loaded.
 * @throws EmbError "usage" for unknown commands and options (with a "did you mean") and for values of the wrong type
 */
export async function parseCommandLine(argv: readonly string[], version: string): Promise<Parsed> {
  const named = argv.find((word) => !word.startsWith('-'));
  const wanted = named === 'help' ? argv[argv.indexOf('help') + 1] : named;
  const loaded =
    wanted !== undefined && Object.hasOwn(commands, wanted) ? await commands[wanted]!.load() : undefined;

  if (named === 'help' && wanted !== undefined && loaded === undefined) {
    throw usageError(`error: unknown command '${wanted}'\n${meant(wanted)}`, undefined);
  }
  let help = '';
  let result: Parsed | undefined;
  const root = new Command('emb')
    .description('Look inside the embedding layer of a language model.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ commandDescription: (sub) => reflow(sub.description(), helpWidth()) })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
      writeErr: (text) => {
        help += text;
      },
      outputError: () => {},
    })
    .addHelpText('after', '\nemb <command> --help says more, with examples.\n');
  for (const [name, entry] of Object.entries(commands)) {
    // The others are for help and for names that are not known.
    if (loaded !== undefined && named !== 'help' && name !== wanted) continue;
    const sub = root.command(name).description(entry.summary).copyInheritedSettings(root);
    if (loaded === undefined || name !== wanted) {
      sub.argument(entry.usage).allowUnknownOption();
      continue;
    }
    describe(sub, loaded);
    sub.action(() => {
      result = {
        kind: 'run',
        command: loaded,
        args: sub.args.map(unmarked),
        options: readValues(loaded, sub.opts()),
      };
    });
  }
  try {
    root.parse(argv.map(markedText), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { kind: 'help', text: `${version}\n`, asked: true };
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: help, asked: true };
    if (error.code === 'commander.help') return { kind: 'help', text: help, asked: named === 'help' };
    const isEarly = argv[0]?.startsWith('-') && loaded !== undefined;
    if (isEarly)
      throw new EmbError('usage', `"${argv[0]}" stands before the command`, `emb ${named} ${argv[0]} ...`);
    throw usageError(error.message, named);
  }
  return result ?? { kind: 'help', text: help || root.helpInformation(), asked: false };
}

/** Stands before arguments that no option begins like; the system gives none with a zero byte in it. */
const textMark = '\0';

/** "- man + king" and "- an item" are texts: no option has white space after its dash. */
function markedText(argument: string): string {
  return /^-\s/.test(argument) ? textMark + argument : argument;
}

function unmarked(argument: string): string {
  return argument.startsWith(textMark) ? argument.slice(textMark.length) : argument;
}

const helpWidth = (): number => (isTerminal(1) ? process.stdout.columns || 80 : 80);

function describe(sub: Command, command: EmbCommand): void {
  sub.summary(command.summary).description(command.description ?? command.summary);
  sub.argument(command.usage.startsWith('[') ? command.usage : `[${command.usage}...]`);
  for (const spec of command.options) sub.addOption(toOption(spec));
  for (const group of command.groups) {
    for (const spec of groups[group]) {
      if (!command.options.some((own) => own.long === spec.long))
        sub.addOption(toOption(ofCommand(spec, command)).helpGroup(groupTitles[group]));
    }
  }
  for (const spec of everywhere) sub.addOption(toOption(spec).helpGroup('Output:'));
  const examples = command.examples.map((example) => `  ${example.line}\n      ${example.says}`).join('\n');
  const formats = `Formats: ${command.formats.join(', ')} (default ${command.formats[0]})`;
  sub.addHelpText('after', () => `\n${reflow(formats, helpWidth())}\n\nExamples:\n${examples}\n`);
}

/** A shared option, with what the command takes of it. */
function ofCommand(spec: OptionSpec, { inputs }: EmbCommand): OptionSpec {
  if (spec.long !== 'input' || inputs === undefined) return spec;
  return { ...spec, description: `what stdin or --file holds: ${inputs.join(', ')}` };
}

function toOption(spec: OptionSpec): Option {
  const short = spec.short ? `-${spec.short}, ` : spec.alias ? `--${spec.alias}, ` : '';
  const value = spec.type === 'flag' ? '' : ` <${spec.value ?? 'value'}>`;
  const notes = [
    ...(spec.choices ? [spec.choices.join(', ')] : []),
    ...(spec.default === undefined ? [] : [`default ${spec.default}`]),
  ];
  const said = notes.length > 0 && !spec.description.includes('(default') ? ` (${notes.join('; ')})` : '';
  const option = new Option(`${short}--${spec.long}${value}`, spec.description + said);
  if (spec.type !== 'flag') {
    option.argParser((raw: string, before: unknown) => {
      const read = readOption(spec, unmarked(raw));
      return spec.repeat ? [...((before as unknown[] | undefined) ?? []), read] : read;
    });
  }
  return option;
}

/** commander reads --no-x as x = false; emb keeps the option's own name. */
function readValues(command: EmbCommand, values: Record<string, unknown>): OptionValues {
  const read: Record<string, unknown> = { ...values };
  const specs = [...command.options, ...command.groups.flatMap((group) => groups[group])];
  for (const spec of specs) {
    if (!spec.long.startsWith('no-')) continue;
    const positive = optionKey({ ...spec, long: spec.long.slice(3) });
    read[optionKey(spec)] = values[positive] === false;
    delete read[positive];
  }
  return read;
}

/** As commander says it. */
function meant(name: string): string {
  const near = nearestNames(name, Object.keys(commands), 1);
  return near.length > 0 ? `(Did you mean ${near[0]}?)` : '';
}

function usageError(message: string, command: string | undefined): EmbError {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = /\((Did you mean .*)\)/.exec(rest.join(' '))?.[1];
  const hint = suggestion
    ? suggestion.replace('Did', 'did')
    : `emb ${command && Object.hasOwn(commands, command) ? `${command} ` : ''}--help`;
  return new EmbError('usage', first.replaceAll("'", '"'), hint);
}
