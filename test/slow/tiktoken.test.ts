import { expect, test } from 'vitest';
import { findDifferences, newerCharacters, oracleNames } from '../tokenizers/oracle.ts';

const newer = newerCharacters();

test.each(oracleNames)('%s gives the ids of tiktoken on 20,000 nasty texts', async (name) => {
  expect(await findDifferences(name, 20, 20_000, newer)).toEqual([]);
});
