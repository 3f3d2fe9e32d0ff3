import { characterSource, UntranslatedPattern } from './tokenizer-json-regex-class.ts';
import { parseRegex, type RegexNode } from './tokenizer-json-regex-parse.ts';

/** What texts are cut into chunks at. */
const spaces = [' ', '\t', '\n', '\r'];

/**
 * Whether the matches of a pattern of Oniguruma are the same in a text and in what stands between its spaces, tabs and line ends, one by
 * one: none has such a character, or is empty, and nothing asks what stands around it.
 */
export function matchesBetweenSpaces(pattern: string): boolean {
  try {
    const tree = parseRegex(pattern);
    return consumes(tree) && avoidsSpaces(tree);
  } catch (error) {
    if (error instanceof UntranslatedPattern) return false;
    throw error;
  }
}

/** Whether every match has a character. */
function consumes(node: RegexNode): boolean {
  switch (node.kind) {
    case 'letter':
    case 'set':
      return true;
    case 'sequence':
      return node.items.some(consumes);
    case 'choice':
      return node.options.every(consumes);
    case 'repeat':
      return node.min > 0 && consumes(node.item);
    case 'capture':
    case 'atomic':
      return consumes(node.item);
    default:
      return false;
  }
}

function avoidsSpaces(node: RegexNode): boolean {
  switch (node.kind) {
    case 'letter':
      return !matchesSpace(`[${node.variants.map(characterSource).join('')}]`);
    case 'set':
      return !matchesSpace(node.source);
    case 'sequence':
      return node.items.every(avoidsSpaces);
    case 'choice':
      return node.options.every(avoidsSpaces);
    case 'repeat':
    case 'capture':
    case 'atomic':
      return avoidsSpaces(node.item);
    default:
      return false;
  }
}

function matchesSpace(source: string): boolean {
  const alone = new RegExp(`^(?:${source})`, 'v');
  return spaces.some((space) => alone.test(space));
}
