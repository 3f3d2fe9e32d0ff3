import { widthOf } from './scanner-classes.ts';

/** Bytes as text; those that are no valid UTF-8 are written `<0xE4>`. */
export function spellBytes(bytes: Uint8Array): string {
  const whole = validText(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const character = bytes.subarray(at, at + widthOf(bytes[at]));
    const valid = validText(character);
    text += valid ?? `<0x${bytes[at].toString(16).toUpperCase().padStart(2, '0')}>`;
    at += valid === undefined ? 1 : character.length;
  }
  return text;
}

/** The text of valid UTF-8, otherwise undefined. */
function validText(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

/** The bytes that spellBytes wrote as this text. */
export function unspellBytes(text: string): Uint8Array {
  const parts = text.split(/<0x([0-9A-F]{2})>/);
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 0 ? Buffer.from(part, 'utf8') : Buffer.from(part, 'hex'))),
  );
}

/** UTF-16 units per piece of a long text: its UTF-8 stays in the processor's cache. */
const pieceUnits = 65536;

/**
 * Where a long text may be cut at or after `from`: before a space between ASCII letters, where no encoding's word goes
 * on and none looks back or ahead. Cost: amortized one look at each unit, however rare such places are.
 */
export function pieceEnd(text: string, from: number): number {
  if (text.length - from <= pieceUnits) return text.length;
  for (let at = from + pieceUnits; at > from; at--) if (isCut(text, at)) return at;
  for (let at = from + pieceUnits + 1; at < text.length; at++) if (isCut(text, at)) return at;
  return text.length;
}

function isCut(text: string, at: number): boolean {
  return (
    text.charCodeAt(at) === 0x20 && isLetter(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at + 1))
  );
}

function isLetter(unit: number): boolean {
  return (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a;
}
