import { fstatSync, statSync } from 'node:fs';

/**
 * Whether a terminal is behind a file descriptor.
 *
 * node:tty answers the same, but brings node:net with it, 7 ms: it is loaded only for a character device that is not /dev/null.
 */
export function isTerminal(descriptor: 1 | 2): boolean {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isCharacterDevice()) return false;
    if (stat.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev) return false;
  } catch {
    // A closed descriptor is no terminal.
    return false;
  }
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY === true;
}
