import { JsonScanner } from './tokenizer-json-scanner.ts';

/** Members that tell a list of pieces from an object with members of its own. */
const manyMembers = 64;

/**
 * What the JSON file of a tokenizer is: a tokenizer.json, an object of pieces and ids, Mistral's tekken, or none of these.
 *
 * Cost: reads on until it is certain. What comes after that is checked by whoever reads the file.
 */
export function kindOfJson(name: string, bytes: Uint8Array): 'tokenizer' | 'vocab' | 'tekken' | undefined {
  const scanner = new JsonScanner(name, bytes);
  if (scanner.peek() !== 0x7b) return undefined;
  const keys = new Set<string>();
  let isNumbers = false;
  let count = 0;
  scanner.members((key) => {
    const first = scanner.peek();
    if (count++ === 0) isNumbers = first >= 0x30 && first <= 0x39;
    if (count < manyMembers) keys.add(key);
    if (isNumbers ? count > manyMembers : keys.has('model')) return false;
    scanner.skipValue();
    return true;
  });
  if (keys.has('model')) return isNumbers && count > manyMembers ? 'vocab' : 'tokenizer';
  if (keys.has('config') && keys.has('vocab') && !isNumbers) return 'tekken';
  return isNumbers ? 'vocab' : undefined;
}
