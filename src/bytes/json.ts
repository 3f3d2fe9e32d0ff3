import { EmbError } from '../errors.ts';

/** Far beyond any config, far below what exhausts the parser's memory. */
const deepest = 512;

/**
 * The value of a JSON file such as config.json, as Python's json module reads it: NaN and Infinity are numbers.
 *
 * A byte order mark is dropped. NaN becomes null, because nobody can compute with it.
 * Cost: O(bytes).
 * @throws EmbError "corrupt" when the bytes are no JSON or are nested deeper than 512
 */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  const literals = scan(bytes, name);
  const text = new TextDecoder().decode(literals.length === 0 ? bytes : replaceLiterals(bytes, literals));
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EmbError('corrupt', `${name}: is no valid JSON`, 'check that the file is complete');
  }
}

/** Checks the depth; gives the places of NaN and Infinity outside of strings. */
function scan(bytes: Uint8Array, name: string): number[] {
  const literals: number[] = [];
  let depth = 0;
  let inside = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inside) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inside = false;
    } else if (byte === 0x22) {
      inside = true;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > deepest) throw new EmbError('corrupt', `${name}: JSON is nested deeper than ${deepest}`);
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    } else if (byte === 0x4e || byte === 0x49) {
      literals.push(at);
    }
  }
  return literals;
}

/** NaN → null, Infinity → 1e999, which JSON.parse reads as Infinity; the minus before it stays. */
function replaceLiterals(bytes: Uint8Array, literals: readonly number[]): Uint8Array {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const at of literals) {
    const word = ['NaN', 'Infinity'].find(
      (literal) => source.toString('latin1', at, at + literal.length) === literal,
    );
    if (word === undefined) continue;
    parts.push(source.subarray(done, at), Buffer.from(word === 'NaN' ? 'null' : '1e999'));
    done = at + word.length;
  }
  parts.push(source.subarray(done));
  return Buffer.concat(parts);
}
