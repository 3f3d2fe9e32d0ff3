/** Longest name that is compared; longer ones are no typing errors. */
const longestName = 64;

/**
 * The names nearest to one that is missing, nearest first, for "did you mean".
 *
 * A name is near when its edit distance (insert, delete, replace, swap of neighbors; letters compared without case) is at most a
 * third of the longer length, or when it starts with what was typed. A name that differs in nothing but - _ . comes first.
 * Cost: O(names · length²); names longer than 64 characters are passed over.
 */
export function nearestNames(typed: string, names: Iterable<string>, count = 3): string[] {
  const wanted = typed.toLowerCase();
  if (wanted.length === 0 || wanted.length > longestName) return [];
  const found: { name: string; distance: number }[] = [];
  for (const name of new Set(names)) {
    if (name.length > longestName) continue;
    const candidate = name.toLowerCase();
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (Math.abs(candidate.length - wanted.length) > limit && !candidate.startsWith(wanted)) continue;
    const distance = distanceOf(wanted, candidate);
    if (distance <= limit || candidate.startsWith(wanted)) found.push({ name, distance });
  }
  found.sort(
    (a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1),
  );
  return found.slice(0, count).map((entry) => entry.name);
}

function distanceOf(wanted: string, candidate: string): number {
  if (candidate.startsWith(wanted)) return 1;
  const distance = editDistance(wanted, candidate);
  return distance <= 2 && bare(wanted) === bare(candidate) ? 0 : distance;
}

const bare = (name: string): string => name.replace(/[-_.]/g, '');

/**
 * As nearestNames; where no whole name is near, those of whose dotted parts the last are: `wte.weigth` is near
 * `transformer.wte.weight`.
 */
export function nearestPaths(typed: string, paths: readonly string[], count = 3): string[] {
  const whole = nearestNames(typed, paths, count);
  if (whole.length > 0) return whole;
  const parts = typed.split('.').length;
  const tailOf = (path: string) => path.split('.').slice(-parts).join('.');
  const tails = nearestNames(typed, paths.map(tailOf), count);
  return tails.flatMap((tail) => paths.filter((path) => tailOf(path) === tail)).slice(0, count);
}

/**
 * The names that are written shorter as `typed`: the same first letter and the letters in their order (`bf16`, bfloat16), or the same
 * number at the end (`fp16`, float16).
 */
export function abbreviatedNames(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  const number = /\d+$/.exec(wanted)?.[0];
  return names.filter((name) => {
    if (wanted.length < 2 || name[0] !== wanted[0]) return false;
    let at = 0;
    for (const letter of name) if (letter === wanted[at]) at++;
    return at === wanted.length || (number !== undefined && name.endsWith(number));
  });
}

/** "did you mean A, B or C?", or undefined without names. */
export function didYouMean(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  if (names.length === 1) return `did you mean ${names[0]}?`;
  return `did you mean ${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}?`;
}

/** Optimal string alignment distance. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
      }
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
