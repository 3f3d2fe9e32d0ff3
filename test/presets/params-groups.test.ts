import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { groupOfTensor, isBuffer } from '../../src/commands/params-groups.ts';

const { classes }: { classes: Record<string, Record<string, string>> } = JSON.parse(
  readFileSync(new URL('../../fixtures/presets/names.json', import.meta.url), 'utf8'),
);

describe('groups of tensors', () => {
  test.each(Object.entries(classes))('the names of %s fall into the groups of the reference', (_, names) => {
    const found = Object.fromEntries(
      Object.keys(names).map((name) => [name, groupOfTensor(name, undefined)]),
    );
    expect(found).toEqual(names);
  });

  test('a role decides before a name does', () => {
    expect(groupOfTensor('weight', 'input')).toBe('embedding');
    expect(groupOfTensor('model.embed_tokens.weight', 'output')).toBe('head');
  });

  test.each([
    ['blk.0.attn_q.weight', 'attention'],
    ['blk.0.attn_norm.weight', 'norms'],
    ['blk.0.ffn_down.weight', 'mlp'],
    ['token_embd.weight', 'embedding'],
    ['output.weight', 'head'],
    ['cls.predictions.transform.dense.weight', 'head'],
    ['', 'other'],
    ['.', 'other'],
    ['x'.repeat(100_000), 'other'],
  ])('%.40s is %s', (name, group) => {
    expect(groupOfTensor(name, undefined)).toBe(group);
  });

  test('masks, frequencies and ids are buffers, biases are not', () => {
    expect(isBuffer({ name: 'h.0.attn.bias', shape: [1, 1, 1024, 1024] })).toBe(true);
    expect(isBuffer({ name: 'model.layers.0.self_attn.rotary_emb.inv_freq', shape: [64] })).toBe(true);
    expect(isBuffer({ name: 'embeddings.position_ids', shape: [1, 512] })).toBe(true);
    expect(isBuffer({ name: 'h.0.attn.c_attn.bias', shape: [2304] })).toBe(false);
    expect(isBuffer({ name: 'bias', shape: [1, 1, 3, 4] })).toBe(false);
  });
});
