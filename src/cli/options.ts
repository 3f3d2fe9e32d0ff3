import type { OptionSpec } from '../command.ts';
import { EmbError } from '../errors.ts';
import { abbreviatedNames, didYouMean, nearestNames } from '../text/nearest.ts';
import { formatCount } from '../text/numbers.ts';

const countUnits: Record<string, bigint> = {
  '': 1n,
  k: 1_000n,
  m: 1_000_000n,
  b: 1_000_000_000n,
  g: 1_000_000_000n,
  t: 1_000_000_000_000n,
};

/**
 * An option's value as its type says.
 * @throws EmbError "usage" naming the option, what was given and what was expected
 */
export function readOption(spec: OptionSpec, raw: string): unknown {
  switch (spec.type) {
    case 'flag':
      return true;
    case 'text':
      return readText(spec, raw);
    case 'integer':
      return readInteger(spec, raw);
    case 'integers':
      return readIntegers(spec, raw);
    case 'count':
      return readCount(spec, raw);
    case 'number':
      return readNumber(spec, raw);
  }
}

function readText(spec: OptionSpec, raw: string): string {
  if (raw === '' && spec.long !== 'token')
    throw new EmbError('usage', `--${spec.long} is empty, expected a ${spec.value ?? 'value'}`);
  if (spec.choices && !spec.choices.includes(raw)) {
    const near = nearestNames(raw, spec.choices);
    const meant = near.length > 0 ? near : abbreviatedNames(raw, spec.choices);
    throw new EmbError(
      'usage',
      `--${spec.long} is "${raw}", expected ${spec.choices.join(', ')}`,
      didYouMean(meant),
    );
  }
  return raw;
}

function readInteger(spec: OptionSpec, raw: string): number {
  const value = /^[+-]?\d[\d_]*(e\d+)?$/i.test(raw) ? Number(raw.replaceAll('_', '')) : Number.NaN;
  if (!Number.isInteger(value))
    throw new EmbError('usage', `--${spec.long} is "${raw}", expected a whole number`);
  if (!Number.isSafeInteger(value)) {
    throw new EmbError('usage', `--${spec.long} is ${raw}, expected at most 9,007,199,254,740,991`);
  }
  return checkBounds(spec, raw, value);
}

function readIntegers(spec: OptionSpec, raw: string): number[] {
  if (/,0\d/.test(raw)) {
    const plain = raw.replaceAll(',', '');
    throw new EmbError(
      'usage',
      `--${spec.long} is "${raw}", expected a number or a list`,
      `${plain}, without commas`,
    );
  }
  return raw.split(',').map((part) => readCount(spec, part.trim()));
}

function readCount(spec: OptionSpec, raw: string): number {
  const match = /^(\d[\d_,]*)(?:\.(\d+))?\s*([kmbgt]?)$/i.exec(raw);
  if (!match && !/^[+-]?\d[\d_]*(e\d+)?$/i.test(raw))
    throw new EmbError('usage', `--${spec.long} is "${raw}", expected a whole number, as 5000 or 50k`);
  if (!match) return readInteger(spec, raw);
  const [, whole, fraction = '', unit] = match;
  const scaled = BigInt(whole!.replace(/[_,]/g, '') + fraction) * countUnits[unit!.toLowerCase()]!;
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n)
    throw new EmbError('usage', `--${spec.long} is "${raw}", expected a whole number`);
  return readInteger(spec, String(scaled / divisor));
}

function readNumber(spec: OptionSpec, raw: string): number {
  const value = raw.trim() === '' ? Number.NaN : Number(raw);
  if (!Number.isFinite(value)) throw new EmbError('usage', `--${spec.long} is "${raw}", expected a number`);
  return checkBounds(spec, raw, value);
}

function checkBounds(spec: OptionSpec, raw: string, value: number): number {
  const { min, max } = spec;
  if (min !== undefined && value < min) {
    throw new EmbError('usage', `--${spec.long} is ${raw}, expected at least ${formatCount(min)}`);
  }
  if (max !== undefined && value > max) {
    throw new EmbError('usage', `--${spec.long} is ${raw}, expected at most ${formatCount(max)}`);
  }
  return value;
}

/** The key under which a command finds an option: "padding-idx" → "paddingIdx". */
export function optionKey(spec: OptionSpec): string {
  return spec.long.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
