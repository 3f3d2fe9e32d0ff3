import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { countModel, groupNames } from '../../src/core/architecture-count.ts';
import { encodedModels, encodingOf } from '../../src/model/presets/encodings.ts';
import { findPreset, presets } from '../../src/model/presets/index.ts';

interface Reference {
  model: string;
  published: number | string;
  total: number;
  groups: Record<string, number>;
}

const reference: { presets: Record<string, Reference> } = JSON.parse(
  readFileSync(new URL('../../fixtures/presets/counts.json', import.meta.url), 'utf8'),
);

describe('presets', () => {
  test('every preset has a reference count and every reference count a preset', () => {
    expect(presets.map((preset) => preset.name).sort()).toEqual(Object.keys(reference.presets).sort());
  });

  test.each(presets.map((preset) => [preset.name, preset] as const))(
    '%s has the parameters that torch counts, group by group',
    (name, preset) => {
      const wanted = reference.presets[name]!;
      const counted = countModel(preset.config);
      const groups = Object.fromEntries(groupNames.map((group) => [group, wanted.groups[group] ?? 0]));
      expect(counted.groups).toEqual(groups);
      expect(counted.total).toBe(wanted.total);
      expect(preset.counted).toBe(wanted.model);
      expect(preset.source.length).toBeGreaterThan(10);
    },
  );

  test('GPT-2 has 124,439,808 parameters, 38,597,376 of them in the token table', () => {
    const { groups, total } = countModel(findPreset('gpt2')!.config);
    expect(total).toBe(124_439_808);
    expect(groups.embedding).toBe(38_597_376);
  });

  test('BERT base uncased has 109,482,240 parameters, 23,440,896 of them in the token table', () => {
    const { groups, total } = countModel(findPreset('bert-base-uncased')!.config);
    expect(total).toBe(109_482_240);
    expect(groups.embedding).toBe(23_440_896);
  });

  test('GPT-3 has 12,288 dimensions and the 174,600 million parameters of table D.1', () => {
    const preset = findPreset('gpt3')!;
    expect(preset.config.dim).toBe(12288);
    expect(Math.round(countModel(preset.config).total / 1e8)).toBe(1746);
  });

  test('Mixtral 8x7B uses 12.9 and DeepSeek-V3 37.6 billion parameters for a token', () => {
    expect(countModel(findPreset('mixtral-8x7b')!.config).active).toBe(12_879_925_248);
    expect(Math.round(countModel(findPreset('deepseek-v3')!.config).active / 1e8)).toBe(376);
    expect(countModel(findPreset('gpt2')!.config).active).toBe(124_439_808);
  });

  test('a preset is found by its name, its name on the hub and in any case', () => {
    expect(findPreset('openai-community/gpt2')).toBe(findPreset('gpt2'));
    expect(findPreset('meta-llama/llama-3.1-8b')?.name).toBe('llama-3.1-8b');
    expect(findPreset('BERT-base')?.name).toBe('bert-base-uncased');
    expect(findPreset('gpt-two')).toBeUndefined();
  });

  test('no two presets share a name', () => {
    const names = presets
      .flatMap((preset) => [preset.name, ...preset.aliases])
      .map((name) => name.toLowerCase());
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('a whole number of heads makes up the width unless the width of a head is given', () => {
    for (const { name, config } of presets) {
      if (config.heads === undefined || config.headDim !== undefined || config.kvRank !== undefined) continue;
      expect(config.dim % config.heads, name).toBe(0);
    }
  });
});

describe('model names of OpenAI', () => {
  const names: Record<string, string | null> = JSON.parse(
    readFileSync(new URL('../../fixtures/presets/encodings.json', import.meta.url), 'utf8'),
  ).encodings;

  test.each(Object.entries(names))('%s is read as tiktoken reads it: %s', (name, encoding) => {
    expect(encodingOf(name) ?? null).toBe(encoding);
  });

  test('a preset is read by the encoding that is its tokenizer, one with its own tokenizer by none', () => {
    expect(encodingOf('gpt2-xl')).toBe('gpt2');
    expect(encodingOf('openai-community/gpt2')).toBe('gpt2');
    expect(encodingOf('gpt3')).toBe('r50k_base');
    expect(encodingOf('openai/gpt-oss-20b')).toBe('o200k_harmony');
    expect(encodingOf('bert-base')).toBeUndefined();
  });

  test('every name that is suggested has an encoding', () => {
    for (const name of encodedModels) expect(encodingOf(name), name).toBeDefined();
  });
});
