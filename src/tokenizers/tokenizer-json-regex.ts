import { characterSource, UntranslatedPattern } from './tokenizer-json-regex-class.ts';
import { parseRegex, type RegexNode } from './tokenizer-json-regex-parse.ts';

/** A pattern in JavaScript, for the flags "gv". */
export interface TranslatedRegex {
  /** Finds matches that do not begin where the search does, or all when `anchored` is absent. */
  source: string;
  /** For a pattern with \G: what it is where the search begins. */
  anchored?: string;
}

/**
 * A pattern of Oniguruma as one of JavaScript with the same matches.
 *
 * @throws UntranslatedPattern naming the first construct that has no exact counterpart
 */
export function translateRegex(pattern: string): TranslatedRegex {
  const tree = parseRegex(pattern);
  checkSearchStarts(tree);
  checkBackreferences(tree);
  const source = new RegexWriter(false).write(tree);
  if (!pattern.includes('\\G')) return { source };
  return { source, anchored: new RegexWriter(true).write(tree) };
}

/** \G only counts as the first thing of the pattern or of one of its alternatives: there it says where the match begins. */
function checkSearchStarts(tree: RegexNode): void {
  const branches = tree.kind === 'choice' ? tree.options : [tree];
  for (const branch of branches) {
    const items = branch.kind === 'sequence' ? branch.items : [branch];
    items.forEach((item, i) => {
      if (i === 0 && item.kind === 'searchStart') return;
      if (contains(item, (node) => node.kind === 'searchStart')) throw new UntranslatedPattern('\\G inside');
    });
  }
}

/** A reference to a group that took no part fails in Oniguruma and matches nothing in JavaScript, so the group must come surely before. */
function checkBackreferences(node: RegexNode, sure: ReadonlySet<number> = new Set()): void {
  if (node.kind === 'backreference' && !sure.has(node.index))
    throw new UntranslatedPattern(`\\${node.index}`);
  const before = new Set(sure);
  for (const child of childrenOf(node)) {
    checkBackreferences(child, before);
    if (node.kind === 'sequence' && child.kind === 'capture') before.add(child.index);
  }
}

function childrenOf(node: RegexNode): RegexNode[] {
  if (node.kind === 'sequence') return node.items;
  if (node.kind === 'choice') return node.options;
  return 'item' in node ? [node.item] : [];
}

function contains(node: RegexNode, wanted: (node: RegexNode) => boolean): boolean {
  return wanted(node) || childrenOf(node).some((child) => contains(child, wanted));
}

class RegexWriter {
  private readonly atSearchStart: boolean;
  private atomics = 0;
  private behind = false;
  private readonly referenced = new Set<number>();

  constructor(atSearchStart: boolean) {
    this.atSearchStart = atSearchStart;
  }

  write(tree: RegexNode): string {
    contains(tree, (node) => {
      if (node.kind === 'backreference') this.referenced.add(node.index);
      return false;
    });
    return this.source(tree);
  }

  private source(node: RegexNode): string {
    switch (node.kind) {
      case 'letter': {
        const letters = node.variants.map(characterSource).join('');
        return node.variants.length === 1 ? letters : `[${letters}]`;
      }
      case 'set':
      case 'assertion':
        return node.source;
      case 'searchStart':
        return this.atSearchStart ? '' : '(?!)';
      case 'sequence':
        return node.items
          .map((item) => (item.kind === 'choice' ? this.grouped(item) : this.source(item)))
          .join('');
      case 'choice':
        return node.options.map((option) => this.source(option)).join('|');
      case 'repeat':
        return this.repeat(node);
      case 'capture':
        return this.referenced.has(node.index)
          ? `(?<c${node.index}>${this.source(node.item)})`
          : this.grouped(node.item);
      case 'backreference':
        if (this.behind) throw new UntranslatedPattern(`\\${node.index} looking behind`);
        return `\\k<c${node.index}>`;
      case 'atomic':
        return this.atomic(this.source(node.item));
      case 'look':
        return this.look(node);
    }
  }

  private grouped(node: RegexNode): string {
    return `(?:${this.source(node)})`;
  }

  private repeat(node: RegexNode & { kind: 'repeat' }): string {
    const { min, max, mode } = node;
    const simple = node.item.kind === 'letter' || node.item.kind === 'set';
    const item = simple ? this.source(node.item) : this.grouped(node.item);
    const open = max === Number.POSITIVE_INFINITY;
    let bounds = `{${min},${open ? '' : max}}`;
    if (open && min < 2) bounds = min === 0 ? '*' : '+';
    else if (min === 0 && max === 1) bounds = '?';
    const repeated = item + bounds;
    if (mode === 'possessive') return this.atomic(repeated);
    return mode === 'lazy' ? `${repeated}?` : repeated;
  }

  /** JavaScript never goes back into a lookahead, so capturing there and taking the capture is atomic. */
  private atomic(source: string): string {
    if (this.behind) throw new UntranslatedPattern('an atomic group looking behind');
    const name = `a${++this.atomics}`;
    return `(?:(?=(?<${name}>${source}))\\k<${name}>)`;
  }

  private look(node: RegexNode & { kind: 'look' }): string {
    const outside = this.behind;
    this.behind ||= node.opening.startsWith('?<');
    const source = `(${node.opening}${this.source(node.item)})`;
    this.behind = outside;
    return source;
  }
}
