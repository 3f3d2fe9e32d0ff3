import type { OptionSpec } from '../command.ts';

/** Options of commands that take a model as their argument: which model, which table of it, whose tokens. */
export const namedOptions = {
  model: {
    long: 'model',
    short: 'm',
    type: 'text',
    value: 'ref',
    description: 'model folder or file, where it is no argument (default: EMB_MODEL)',
  },
  tensor: {
    long: 'tensor',
    type: 'text',
    value: 'name',
    description: 'this 2-D tensor instead of the one found by name',
  },
  tokenizer: {
    long: 'tokenizer',
    type: 'text',
    value: 'ref',
    description: "a built-in encoding, a tokenizer file or a model, instead of the model's own",
  },
} as const satisfies Record<string, OptionSpec>;
