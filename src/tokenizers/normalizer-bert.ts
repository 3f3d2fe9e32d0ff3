import { accentFlag, characterFlags, controlFlag } from './character-sets.ts';
import { rewriteCharacters } from './normalizer-characters.ts';
import { isWhiteSpace } from './tokenizer-json-added.ts';
import { flagOf, type Part } from './tokenizer-json-file.ts';
import { lowercase, type Normalizer } from './tokenizer-json-normalizer.ts';
import { normalizeForm } from './tokenizer-json-unicode.ts';

/** What a BertNormalizer does. */
export interface BertSteps {
  cleanText: boolean;
  spaceChinese: boolean;
  stripAccents: boolean;
  lowercase: boolean;
}

/** @throws EmbError "corrupt" for flags that are none */
export function bertStepsOf(name: string, part: Part): BertSteps {
  const lower = flagOf(name, part, 'lowercase', true);
  return {
    cleanText: flagOf(name, part, 'clean_text', true),
    spaceChinese: flagOf(name, part, 'handle_chinese_chars', true),
    stripAccents: flagOf(name, part, 'strip_accents', lower),
    lowercase: lower,
  };
}

/** The ideographs that BERT puts spaces around. Source: is_chinese_char in Hugging Face's normalizers/bert.rs. */
export function isChinese(code: number): boolean {
  if (code < 0x3400) return false;
  if (code < 0xa000) return code >= 0x4e00 || code <= 0x4dbf;
  if (code < 0x20000) return code >= 0xf900 && code <= 0xfaff;
  return (
    code <= 0x2a6df ||
    (code >= 0x2a700 && code <= 0x2b81f) ||
    (code >= 0x2b920 && code <= 0x2ceaf) ||
    (code >= 0x2f800 && code <= 0x2fa1f)
  );
}

/** BERT's cleaning: no control characters, spaces for white space and around ideographs, no accents, lower case. */
export function createBertNormalizer(steps: BertSteps): Normalizer {
  const flags = characterFlags();
  const clean = (code: number): string | undefined => {
    if (code === 9 || code === 10 || code === 13) return ' ';
    if ((flags[code] & controlFlag) !== 0) return '';
    return code > 0x20 && code < 0xffff && isWhiteSpace(code) ? ' ' : undefined;
  };
  const space = (code: number): string | undefined =>
    isChinese(code) ? ` ${String.fromCodePoint(code)} ` : undefined;
  const strip = (code: number): string | undefined => ((flags[code] & accentFlag) !== 0 ? '' : undefined);
  return (from, tracked) => {
    let text = from;
    if (steps.cleanText) text = rewriteCharacters(text, clean, tracked);
    if (steps.spaceChinese) text = rewriteCharacters(text, space, tracked);
    if (steps.stripAccents) text = rewriteCharacters(normalizeForm(text, 'NFD', tracked), strip, tracked);
    return steps.lowercase ? lowercase(text, tracked) : text;
  };
}
