import type { Tokenizer } from '../types.ts';
import { Reencoder } from './audit-reencode.ts';

/** What a token is to its tokenizer, in the order in which it is tried. */
export const tokenKinds = [
  'reserved',
  'special',
  'unassigned',
  'byte',
  'partial',
  'unreachable',
  'plain',
] as const;

export type TokenKind = (typeof tokenKinds)[number];

/** Every kind by its number in TokenAudit.kinds. */
export const kindCode = Object.fromEntries(tokenKinds.map((kind, code) => [kind, code])) as Record<
  TokenKind,
  number
>;

/** What a walk over a vocabulary found. */
export interface TokenAudit {
  /** Shape: [ids]. Index into tokenKinds. */
  kinds: Uint8Array;
  /** Shape: [ids]. 1 where the token's own text gives the token and nothing else, or where that cannot be told. */
  reached: Uint8Array;
  /** Ids of tokens that no text can have, and what tells so. */
  unused: Map<number, UnusedReason>;
  /** Tokens whose text cannot be told to lead to them, since they only go on with a word. */
  untested: number;
  reencoder: Reencoder;
}

/** Why the row of a token cannot have been trained on text. */
export type UnusedReason = 'reserved name' | 'impossible byte' | 'shadowed byte' | 'no entry';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Names that stand for nothing yet: <|reserved_123|>, <unused1>, [unused1], <extra_id_0>, <|dummy_3|>, <SPECIAL_20>,
 * <｜place▁holder▁no▁1｜>, madeupword0001.
 */
const reservedName =
  /^(?:[<[]\|?[^<>[\]]*(?:reserved|unused|not_used|extra|place▁?holder|dummy|madeup|special_|control_)[^<>[\]]*\d[^<>[\]]*[>\]]|madeupword\d+)$/i;

/** T5's sentinels have the form of a spare name, but are trained. */
const sentinelName = /extra_id/i;

/**
 * The kind of every id of a vocabulary, and whether its text leads back to it.
 *
 * reserved: a name that is kept for later. special: as the tokenizer says. unassigned: an id without an entry. byte: a single byte.
 * partial: bytes that are no whole characters. unreachable: the token's text, encoded, gives other ids.
 * Cost: one encode per token.
 * Source: Land & Bartolo 2024, "Fishing for Magikarp", section 3.1 (token categories by decoding and encoding again)
 */
export function auditTokens(tokenizer: Tokenizer, advance?: (ids: number) => void): TokenAudit {
  const ids = tokenizer.vocabSize;
  const audit: TokenAudit = {
    kinds: new Uint8Array(ids),
    reached: new Uint8Array(ids),
    unused: new Map(),
    untested: 0,
    reencoder: new Reencoder(tokenizer),
  };
  for (let id = 0; id < ids; id++) {
    audit.kinds[id] = kindCode[kindOf(audit, tokenizer, id)];
    if ((id & 8191) === 8191) advance?.(8192);
  }
  return audit;
}

function kindOf(audit: TokenAudit, tokenizer: Tokenizer, id: number): TokenKind {
  const bytes = tokenizer.bytesOf(id);
  if (bytes === undefined) {
    audit.unused.set(id, 'no entry');
    return 'unassigned';
  }
  const first = bytes[0];
  if (first === 0x3c || first === 0x5b || first === 0x6d) {
    const name = tokenizer.tokenOf(id) ?? '';
    if (reservedName.test(name)) {
      if (!sentinelName.test(name)) audit.unused.set(id, 'reserved name');
      return 'reserved';
    }
  }
  if (tokenizer.isSpecial(id)) return 'special';
  const text = textOf(bytes);
  if (text === undefined) {
    if (bytes.length > 1) return 'partial';
    if (isImpossible(first)) audit.unused.set(id, 'impossible byte');
    return 'byte';
  }
  const reached = audit.reencoder.reaches(id, text);
  audit.reached[id] = reached === false ? 0 : 1;
  if (bytes.length === 1) {
    if (reached === false) audit.unused.set(id, 'shadowed byte');
    return 'byte';
  }
  if (reached === undefined) audit.untested++;
  return reached === false ? 'unreachable' : 'plain';
}

/** The characters of a token; undefined when its bytes are no whole ones. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 1) return bytes[0] < 0x80 ? String.fromCharCode(bytes[0]) : undefined;
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** Bytes that no UTF-8 has. */
function isImpossible(byte: number): boolean {
  return byte === 0xc0 || byte === 0xc1 || byte >= 0xf5;
}
