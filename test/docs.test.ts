import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandReference } from './support/reference.ts';

test('docs/commands.md says what the commands take', async () => {
  await expect(await commandReference()).toMatchFileSnapshot('../docs/commands.md');
});

test('the README names every format and every built-in encoding', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const { renderers } = await import('../src/render/index.ts');
  const { encodingNames } = await import('../src/tokenizers/tiktoken.ts');
  for (const name of [...Object.keys(renderers), ...encodingNames]) expect(readme).toContain(`\`${name}\``);
});
