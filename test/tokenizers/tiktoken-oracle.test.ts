import { expect, test } from 'vitest';
import { otherClass, unpackClasses } from '../../src/tokenizers/scanner-classes.ts';
import { engines, findDifferences, oracleNames, rustClass, wordClasses } from './oracle.ts';

test.each(oracleNames.flatMap((name) => engines.map((engine) => [name, engine] as const)))(
  '%s gives the ids of tiktoken on 2,000 nasty texts, by the %s engine',
  async (name, engine) => {
    expect(await findDifferences(name, 1, 2000, engine)).toEqual([]);
  },
);

test('every character has the class that it has in tiktoken', () => {
  const expected = new Uint8Array(0x110000).fill(1);
  wordClasses.forEach((pattern, i) => {
    for (const code of rustClass(pattern)) expected[code] = 2 << i;
  });
  expected[0x0a] = expected[0x0d] = 128;
  const classes = new Uint8Array(expected.length);
  unpackClasses(classes);
  expect(
    Array.from(expected.keys()).filter((code) => (classes[code] ^ otherClass) !== expected[code]),
  ).toEqual([]);
});

test('tiktoken of npm still lacks letters of Unicode 17', () => {
  // When it has them, scripts/generate-classes.mjs must run again.
  expect(rustClass('\\p{Cn}').has(0x323b0)).toBe(true);
});
