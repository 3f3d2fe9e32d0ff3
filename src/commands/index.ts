import type { Command } from '../command.ts';

/** Every command: its line in `emb --help` and how it is loaded when it is named. */
export const commands: Record<string, { usage: string; summary: string; load(): Promise<Command> }> = {
  tokenize: {
    usage: '[text...]',
    summary: 'text to tokens: ids, pieces, bytes, spans',
    load: async () => (await import('./tokenize.ts')).command,
  },
  vocab: {
    usage: '[ref]',
    summary: 'entries of a vocabulary: id, piece, bytes, class',
    load: async () => (await import('./vocab.ts')).command,
  },
  embed: {
    usage: '[text...]',
    summary: 'text or ids to rows of the embedding table',
    load: async () => (await import('./embed.ts')).command,
  },
  neighbors: {
    usage: '[token|text...]',
    summary: 'the rows of a table that are nearest to a token, a text or a vector',
    load: async () => (await import('./neighbors.ts')).command,
  },
  analogy: {
    usage: '[expression...]',
    summary: 'the rows nearest to a sum of tokens: king - man + woman',
    load: async () => (await import('./analogy.ts')).command,
  },
  similarity: {
    usage: '[text...]',
    summary: 'every pair of texts, tokens or vectors',
    load: async () => (await import('./similarity.ts')).command,
  },
  rank: {
    usage: '[token...]',
    summary: 'where tokens stand among the neighbors of another',
    load: async () => (await import('./rank.ts')).command,
  },
  odd: {
    usage: '[token...]',
    summary: 'which of some tokens does not match the others',
    load: async () => (await import('./odd.ts')).command,
  },
  explain: {
    usage: '[token|text...]',
    summary: 'a row as a sum of few other rows',
    load: async () => (await import('./explain.ts')).command,
  },
  eval: {
    usage: '[file]',
    summary: 'test sets of analogies and word pairs',
    load: async () => (await import('./eval.ts')).command,
  },
  audit: {
    usage: '[ref]',
    summary: 'tokens that were hardly trained, cannot be reached, or are broken',
    load: async () => (await import('./audit.ts')).command,
  },
  stats: {
    usage: '[text...]',
    summary: 'numbers about a table, or about the rows of a text',
    load: async () => (await import('./stats.ts')).command,
  },
  doctor: {
    usage: '[ref]',
    summary: 'tokenizer, config, input table and head held against each other',
    load: async () => (await import('./doctor.ts')).command,
  },
  diff: {
    usage: '[ref...]',
    summary: 'what changed between two tables: tokens and rows',
    load: async () => (await import('./diff.ts')).command,
  },
  lock: {
    usage: '[ref]',
    summary: 'a small file that tells later which rows have changed',
    load: async () => (await import('./lock.ts')).command,
  },
  verify: {
    usage: '[lock ref...]',
    summary: 'which rows have changed since a lock was made',
    load: async () => (await import('./verify.ts')).command,
  },
  params: {
    usage: '[ref...]',
    summary: 'how many parameters, and where they are',
    load: async () => (await import('./params.ts')).command,
  },
  info: {
    usage: '[ref]',
    summary: 'tensors, shapes, dtypes, metadata, roles',
    load: async () => (await import('./info.ts')).command,
  },
};
