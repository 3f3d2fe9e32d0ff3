import { expect, test } from 'vitest';
import { findDifferences, oracleNames } from '../tokenizers/oracle.ts';

test.each(oracleNames)('%s gives the ids of tiktoken on 20,000 nasty texts', async (name) => {
  expect(await findDifferences(name, 20, 20_000)).toEqual([]);
});
