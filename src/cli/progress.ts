import type { Progress } from '../command.ts';
import { formatCount } from '../text/numbers.ts';
import { isTerminal } from './terminal.ts';

/** Work shorter than this shows no progress line. */
const quietMilliseconds = 500;
const drawMilliseconds = 100;

/** A progress line on stderr, a count where the total is not known, redrawn in place; silent when stderr is no terminal or the work is short. */
export function startProgress(total: number | undefined, unit: string, quiet: boolean): Progress {
  if (quiet || !isTerminal(2)) return { advance: () => {}, done: () => {} };
  const started = Date.now();
  let amount = 0;
  let drawn = 0;
  const draw = (now: number) => {
    drawn = now;
    if (total === undefined) {
      process.stderr.write(`\r\x1b[K${formatCount(amount)} ${unit}`);
      return;
    }
    const share = Math.min(1, total > 0 ? amount / total : 1);
    const filled = Math.round(share * 24);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(24 - filled)}`;
    process.stderr.write(
      `\r\x1b[K${bar} ${(share * 100).toFixed(0).padStart(3)} % of ${formatCount(total)} ${unit}`,
    );
  };
  return {
    advance(more) {
      amount += more;
      const now = Date.now();
      if (now - started > quietMilliseconds && now - drawn > drawMilliseconds) draw(now);
    },
    done() {
      if (drawn > 0) process.stderr.write('\r\x1b[K');
    },
  };
}
