import type { Command } from '../command.ts';

/** Every command: its line in `emb --help` and how it is loaded when it is named. */
export const commands: Record<string, { summary: string; load(): Promise<Command> }> = {
  tokenize: {
    summary: 'text to tokens: ids, pieces, bytes, spans',
    load: async () => (await import('./tokenize.ts')).command,
  },
  embed: {
    summary: 'text or ids to rows of the embedding table',
    load: async () => (await import('./embed.ts')).command,
  },
  stats: {
    summary: 'numbers about a table, or about the rows of a text',
    load: async () => (await import('./stats.ts')).command,
  },
  params: {
    summary: 'how many parameters, and where they are',
    load: async () => (await import('./params.ts')).command,
  },
  info: {
    summary: 'tensors, shapes, dtypes, metadata, roles',
    load: async () => (await import('./info.ts')).command,
  },
};
