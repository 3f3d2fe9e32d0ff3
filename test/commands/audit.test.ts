import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/command.ts';
import { command } from '../../src/commands/audit.ts';
import { openModel } from '../../src/model/open.ts';
import { openTokenizer } from '../../src/model/tokenizer-ref.ts';
import { csvRenderer as csv } from '../../src/render/csv.ts';
import { renderer as ids } from '../../src/render/ids.ts';
import { renderer as json } from '../../src/render/json.ts';
import { renderer as jsonl } from '../../src/render/jsonl.ts';
import { renderer as table } from '../../src/render/table.ts';
import type { Model } from '../../src/types.ts';
import { rendered } from '../support/report.ts';

const renderers = { table, json, jsonl, csv, ids };

const expected = JSON.parse(gunzipSync(readFileSync('fixtures/audit/expected.json.gz')).toString()) as {
  planted: number[];
  zero: number;
  nan: number;
  duplicate: [number, number];
};

const opened: Model[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.close();
});

/** What `emb audit` prints. */
async function audit(
  args: string[],
  options: Record<string, unknown> = {},
  format: keyof typeof renderers = 'table',
) {
  const notes: string[] = [];
  const note = (message: string) => void notes.push(message);
  const context = {
    args,
    options,
    format,
    modelRef: undefined,
    note,
    async open(ref: string) {
      const model = await openModel(ref, { tensor: options.tensor as string | undefined, note });
      opened.push(model);
      return model;
    },
    tokenizerOf: (ref: string) => openTokenizer(ref, note, {}),
    tokenizer: (model: Model) =>
      options.tokenizer === undefined
        ? model.tokenizer()
        : openTokenizer(options.tokenizer as string, note, {}),
    progress: () => ({ advance() {}, done() {} }),
  } as Partial<Context> as Context;
  const report = await command.run(context);
  return { report, notes, text: await rendered(renderers[format], report) };
}

const lines = (text: string) => text.trimEnd().split('\n');
const records = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);

describe('emb audit', () => {
  it('counts every class and shows the lowest tokens', async () => {
    const { text, report } = await audit(['fixtures/audit'], {}, 'json');
    const summary = JSON.parse(text);
    expect(summary).toMatchObject({
      ids: 289,
      rows: 297,
      dim: 12,
      tied: false,
      unused_rows: 23,
      unused_by: '13 impossible byte, 2 reserved name, 8 padding row',
      indicator: 'input-norm',
    });
    const counts = Object.fromEntries(
      summary.classes.map(({ class: name, count }: { class: string; count: number }) => [name, count]),
    );
    expect(counts).toEqual({
      reserved: 2,
      special: 1,
      unassigned: 0,
      byte: 256,
      partial: 3,
      unreachable: 2,
      plain: 25,
      'no-row': 0,
      padding: 8,
      zero: 1,
      nan: 1,
      duplicate: 1,
      'under-trained': 27,
      candidate: 4,
    });
    const lowest = summary.lowest.map(({ id }: { id: number }) => id);
    expect(lowest.slice(0, 5).sort()).toEqual([...expected.planted, expected.zero].sort());
    expect(report.caption).toEqual([
      'fixtures/audit · model.embed_tokens.weight · F16 · 297 x 12 · tokenizer fixtures/audit/tokenizer.json',
    ]);
  });

  it('says of every token that stands out why, with numbers', async () => {
    const found = records((await audit(['fixtures/audit'], {}, 'jsonl')).text);
    const byId = new Map(found.map((record) => [record.id, record]));
    expect(byId.get(expected.duplicate[0])).toMatchObject({
      reasons: 'duplicate',
      same_as: expected.duplicate[1],
      candidate: false,
    });
    expect(byId.get(expected.nan)).toMatchObject({ reasons: 'nan', norm: null, indicator: null });
    expect(byId.get(expected.zero)).toMatchObject({ reasons: 'zero', norm: 0, deviations: null });
    const planted = byId.get(expected.planted[0])!;
    expect(planted.reasons).toBe('under-trained');
    expect(planted.deviations).toBeLessThan(-5);
    expect(planted.output_cosine).toBeLessThan(0.01);
    const lost = found.filter(({ reasons }) => String(reasons).startsWith('unreachable'));
    expect(lost.map(({ token }) => token)).toEqual(['zqx', 'Ġqzx']);
    expect(lost[0].reencoded).toHaveLength(3);
    expect(byId.get(289)).toMatchObject({ token: null, reasons: 'padding under-trained' });
    expect(found.length).toBe(256 + 2 + 1 + 3 + 2 + 8 + expected.planted.length + 3);
  });

  it('lists every token with --all, and those of classes with --class', async () => {
    expect(lines((await audit(['fixtures/audit'], { all: true }, 'jsonl')).text)).toHaveLength(297);
    const zeros = await audit(['fixtures/audit'], { class: ['zero', 'nan'] }, 'ids');
    expect(zeros.text.trim().split(/\s+/).map(Number)).toEqual([expected.zero, expected.nan]);
    const shown = await audit(['fixtures/audit'], { class: ['unreachable'] });
    expect(shown.text).toContain('␣qzx');
    const header = lines((await audit(['fixtures/audit'], { class: ['candidate'] }, 'csv')).text);
    expect(header[0]).toBe(
      'id,token,bytes,reasons,reencoded,indicator,deviations,candidate,same_as,norm,output_cosine,output_l2',
    );
    expect(header).toHaveLength(5);
  });

  it('adds the distance without the first component when it is asked for', async () => {
    const [record] = records(
      (await audit(['fixtures/audit'], { indicator: 'output-cosine-pc1', all: true }, 'jsonl')).text,
    );
    expect(record.output_cosine_pc1).toBe(record.indicator);
  });

  it('works with a tokenizer alone, by --tokenizer or by its file', async () => {
    for (const [args, options] of [
      [[], { tokenizer: 'fixtures/audit/tokenizer.json' }],
      [['fixtures/audit/tokenizer.json'], {}],
    ] as const) {
      const { text } = await audit([...args], options, 'json');
      const summary = JSON.parse(text);
      expect(summary.ids).toBe(289);
      expect(summary.classes).toContainEqual({ class: 'partial', count: 3, share: 3 / 289 });
      expect(summary).not.toHaveProperty('lowest');
    }
  });

  it('works with rows alone', async () => {
    const { text, notes } = await audit(['fixtures/formats/f4-le-C.npy'], {}, 'json');
    const summary = JSON.parse(text);
    expect([summary.ids, summary.tied, summary.indicator]).toEqual([null, null, 'input-norm']);
    expect(notes).toEqual([]);
  });

  it('notes what it could not do', async () => {
    const tied = await audit(['fixtures/model/bert-tiny'], {}, 'json');
    expect(JSON.parse(tied.text)).toMatchObject({ tied: true, indicator: 'input-norm', unused_rows: null });
    expect(tied.notes).toContain(
      'no row is known to be unused: the indicator is the norm, a weaker sign where tables are tied',
    );
    const pieces = await audit([], { tokenizer: 'fixtures/tokenizers/wordpiece' }, 'json');
    expect(pieces.notes.join()).toMatch(
      /^\d+ tokens only stand within words: whether text leads to them is not tried$/,
    );
    expect(JSON.parse(pieces.text).classes).toContainEqual({ class: 'unreachable', count: 0, share: 0 });
  });

  it('fails a check over a number of faulty tokens, of a class where one is named', async () => {
    const status = async (options: Record<string, unknown>) =>
      (await audit(['fixtures/audit'], options)).report.status;
    // Two are unreachable, four hardly trained, and there is a zero, a NaN and a duplicate row.
    expect(await status({ failOver: 8 })).toBe('found');
    expect(await status({ failOver: 9 })).toBeUndefined();
    expect(await status({ failOver: 2, class: ['partial'] })).toBe('found');
    expect(await status({ failOver: 3, class: ['partial'] })).toBeUndefined();
    expect(await status({})).toBeUndefined();
  });

  it('refuses two models, none, and ids that are none', async () => {
    await expect(audit(['a', 'b'])).rejects.toThrow('audit takes one model, not 2');
    await expect(audit(['a'], { model: 'b' })).rejects.toThrow('a and -m b are two models');
    await expect(audit([])).rejects.toThrow('audit needs a model or a tokenizer');
    for (const unused of ['x', '5-3', '0-4294967295', ''])
      await expect(audit(['fixtures/audit'], { unused })).rejects.toThrow('is no list of at most');
    await expect(audit(['fixtures/audit'], { unused: '1,900' })).rejects.toThrow('--unused 900 is no row');
  });
});
