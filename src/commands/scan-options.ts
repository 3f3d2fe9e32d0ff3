import type { OptionSpec, OptionValues } from '../command.ts';

/** Which kernel does the arithmetic. */
export const kernelOption: OptionSpec = {
  long: 'kernel',
  type: 'text',
  value: 'name',
  choices: ['simd', 'ts'],
  default: 'simd',
  description: 'WebAssembly SIMD or plain TypeScript: the same answers, up to rounding',
};

/** What --kernel says. */
export function kernelOf({ kernel }: OptionValues): 'ts' | 'simd' {
  return kernel === 'ts' ? 'ts' : 'simd';
}

/** How many threads; what for, and how many without it, is told by the command. */
export const threadsOption = (description: string): OptionSpec => ({
  long: 'threads',
  type: 'integer',
  value: 'n',
  min: 1,
  max: 64,
  description,
});
