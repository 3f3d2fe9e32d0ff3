import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emb, shell } from '../support/emb.ts';
import { writeTables } from '../support/safetensors.ts';

const [before, after] = ['fixtures/planted/before', 'fixtures/planted/after'];
const expected = JSON.parse(readFileSync('fixtures/planted/expected.json', 'utf8'));
const { provenance } = expected;

const linesOf = (args: string[]): Record<string, unknown>[] =>
  emb([...args, '-q', '-f', 'jsonl'])
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const sorted = (ids: number[]) => ids.toSorted((a, b) => a - b);

describe('emb doctor', () => {
  const findings = linesOf(['doctor', after]);
  const bad = findings.filter(({ level }) => level !== 'ok');
  const found = (check: string) => bad.find((finding) => finding.check === check);

  test('finds nothing in a model that is as it should be', () => {
    const { stdout, code } = emb(['doctor', before, '--strict', '-q', '-f', 'jsonl']);
    expect(code).toBe(0);
    const levels = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).level);
    expect(new Set(levels)).toEqual(new Set(['ok']));
  });

  test('names every planted fault, and nothing else', () => {
    const rowChecks = ['zero', 'copy', 'mean-init', 'normal-init'];
    expect(bad.map(({ level, check }) => [level, check])).toEqual([
      ['note', 'padding'],
      ['warning', 'eos_token_id'],
      ['error', 'vocabulary'],
      ['error', 'positions'],
      ['error', 'tied'],
      ['error', 'input nan'],
      ...['input', 'output'].flatMap((role) => rowChecks.map((check) => ['warning', `${role} ${check}`])),
    ]);
    expect(found('padding')).toMatchObject({ count: 25, ids: '295-319' });
    expect(found('padding')!.finding).toContain(
      '320 is the next multiple of 64 after 295; 23 zero, 2 normal-init (sigma 0.02)',
    );
    expect(found('eos_token_id')!.finding).toContain('264, the ordinary token');
    expect(found('vocabulary')!.finding).toBe("the config's vocabulary is 285, the table has 320 rows");
    expect(found('tied')!.finding).toContain('lm_head.weight differs from transformer.wte.weight');
    expect(found('tied')!.finding).toContain(' in 5 rows');
    const differing: number[] = expected['head differs'];
    expect(differing.toSorted((a, b) => a - b)).toEqual([50, 60, 61, 62, 63]);
    expect(found('tied')).toMatchObject({ count: 5, ids: '50,60-63' });
    expect(found('input copy')!.finding).toContain('200 of 30, 293 of 70');
  });

  test('says of every row where it comes from', () => {
    const rows = linesOf(['doctor', after, '--rows']).filter(({ table }) => table === 'input');
    const idsOf = (kind: string) => rows.filter((row) => row.provenance === kind).map(({ id }) => id);
    expect(idsOf('nan')).toEqual(provenance.nan);
    expect(idsOf('zero')).toEqual(sorted(provenance.zero));
    expect(rows.filter((row) => row.provenance === 'copy').map((row) => [row.id, row.copy_of])).toEqual(
      provenance.copy,
    );
    expect(idsOf('mean-init')).toEqual(sorted(provenance['mean-init']));
    expect(idsOf('normal-init')).toEqual(sorted(provenance['normal-init']));
    expect(rows.filter(({ sigma }) => sigma !== null).map(({ sigma }) => sigma)).toEqual(Array(5).fill(0.02));
    expect(rows.find(({ id }) => id === 286)).toMatchObject({ token: '<|tool_0|>', padding: false });
    expect(rows.find(({ id }) => id === 300)).toMatchObject({ token: null, padding: true });
  });

  test('--strict exits with 3 when something is wrong', () => {
    expect(emb(['doctor', after, '-q']).code).toBe(0);
    expect(emb(['doctor', after, '-q', '--strict']).code).toBe(3);
  });

  test('findings go on in the next line where a terminal is narrow', () => {
    const { stdout } = emb(['doctor', after, '-q']);
    const lines = stdout.split('\n').filter((line) => line.startsWith('│'));
    expect(lines.every((line) => line.length === 80)).toBe(true);
    const words = lines.map((line) => line.split('│')[3]!.trim()).join(' ');
    expect(words).toContain('320 is the next multiple of 64 after 295; 23 zero, 2 normal-init');
  });

  test('roles that the config gives to no id', () => {
    const folder = mkdtempSync(join(tmpdir(), 'emb-roles-'));
    try {
      cpSync('fixtures/model/gpt2-tiny', folder, { recursive: true });
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
      const roles = { pad_token_id: -1, bos_token_id: '<s>', eos_token_id: [0, 1.5], sep_token_id: null };
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...roles }));
      const findings = linesOf(['doctor', folder])
        .filter(({ check }) => String(check).endsWith('_token_id'))
        .map(({ level, finding }) => [level, finding]);
      expect(findings).toContainEqual(['warning', "the config's pad_token_id is -1, which is no id"]);
      expect(findings).toContainEqual(['warning', 'the config\'s bos_token_id is "<s>", which is no id']);
      expect(findings).toContainEqual(['warning', "the config's eos_token_id is 1.5, which is no id"]);
      expect(findings.map(([, finding]) => String(finding)).join()).not.toContain('sep_token_id');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe('tables that a model would not have', () => {
    const work = mkdtempSync(join(tmpdir(), 'emb-doctor-'));
    afterAll(() => rmSync(work, { recursive: true, force: true }));
    /** Normal numbers from a fixed seed. */
    const drawn = (rows: number, dim: number, scales = Array(dim).fill(1)) => {
      let state = 7;
      const uniform = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state + 0.5) / 2 ** 32;
      };
      const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      return Array.from({ length: rows }, () => scales.map((scale: number) => 0.02 * scale * normal()));
    };
    const badOf = (path: string) =>
      linesOf(['doctor', path]).filter(({ level }) => level === 'warning' || level === 'error');

    test('what is wrong with rows is said of an untrained table, too', () => {
      const rows = drawn(400, 32);
      rows[300] = rows[300]!.fill(0);
      rows[310]![3] = Number.NaN;
      rows[320] = rows[319]!;
      const path = join(work, 'untrained.safetensors');
      writeTables(path, { 'wte.weight': { rows } });
      expect(badOf(path).map(({ level, check, ids }) => [level, check, ids])).toEqual([
        ['warning', 'input rows', null],
        ['error', 'input nan', '310'],
        ['warning', 'input zero', '300'],
        ['warning', 'input copy', '320'],
      ]);
    });

    test('one value that is out of all measure is named, and makes no row the mean', () => {
      const rows = drawn(
        3000,
        32,
        Array.from({ length: 32 }, (_, d) => 1 + (d % 5)),
      );
      rows[77]![4] = 1e5;
      const path = join(work, 'outsized.safetensors');
      writeTables(path, { 'wte.weight': { rows } });
      expect(badOf(path).map(({ check, count, ids }) => [check, count, ids])).toEqual([
        ['input norm', 1, '77'],
      ]);
    });

    test('rows beyond the vocabulary: a NaN is an error, a number that no power of 2 explains a warning', () => {
      const model = join(work, 'padded');
      cpSync(before, model, { recursive: true });
      const ids = 285;
      const put = (count: number, edit: (rows: number[][]) => void) => {
        const rows = drawn(count, 64);
        edit(rows);
        writeTables(join(model, 'model.safetensors'), { 'transformer.wte.weight': { rows } });
        return linesOf(['doctor', model]).find(({ check }) => check === 'padding');
      };
      expect(put(288, () => {})).toMatchObject({ level: 'note' });
      expect(put(288, (rows) => rows[287]!.fill(Number.NaN, 0, 1))).toMatchObject({
        level: 'error',
        finding: expect.stringContaining('; 1 nan, '),
      });
      const odd = put(ids + 1, () => {});
      expect(odd).toMatchObject({ level: 'warning' });
      expect(odd!.finding).toContain('286 is no multiple of 8 or of a larger power of 2');
    });

    test('a head with the same values in another dtype is no loss', () => {
      const model = join(work, 'head');
      cpSync(before, model, { recursive: true });
      const rows = drawn(285, 64).map((row) => row.map((value) => Math.round(value * 64) / 64));
      const put = (head: number[][]) => {
        writeTables(join(model, 'model.safetensors'), {
          'transformer.wte.weight': { rows, dtype: 'BF16' },
          'lm_head.weight': { rows: head },
        });
        return linesOf(['doctor', model]).find(({ check }) => check === 'tied');
      };
      expect(put(rows)).toMatchObject({ level: 'note', ids: null });
      expect(put([[...rows[0]!.slice(1), 9], ...rows.slice(1)])).toMatchObject({ level: 'error', ids: '0' });
    });
  });

  test('ids without a row, a model without tokenizer and config', () => {
    const missing = linesOf(['doctor', 'fixtures/model/bert-tiny', '--tokenizer', `${after}/tokenizer.json`]);
    expect(missing.find(({ check }) => check === 'rows')).toMatchObject({ level: 'error', ids: '40-294' });
    expect(missing.find(({ check }) => check === 'special')).toMatchObject({
      level: 'error',
      ids: '286-294',
    });
    const bare = linesOf(['doctor', 'fixtures/formats/f4-le-C.npy']);
    expect(bare.filter(({ level }) => level === 'note').map(({ check }) => check)).toEqual([
      'tokenizer',
      'config',
      'head',
    ]);
  });
});

describe('the other commands name what is planted', () => {
  test('audit: zero, NaN, duplicate and padding rows', () => {
    const rows = linesOf(['audit', after]);
    const idsOf = (name: string) =>
      rows.filter(({ reasons }) => String(reasons).split(' ').includes(name)).map(({ id }) => id);
    expect(idsOf('zero')).toEqual(sorted(provenance.zero));
    expect(idsOf('nan')).toEqual(provenance.nan);
    expect(idsOf('duplicate')).toEqual(provenance.copy.map(([id]: [number]) => id));
    expect(idsOf('padding')).toEqual(Array.from({ length: 25 }, (_, i) => 295 + i));
  });

  test('diff: rows that changed, tokens that were added, and the shift of the vocabulary', () => {
    const rows = linesOf(['diff', before, after, '--all']);
    const named = (change: string) => rows.filter((row) => row.change === change);
    expect(sorted(named('changed').map((row) => row.id_after as number))).toEqual(expected.changed);
    const from = expected['shifted from'];
    expect(named('added').map((row) => row.id_after)).toEqual([
      from,
      ...Array.from({ length: 34 }, (_, i) => 286 + i),
    ]);
    expect(named('removed')).toEqual([]);
    expect(named('moved').map((row) => [row.id_before, row.id_after])).toEqual(
      Array.from({ length: 285 - from }, (_, i) => [from + i, from + i + 1]),
    );
  });

  test('diff: the head that is no longer tied', () => {
    const rows = linesOf(['diff', `${after}`, `${after}:lm_head.weight`, '--by', 'id', '--all']);
    expect(sorted(rows.map((row) => row.id_after as number))).toEqual(sorted(expected['head differs']));
  });

  test('verify: rows that changed without the model they come from', () => {
    const { stdout, stderr, code } = shell(`emb lock ${before} -q | emb verify - ${after} -f jsonl`);
    expect(code).toBe(3);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const changed = rows.filter(({ change }) => change === 'changed').map(({ id }) => id);
    // The vocabulary is shifted: from there on every row is another one.
    expect(changed).toEqual([...expected.changed, ...Array.from({ length: 26 }, (_, i) => 259 + i)]);
    expect(rows[0].change).toBe('vocabulary');
    expect(rows.filter(({ change }) => change === 'added')).toHaveLength(35);
    expect(stderr).toContain('the vocabulary is another than that of the lock');
  });
});
