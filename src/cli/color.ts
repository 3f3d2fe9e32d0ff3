import { isTerminal } from './terminal.ts';

/**
 * How many colors stdout shows: 0 none, 1 sixteen, 2 256, 3 true color.
 * Source: no-color.org (NO_COLOR, not empty, switches off); COLORTERM=truecolor|24bit as terminals set it.
 */
export function colorLevel(
  asked: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): 0 | 1 | 2 | 3 {
  switch (asked) {
    case 'never':
      return 0;
    case '16':
      return 1;
    case '256':
      return 2;
    case 'truecolor':
      return 3;
    case 'always':
      return terminalColors(environment);
  }
  if (environment.NO_COLOR || environment.TERM === 'dumb' || !isTerminal(1)) return 0;
  return terminalColors(environment);
}

function terminalColors(environment: NodeJS.ProcessEnv): 1 | 2 | 3 {
  if (/^(truecolor|24bit)$/i.test(environment.COLORTERM ?? '')) return 3;
  if (/256/.test(environment.TERM ?? '')) return 2;
  return 1;
}
