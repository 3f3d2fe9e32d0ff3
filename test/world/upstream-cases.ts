import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasWorld, world } from './manifest.ts';

/** A text and its ids as tokenizers.js has them in its own tests. */
export interface UpstreamCase {
  model: string;
  file: string;
  name: string;
  text: string;
  ids: number[];
  decoded: string;
  text_pair?: string;
}

/** Cases of the models whose file has such a name. */
export function upstreamCases(file: RegExp): UpstreamCase[] {
  if (!hasWorld) return [];
  const { models } = JSON.parse(
    readFileSync(join(world, 'expected', 'upstream_tokenizersjs.json'), 'utf8'),
  ) as { models: Record<string, { file: string; cases: Record<string, Omit<UpstreamCase, 'name'>> }> };
  return Object.entries(models)
    .filter(([, model]) => file.test(model.file))
    .flatMap(([model, { file: path, cases }]) =>
      Object.entries(cases)
        // emb takes one text at a time.
        .filter(([, one]) => one.text_pair === undefined)
        .map(([name, one]) => ({ ...one, model, file: path, name })),
    );
}
