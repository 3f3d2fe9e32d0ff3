import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emb, embBytes, executable, has, shell, start } from '../support/emb.ts';

const work = mkdtempSync(join(tmpdir(), 'emb-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('shell pipelines', () => {
  test.skipIf(!has('python3'))('ids go through a pipe into npy bytes that python reads', () => {
    const script =
      'import sys; d=sys.stdin.buffer.read(); n=int.from_bytes(d[8:10],"little"); print(d[10:10+n].decode().strip(), len(d)-10-n)';
    const { stdout, code } = shell(
      `emb tokenize "Hello world" -f ids | emb embed --ids - -f npy | python3 -c '${script}'`,
    );
    expect(stdout.trim()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 768), } 6144");
    expect(code).toBe(0);
  });

  test('an endless writer and a reader of one line end at once with exit code 0', () => {
    const { stdout, stderr, code } = shell(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: bash reads it
      'yes "Hello world" | emb tokenize -q -f jsonl | head -n 1; echo "${PIPESTATUS[1]}"',
    );
    const [line, status] = stdout.trim().split('\n');
    expect(JSON.parse(line!)).toMatchObject({ row: 0, id: 15496, token: 'Hello' });
    expect(status).toBe('0');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  test('a model comes through stdin as an argument, too', () => {
    const tiny = 'fixtures/model/gpt2-tiny';
    const info = JSON.parse(shell(`emb info - -f json < ${tiny}/model.safetensors`).stdout);
    expect(info).toMatchObject({ format: 'safetensors', tensor_count: 16 });
    const named = JSON.parse(shell(`emb params ${tiny}/model.safetensors -f json`).stdout);
    const piped = JSON.parse(shell(`emb params - -f json < ${tiny}/model.safetensors`).stdout);
    expect(piped.total).toBe(named.total);
  });

  test('a tokenizer comes through stdin', () => {
    const file = 'fixtures/model/gpt2-tiny/tokenizer.json';
    const named = shell(`emb tokenize -m ${file} -f ids "Hello world"`).stdout;
    expect(named).toMatch(/^\d+( \d+)*\n$/);
    expect(shell(`emb tokenize -m - -f ids "Hello world" < ${file}`).stdout).toBe(named);
    expect(shell(`emb vocab - --count -f csv < ${file}`).stdout).toBe(
      shell(`emb vocab ${file} --count -f csv`).stdout,
    );
  });

  test('entries of a vocabulary are named by ids beside its REF', () => {
    const { stdout, stderr } = shell('emb vocab gpt2 --ids 15496,995 -q -f csv | cut -d, -f1,2');
    expect([stdout, stderr]).toEqual(['id,token\n15496,Hello\n995, world\n', '']);
  });

  test('csv columns can be cut', () => {
    const { stdout } = shell('emb embed "a" "b" -q -f csv | cut -d, -f1-4');
    expect(stdout).toBe('row,text,index,id\n0,a,0,64\n1,b,0,65\n');
  });

  test.skipIf(!has('jq'))('pooled lines keep their text for jq', () => {
    const { stdout } = shell("printf 'one\\ntwo\\n' | emb embed --pool mean -q -f jsonl | jq -c .text");
    expect(stdout).toBe('"one"\n"two"\n');
  });

  test('an answer leaves while the writer pauses', async () => {
    const child = start(['tokenize', '-q', '-f', 'ids']);
    const answer = new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    child.stdin.write('Hello world\n');
    expect(await answer).toBe('15496 995\n');
    child.stdin.end('Hello\n');
    const rest = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    expect(rest).toBe('15496\n');
  });

  test('a while loop is not eaten: commands with arguments leave stdin alone', () => {
    const { stdout } = shell(
      'printf \'a\\nb\\n\' | while read -r line; do emb tokenize "$line" -q -f ids; emb stats "$line" --dim 4 -q -f json > /dev/null; done',
    );
    expect(stdout).toBe('64\n65\n');
  });

  test('CRLF ends a line, NUL ends a text with -0, the last line needs no end', () => {
    expect(emb(['tokenize', '-q', '-f', 'ids'], { input: 'a\r\nb' }).stdout).toBe('64\n65\n');
    expect(emb(['tokenize', '-q', '-0', '-f', 'ids'], { input: 'a\nb\0c\0' }).stdout).toBe('64 198 65\n66\n');
  });

  test('invalid UTF-8 becomes U+FFFD with a note', () => {
    const { stdout, stderr } = emb(['tokenize', '-f', 'ids'], { input: Uint8Array.of(0x61, 0xff, 0x0a) });
    expect(stdout).toBe('64 4210\n');
    expect(stderr).toContain('U+FFFD');
  });

  test('jsonl input takes strings, objects and a named field, and says which lines it passed over', () => {
    const { stdout, stderr, code } = emb(['tokenize', '-q', '-f', 'ids', '--input', 'jsonl:t'], {
      input: '"a"\n{"t":"b"}\n{"x":1}\n{oops\n',
    });
    expect(stdout).toBe('64\n65\n');
    expect(stderr).toBe(
      'emb: input line 3 has no text "t": passed over\nemb: input line 4 is no JSON: passed over\n',
    );
    expect(code).toBe(1);
    expect(emb(['tokenize', '--input', 'jsonl', '--strict'], { input: '{oops\n' }).code).toBe(1);
  });
});

describe('texts that cannot be tokenized', () => {
  const vectors = 'fixtures/words-eval/vectors.txt';
  const passedOver = /^emb: input line 2 cannot be tokenized: "nosuch" is none of .*: passed over\n$/;

  test('are passed over with their number, and what follows is answered', () => {
    const input = 'king\nnosuch\nqueen\n';
    const commands = [
      'tokenize -f ids',
      'tokenize --count -f text',
      'embed --pool mean -f f32',
      'embed -f jsonl',
    ];
    for (const command of [...commands, 'tokenize -f csv', 'stats - -f json']) {
      const args = command.split(' ');
      const { stdout, stderr, code } = emb([...args, '-m', vectors, '-q'], { input });
      expect(code, command).toBe(1);
      expect(stderr).toMatch(passedOver);
      expect(stdout).not.toBe('');
    }
    expect(emb(['tokenize', '-m', vectors, '-q', '-f', 'ids'], { input }).stdout).toBe('20\n21\n');
    expect(emb(['tokenize', '-m', vectors, '-q', '-f', 'ids', '--strict'], { input }).stdout).toBe('20\n');
    expect(emb(['tokenize', '-m', vectors, 'king', 'nosuch']).stderr).toContain('emb: "nosuch" is none of');
  });

  test('are counted by other threads, too', () => {
    const lines = Array.from({ length: 700_000 }, (_, index) => (index === 650_000 ? 'nosuch' : 'king'));
    const { stdout, stderr, code } = emb(['tokenize', '-m', vectors, '-q', '-f', 'ids', '--threads', '2'], {
      input: `${lines.join('\n')}\n`,
    });
    expect(stdout.length).toBe(3 * (lines.length - 1));
    expect(stderr).toContain('emb: input line 650001 cannot be tokenized');
    expect(code).toBe(1);
  });
});

describe('jsonl from one command to the next', () => {
  test('tokens are looked up as they are, one text per row', () => {
    const direct = emb([
      'embed',
      'Hello world',
      'a',
      '--dim',
      '4',
      '-q',
      '-f',
      'f32',
      '-o',
      join(work, 'direct.f32'),
    ]);
    expect(direct.code).toBe(0);
    const piped = shell(
      `emb tokenize "Hello world" "a" -q -f jsonl | emb embed --input jsonl --dim 4 -q -f f32 -o '${join(work, 'piped.f32')}'`,
    );
    expect(piped.code, piped.stderr).toBe(0);
    expect(readFileSync(join(work, 'piped.f32'))).toEqual(readFileSync(join(work, 'direct.f32')));
  });

  test('their texts stay with them', () => {
    const { stdout } = shell(
      'emb tokenize "Hello world" "a" -q -f jsonl | emb embed --input jsonl --dim 4 -q --pool mean -f csv',
    );
    expect(stdout.split('\n').map((line) => line.split(',').slice(0, 3).join())).toEqual([
      'row,text,tokens',
      '0,Hello world,2',
      '1,a,1',
      '',
    ]);
    const rows = shell('emb tokenize "Hello world" -q -f jsonl | emb embed --input jsonl --dim 1 -q -f jsonl')
      .stdout.trim()
      .split('\n');
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([
      { row: 0, text: 'Hello world', index: 0, id: 15496, token: 'Hello', start: null },
      { row: 0, text: 'Hello world', index: 1, id: 995, token: ' world', special: false },
    ]);
  });
});

describe('tokens without their text', () => {
  test('are counted by stats and embed, and refused where a text is asked for', () => {
    const tokens = 'emb tokenize --ids 15496,995 -q -f jsonl';
    expect(
      JSON.parse(shell(`${tokens} | emb stats --dim 4 --input jsonl - -q -f json`).stdout),
    ).toMatchObject({ tokens: 2, words: 2, characters: 11 });
    expect(shell(`${tokens} | emb embed --dim 4 --input jsonl -q -f ids`).stdout).toBe('15496 995\n');
    const refused = shell(`${tokens} | emb tokenize --input jsonl -q -f ids`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('text 0 comes as tokens only');
  });
});

describe('what is cut off or passed over', () => {
  test('--truncate cuts texts and ids of every mode', () => {
    expect(emb(['tokenize', '--count', '--truncate', '1', 'a b c', '-q']).stdout).toBe('1\n');
    expect(emb(['tokenize', '--decode', '--truncate', '1', '--ids', '64,65', '-q']).stdout).toBe('a\n');
    expect(emb(['embed', '--ids', '1-9', '--truncate', '2', '--dim', '1', '-q', '-f', 'ids']).stdout).toBe(
      '1 2\n',
    );
  });

  test('a line that is no ids is passed over with its number, and --strict stops there', () => {
    const { stdout, stderr, code } = emb(['embed', '--ids', '-', '--dim', '1', '-q', '-f', 'ids'], {
      input: '5\nx\n7\n',
    });
    expect(stdout).toBe('5\n7\n');
    expect(stderr).toBe('emb: input line 2 is no ids: "x" is no id: passed over\n');
    expect(code).toBe(1);
    expect(emb(['embed', '--ids', '-', '--strict'], { input: 'x\n' }).stderr).toContain(
      'input line 1 is no ids',
    );
  });

  test('a text that names a file is said to be taken as text', () => {
    expect(emb(['tokenize', 'README.md']).stderr).toContain('is taken as text, though a file has this name');
  });

  test('padding of a long batch comes in pieces', () => {
    const { stdout } = shell('emb embed --ids 0 --ids 1-3000 --dim 1000 --pad -q -f f32 | wc -c');
    expect(stdout.trim()).toBe(String(2 * 3000 * 1000 * 4));
  });
});

describe('output files', () => {
  test('a pipe behind /dev/stdout is written as it is', () => {
    expect(shell('emb tokenize a -q -f ids -o /dev/stdout | cat')).toMatchObject({ stdout: '64\n', code: 0 });
  });

  test('a link to nothing stays a link, and its target is written', () => {
    symlinkSync('target.csv', join(work, 'link.csv'));
    expect(emb(['embed', '--ids', '1', '--dim', '1', '-q', '-o', join(work, 'link.csv')]).code).toBe(0);
    expect(lstatSync(join(work, 'link.csv')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(work, 'target.csv'), 'utf8')).toContain('row,index,id');
  });

  test('the format follows the ending, and the file is whole', () => {
    const path = join(work, 'x.npy');
    expect(emb(['embed', '--ids', '0-9', '--dim', '4', '-q', '-o', path]).code).toBe(0);
    expect(readFileSync(path).subarray(1, 6).toString()).toBe('NUMPY');
    expect(readFileSync(path)).toEqual(embBytes(['embed', '--ids', '0-9', '--dim', '4', '-q', '-f', 'npy']));
  });

  test('a failed run leaves the old file whole and nothing beside it', () => {
    const path = join(work, 'kept.csv');
    writeFileSync(path, 'old');
    const { code } = emb(['embed', '--ids', '0', '--ids', '99999999', '-q', '-f', 'csv', '-o', path]);
    expect(code).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(work).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s leaves no temporary file behind and ends the process by that signal',
    async (signal) => {
      const path = join(work, 'never.csv');
      const child = start(['embed', '-q', '--ids', 'all', '-o', path]);
      const ended = new Promise((resolve) => child.once('exit', (code, by) => resolve({ code, by })));
      while (!readdirSync(work).some((name) => name.startsWith('.never')))
        await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill(signal);
      expect(await ended).toEqual({ code: null, by: signal });
      expect(readdirSync(work).filter((name) => name.includes('never'))).toEqual([]);
    },
  );

  test('a shell sees 130 after Ctrl-C', () => {
    const { stdout } = shell(
      `set -m; (exec "$EMB_NODE" "$EMB" embed -q --ids all -f csv > /dev/null) & sleep 0.6; kill -INT $!; wait $!; echo $?`,
      {
        env: { EMB_NODE: process.execPath, EMB: executable },
      },
    );
    expect(stdout.trim().split('\n').at(-1)).toBe('130');
  });

  test('a missing folder is said', () => {
    const { stderr, code } = emb(['embed', 'a', '-o', join(work, 'no', 'x.npy')]);
    expect(stderr).toMatch(/^emb: .*x\.npy: its folder does not exist\n/m);
    expect(code).toBe(1);
  });
});
