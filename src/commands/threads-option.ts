import type { OptionSpec } from '../command.ts';

/** How many threads; what for, and how many without it, is told by the command. */
export const threadsOption = (description: string): OptionSpec => ({
  long: 'threads',
  type: 'integer',
  value: 'n',
  min: 1,
  max: 64,
  description,
});
