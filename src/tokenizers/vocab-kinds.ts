import { JsonScanner } from './tokenizer-json-scanner.ts';

/** What the JSON file of a tokenizer is: a tokenizer.json, an object of pieces and ids, Mistral's tekken, or none of these. */
export function kindOfJson(name: string, bytes: Uint8Array): 'tokenizer' | 'vocab' | 'tekken' | undefined {
  const scanner = new JsonScanner(name, bytes);
  if (scanner.peek() !== 0x7b) return undefined;
  const keys = new Set<string>();
  let isNumbers = false;
  let count = 0;
  // Nothing before the fourth member or so tells less than all of them.
  scanner.members((key) => {
    const first = scanner.peek();
    if (count++ === 0) isNumbers = first >= 0x30 && first <= 0x39;
    if (count < 64) keys.add(key);
    scanner.skipValue();
  });
  if (keys.has('model')) return isNumbers && count > 64 ? 'vocab' : 'tokenizer';
  if (keys.has('config') && keys.has('vocab') && !isNumbers) return 'tekken';
  return isNumbers ? 'vocab' : undefined;
}
