import type { Context } from '../command.ts';
import { EmbError } from '../errors.ts';

/**
 * The model that an argument, -m or EMB_MODEL names.
 *
 * @throws EmbError "usage" for none, or for one as argument and another as -m
 */
export function namedRef(
  context: Context,
  command: string,
  named: string | undefined = context.args[0],
): string {
  if (named !== undefined && context.options.model !== undefined) {
    throw new EmbError('usage', `${named} and -m ${context.options.model} are two models, expected one`);
  }
  const ref = named ?? context.modelRef;
  if (ref !== undefined) return ref;
  throw new EmbError(
    'usage',
    `${command} needs a model`,
    `emb ${command} REF: a model folder, a file, or a name on the hub`,
  );
}
