import { expect, test } from 'vitest';
import { engines, findDifferences, oracleNames } from '../tokenizers/oracle.ts';

test.each(oracleNames.flatMap((name) => engines.map((engine) => [name, engine] as const)))(
  '%s gives the ids of tiktoken on 20,000 nasty texts, by the %s engine',
  async (name, engine) => {
    expect(await findDifferences(name, 20, 20_000, engine)).toEqual([]);
  },
);
