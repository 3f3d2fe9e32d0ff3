import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/memory.ts';
import { openTensorFile } from '../../src/formats/index.ts';
import { readPickle } from '../../src/formats/pickle.ts';
import {
  PickleDict,
  PickleGlobal,
  PickleSequence,
  type PickleValue,
} from '../../src/formats/pickle-values.ts';
import { TorchHost } from '../../src/formats/pytorch-pickle.ts';
import { rowsOf } from '../../src/formats/rows.ts';
import { fixture, readJson } from './tables.ts';

interface Case {
  name: string;
  value: unknown;
  pickles: string[];
}

const { cases } = readJson<{ cases: Case[] }>(fixture('pickle/values.json'));

const read = (bytes: Uint8Array) => readPickle(bytes, 'x.pkl', new TorchHost('x.pkl'))!.value;
const text = (pickle: string) => read(Buffer.from(pickle, 'latin1'));

/** As the maker wrote it down: tuples are lists, what JSON lacks is text. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleSequence) return value.items.map(plain);
  if (value instanceof PickleDict) {
    const entries: [string, unknown][] = [];
    for (let at = 0; at < value.items.length; at += 2)
      entries.push([String(value.items[at]), plain(value.items[at + 1])]);
    return Object.fromEntries(entries);
  }
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return { float: value > 0 ? 'inf' : '-inf' };
  if (Object.is(value, -0)) return { float: '-0.0' };
  return value;
}

describe('pickles that Python wrote', () => {
  test.each(cases)('$name, every protocol', ({ value, pickles }) => {
    expect(pickles.length).toBeGreaterThan(1);
    for (const pickle of pickles) expect(plain(read(Buffer.from(pickle, 'base64')))).toEqual(value);
  });

  test('what is memoized is one value', () => {
    const { pickles } = cases.find(({ name }) => name === 'shared')!;
    const { items } = read(Buffer.from(pickles.at(-1)!, 'base64')) as PickleSequence;
    expect(items[0]).toBe(items[1]);
  });

  test('what is made of a dictionary or a list is another one', () => {
    expect(plain(text('(}q\x00ccollections\nOrderedDict\nh\x00\x85RU\x01aK\x01st.'))).toEqual([{}, { a: 1 }]);
    expect(plain(text('(]q\x00cbuiltins\nlist\nh\x00\x85RK\x01at.'))).toEqual([[], [1]]);
  });

  test('opcodes that today no pickler writes', () => {
    expect(plain(text("(I1\nI01\nL5L\nF1.5\nFnan\nS'a\\x41\\n\\\\'\nVu\\u00e9\nl."))).toEqual(
      [1, true, 5, 1.5, { float: '-inf' }, 'aA\n\\', 'u\u00e9'].map((item, at) =>
        at === 4 ? expect.anything() : item,
      ),
    );
    expect(plain(text('(S"k"\nI1\nd.'))).toEqual({ k: 1 });
    expect(plain(text('(lp0\nI3\nag0\n0.'))).toEqual([3]);
    expect(plain(text('((I1\nI2\n1I7\nt.'))).toEqual([7]);
    expect(plain(text('(I1\n2t.'))).toEqual([1, 1]);
    expect(plain(text('(icollections\nOrderedDict\n.'))).toEqual({});
    expect(plain(text('(ccollections\nOrderedDict\no.'))).toEqual({});
    expect(plain(text('\x80\x02ccollections\nOrderedDict\n)\x81.'))).toEqual({});
    expect(plain(text('\x80\x04ccollections\nOrderedDict\n)}\x92.'))).toEqual({});
    expect(plain(text('\x80\x04\x8f(K\x01K\x02\x90.'))).toEqual([1, 2]);
    expect(plain(text('\x80\x04(K\x01\x91.'))).toEqual([1]);
    expect(text('\x80\x05\x96\x02\0\0\0\0\0\0\0ab.')).toEqual(Buffer.from('ab'));
    expect(text('ctorch\nSize\n.')).toBeInstanceOf(PickleGlobal);
  });
});

describe('pickles that are refused', () => {
  test.each([
    ['', 'pickle does not end within 0 bytes'],
    ['\x80\x06.', 'has the protocol 6, expected at most 5'],
    ['.', 'the stack is empty'],
    ['(.', 'the stack is empty'],
    ['t.', 'there is no mark'],
    ['\xff.', 'byte 0xff is no opcode'],
    ['Ix\n.', 'an integer is none'],
    ['Fx\n.', 'a float is none'],
    ['Sx\n.', 'a string is not quoted'],
    ['V\\U00110000\n.', 'beyond U+10FFFF'],
    [`L${'9'.repeat(5000)}L\n.`, 'has 5000 digits, expected at most 4300'],
    ['\x8b\xff\xff\xff\x7f.', 'an integer has 2147483647 bytes, expected at most 1786'],
    ['\x8b\xff\xff\xff\xff.', 'a length is -1'],
    ['T\xff\xff\xff\xff.', 'a length is -1'],
    ['X\xff\xff\xff\xffabc', 'does not end within 8 bytes'],
    ['\x8d\xff\xff\xff\xff\xff\xff\xff\xff', 'expected at most 2^53 - 1'],
    ['g5\n.', 'memo entry 5 is not set'],
    ['gx\n.', 'the number of a memo entry is none'],
    ['Np99999\n.', 'memo entry 99999 is out of reach'],
    ['(NNNd.', 'a key without value'],
    ['NNa.', 'something is added to what is no list'],
    [')Na.', 'something is added to what is no list'],
    [']NNs.', 'something is added to what is no dictionary'],
    ['NNR.', 'arguments are no tuple'],
    ['N)R.', 'calls what is no class or function'],
    ['NN\x93.', 'a global has no name'],
    ['\x82\x01.', 'an extension code'],
    ['\x97.', 'a buffer that lies outside the pickle'],
    ['ctorch\nSize\n}b.', 'the class torch.Size is given a state'],
    ['(NQ.', 'a storage has no name'],
    ['Pabc\n.', 'a storage has no name'],
  ])('%j', (pickle, message) => {
    expect(() => text(pickle)).toThrow(message);
    try {
      text(pickle);
    } catch (error) {
      expect(error).toMatchObject({ name: 'EmbError' });
    }
  });

  test.each([
    'posix system',
    'builtins eval',
    '__builtin__ getattr',
    'os system',
    'torch load',
    'torch.storage _load_from_bytes',
  ])('%s, by name, in every way a global can be named', (path) => {
    const [module, name] = path.split(' ');
    const ways = [
      `c${module}\n${name}\n.`,
      `(i${module}\n${name}\n.`,
      `\x80\x04\x8c${String.fromCharCode(module.length)}${module}\x8c${String.fromCharCode(name.length)}${name}\x93.`,
    ];
    for (const way of ways) expect(() => text(way)).toThrow(`pickle names "${path}"`);
  });

  test('names of prototypes are no globals', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(() => text(`ctorch\n${name}\n.`)).toThrow('is not on the list');
      expect(() => text(`ctorch\n${name}Storage\n.`)).toThrow('is not on the list');
    }
  });

  test('a name of any length and any bytes is one short line', () => {
    const pickle = `\x80\x04X\x00\x00\x01\x00${'m'.repeat(65_536)}\x8c\x03a\nb\x93.`;
    expect(() => text(pickle)).toThrow(/^x\.pkl: pickle names "m{200}… a\\nb", which/);
  });
});

test('a list that holds itself is walked once', async () => {
  const open = openTensorFile(new MemorySource('x.pkl', Buffer.from('\x80\x04]\x94h\x00a.', 'latin1')));
  await expect(open).rejects.toThrow('without tensors');
});

describe('damaged PyTorch files', () => {
  test.each([
    'protocol-2.pt',
    'protocol-5.pt',
    'legacy-1.pt',
    'legacy-4.pt',
    'everything.pt',
    'strided.pt',
    'module.pt',
    'deflated.pt',
  ])('%s is read or refused', async (name) => {
    const whole = readFileSync(fixture(`pytorch/${name}`));
    // The CRC would catch every change of the pickle: none is checked when it says 0.
    const unsummed = Buffer.from(whole);
    for (let at = unsummed.indexOf('PK\x01\x02'); at >= 0; at = unsummed.indexOf('PK\x01\x02', at + 1)) {
      unsummed.fill(0, at + 16, at + 20);
    }
    const opcodes = Buffer.from(
      '().0123FIJKLMNPQRSTUVXabcdeghijlopqrstu}]\x80\x81\x85\x86\x87\x88\x8a\x8c\x93\x94\x95',
      'latin1',
    );
    const change = fc.tuple(
      fc.nat(Math.min(whole.length, 3000) - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(...opcodes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Uint8Array.from(unsummed);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          const file = await openTensorFile(new MemorySource(name, bytes));
          for (const tensor of file.tensors) {
            if (tensor.shape.length !== 2 || tensor.shape.includes(0)) continue;
            const table = rowsOf(tensor);
            await table.gather(Uint32Array.of(table.rows - 1), new Float32Array(table.dim));
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'EmbError', message: expect.not.stringContaining('\n') });
        }
      }),
      { seed: 5, numRuns: 400 },
    );
  });
});
