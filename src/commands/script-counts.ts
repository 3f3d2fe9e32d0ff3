import { type Script, scriptOf, scriptOfSpan } from '../core/scripts.ts';
import type { Cell, Column, Token } from '../types.ts';

interface ScriptCount {
  characters: number;
  bytes: number;
  tokens: number;
}

/** Columns of ScriptCounts.rows. */
export const scriptColumns: Column[] = [
  { key: 'script', kind: 'text' },
  { key: 'characters', kind: 'count' },
  { key: 'bytes', kind: 'count' },
  { key: 'tokens', kind: 'count' },
  { key: 'characters_per_token', title: 'chars/token', kind: 'number' },
  { key: 'bytes_per_token', title: 'bytes/token', kind: 'number' },
];

/** Characters, bytes and tokens of texts by script. Memory: a few numbers per script. */
export class ScriptCounts {
  readonly #scripts = new Map<Script, ScriptCount>();

  addText(text: string): void {
    for (const character of text) {
      const script = this.#script(scriptOf(character.codePointAt(0) as number));
      script.characters++;
      script.bytes += Buffer.byteLength(character, 'utf8');
    }
  }

  /** Counts a token for the script of its span; false for one that stands for no part of the text, such as the template's. */
  addToken(text: string, token: Token): boolean {
    if (token.special && token.start === token.end) return false;
    this.#script(scriptOfSpan(text, token.start, token.end)).tokens++;
    return true;
  }

  #script(name: Script): ScriptCount {
    let script = this.#scripts.get(name);
    if (script === undefined) {
      script = { characters: 0, bytes: 0, tokens: 0 };
      this.#scripts.set(name, script);
    }
    return script;
  }

  /** Scripts by characters, most first. */
  rows(): Cell[][] {
    const found = [...this.#scripts].sort(([, a], [, b]) => b.characters - a.characters);
    return found.map(([script, { characters, bytes, tokens }]) => [
      script,
      characters,
      bytes,
      tokens,
      share(characters, tokens),
      share(bytes, tokens),
    ]);
  }
}

/** A share of nothing is unknown. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
