import { expect, test } from 'vitest';
import type { Context } from '../../src/command.ts';
import { idCells, tokenCells } from '../../src/commands/token-rows.ts';
import { firstComposedId, shownId } from '../../src/composed-id.ts';

test('a word whose vector is composed of parts has no id in any output', () => {
  const token = {
    id: firstComposedId + 3,
    text: 'zzqx',
    bytes: Buffer.from('zzqx'),
    start: 0,
    end: 4,
    special: false,
  };
  const context = { format: 'json', note() {} } as unknown as Context;
  expect(tokenCells(0, 'zzqx', [token], context)[0]?.[3]).toBeNull();
  expect(idCells(0, Uint32Array.of(token.id), undefined)[0]?.[2]).toBeNull();
  expect([shownId(7), shownId(firstComposedId - 1)]).toEqual([7, firstComposedId - 1]);
});
