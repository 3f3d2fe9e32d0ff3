import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';

/** How a command speaks of what it takes: "audit needs a model or a tokenizer". */
export interface RefWords {
  command: string;
  /** One of them, "model" unless given. */
  thing?: string;
  /** Where something else than `thing` does as well. */
  needs?: string;
  hint?: string;
}

/**
 * The one REF that a command's argument, -m or EMB_MODEL names; undefined for none.
 *
 * @throws EmbError "usage" for several arguments, and for one as argument and another as -m
 */
export function optionalRef(
  context: Context,
  { command, thing = 'model' }: RefWords,
  args: readonly string[] = context.args,
): string | undefined {
  const [named, ...more] = args;
  if (more.length > 0) {
    throw new EmbError(
      'usage',
      `${command} takes one ${thing}, not ${args.length}`,
      `for each: emb ${command} REF`,
    );
  }
  if (named !== undefined && context.options.model !== undefined) {
    throw new EmbError(
      'usage',
      `${named} and -m ${context.options.model} are two ${plural(thing)}, expected one`,
    );
  }
  return named ?? context.modelRef;
}

const plural = (thing: string): string => thing.replace(/y$/, 'ie').concat('s');

/**
 * The REF of {@link optionalRef}, which must be there.
 *
 * @throws EmbError "usage" for none, several, or for one as argument and another as -m
 */
export function namedRef(context: Context, words: RefWords, args?: readonly string[]): string {
  const ref = optionalRef(context, words, args);
  if (ref !== undefined) return ref;
  const { command, thing = 'model', needs = `a ${thing}`, hint } = words;
  throw new EmbError(
    'usage',
    `${command} needs ${needs}`,
    hint ?? `emb ${command} REF: a model folder, a file, or a name on the hub`,
  );
}
