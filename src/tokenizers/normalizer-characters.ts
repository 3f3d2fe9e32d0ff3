import { characterFlags, markFlag } from './character-sets.ts';
import { AlignedBuilder, type AlignedText, remapAligned } from './tokenizer-json-aligned.ts';
import { pieceOfText } from './tokenizer-json-bytes.ts';
import type { Normalizer } from './tokenizer-json-normalizer.ts';

/** What a character becomes: itself (undefined), nothing, or a text that takes its place. */
export type CharacterRule = (code: number) => string | undefined;

/**
 * Rewrites a text character by character; what stays the same is copied in runs.
 *
 * Source: filter, map and transform of Hugging Face's normalizer.rs, whose new characters share the place of the old one.
 */
export function rewriteCharacters(from: AlignedText, rule: CharacterRule, tracked: boolean): AlignedText {
  const { text } = from;
  let builder: AlignedBuilder | undefined;
  let done = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    const next = at + (code > 0xffff ? 2 : 1);
    const changed = rule(code);
    if (changed !== undefined) {
      builder ??= new AlignedBuilder(tracked);
      builder.copy(text, done, at);
      builder.append(changed, at);
      done = next;
    }
    at = next;
  }
  if (builder === undefined) return from;
  builder.copy(text, done, text.length);
  return remapAligned(from, builder.text, builder.sources);
}

/** Removes combining marks; letters that hold theirs stay. */
export const stripAccents: Normalizer = (text, tracked) => {
  const flags = characterFlags();
  return rewriteCharacters(text, (code) => ((flags[code] & markFlag) !== 0 ? '' : undefined), tracked);
};

/** Source: do_nmt in Hugging Face's normalizers/unicode.rs. */
function ruleOfNmt(code: number): string | undefined {
  if (code < 0x20) {
    if (code === 9 || code === 10 || code === 12 || code === 13) return ' ';
    return code === 0 ? undefined : '';
  }
  if (code === 0x7f || code === 0x8f || code === 0x9f) return '';
  const isSpace =
    (code >= 0x200b && code <= 0x200f) ||
    code === 0x1680 ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x2581 ||
    code === 0xfeff ||
    code === 0xfffd;
  return isSpace ? ' ' : undefined;
}

/** Drops control characters and makes spaces of what separates words or has no width, as in Google's NMT. */
export const nmt: Normalizer = (text, tracked) => rewriteCharacters(text, ruleOfNmt, tracked);

/** Writes every byte of a text as a character. */
export const spellCharacters: Normalizer = (text, tracked) =>
  rewriteCharacters(
    text,
    (code) => (code > 0x20 && code < 0x7f ? undefined : pieceOfText(String.fromCodePoint(code))),
    tracked,
  );
