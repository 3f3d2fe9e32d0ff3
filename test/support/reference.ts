import { everywhere, groups } from '../../src/cli/groups.ts';
import type { Command, OptionSpec } from '../../src/command.ts';
import { commands } from '../../src/commands/index.ts';

const groupTitles = {
  model: 'Model',
  tokenizer: 'Tokenizer',
  input: 'Input',
  scratch: 'Scratch layer',
} as const;

/** docs/commands.md, from the data that `--help` is made of. */
export async function commandReference(): Promise<string> {
  const parts = [
    '# Commands\n\nMade from the option data in `src/commands` and `src/cli/groups.ts`; a test fails when it is stale (`npx vitest run test/docs.test.ts -u` writes it anew).\n',
  ];
  for (const entry of Object.values(commands)) parts.push(describe(await entry.load()));
  for (const [name, title] of Object.entries(groupTitles)) {
    parts.push(`## Options: ${title}\n\n${table(groups[name as keyof typeof groups])}`);
  }
  parts.push(`## Options: every command\n\n${table(everywhere)}`);
  return parts.join('\n');
}

function describe(command: Command): string {
  const examples = command.examples.map((example) => `${example.line}\n    # ${example.says}`).join('\n');
  const shared = command.groups.map(
    (name) => `[${groupTitles[name]}](#options-${groupTitles[name].toLowerCase().replace(' ', '-')})`,
  );
  return [
    `## emb ${command.name}\n\n\`emb ${command.name} ${command.usage}\`: ${command.summary}.\n`,
    command.description ? `${command.description}\n` : '',
    command.options.length > 0 ? table(command.options) : '',
    `Formats: ${command.formats.map((format) => `\`${format}\``).join(', ')} (the first is the default).`,
    command.inputs ? `\`--input\` takes ${command.inputs.join(', ')} here.` : '',
    shared.length > 0
      ? `Further options: ${shared.join(', ')}, [every command](#options-every-command).\n`
      : '',
    `\`\`\`sh\n${examples}\n\`\`\`\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function table(specs: readonly OptionSpec[]): string {
  const rows = specs.map((spec) => {
    const short = spec.short ? `\`-${spec.short}\`, ` : spec.alias ? `\`--${spec.alias}\`, ` : '';
    const value = spec.type === 'flag' ? '' : ` <${spec.value ?? 'value'}>`;
    const notes = [
      ...(spec.choices ? [`one of ${spec.choices.join(', ')}`] : []),
      ...(spec.default === undefined ? [] : [`default ${spec.default}`]),
      ...(spec.repeat ? ['may be repeated'] : []),
    ];
    const said = notes.length > 0 ? ` (${notes.join('; ')})` : '';
    return `| ${short}\`--${spec.long}${value}\` | ${(spec.description + said).replaceAll('|', '\\|')} |`;
  });
  return `| option | what it does |\n|---|---|\n${rows.join('\n')}\n`;
}
