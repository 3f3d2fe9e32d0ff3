import type { Context, OptionSpec } from '../command.ts';

/** What options of stats ask for beside what it always says. */
export const askedOptions: OptionSpec[] = [
  { long: 'quantiles', type: 'flag', description: 'exact quantiles of the values and of the norms' },
  { long: 'duplicates', type: 'flag', description: 'groups of rows with the same values' },
  {
    long: 'spectrum',
    type: 'flag',
    description: 'principal components: leading variances, participation ratio, effective rank, IsoScore',
  },
  {
    long: 'by',
    type: 'text',
    value: 'kind',
    choices: ['class', 'script'],
    description: 'the rows of every class of tokens, or of every script, apart',
  },
];

/** How to read them. */
export const askedHelp =
  '--quantiles: of finite values and of the norms of finite rows, interpolated as numpy.quantile does. It may read a table twice.\n' +
  '--duplicates: rows are the same when all their float32 values are; 0 and -0 are the same. Rows of zeros are a group too.\n' +
  '--spectrum: the variances along the principal directions of the centered rows, those of the population. participation_ratio:\n' +
  'squared sum of the variances over the sum of their squares. effective_rank: the exponential of their entropy (Roy & Vetterli 2007).\n' +
  'iso_score: 0 when one direction has all the variance, 1 when all have the same (IsoScore, Rudman et al. 2022). Above 1,024 dimensions\n' +
  'up to 1,024 rows are looked at, at equal distances; spectrum_rows says how many. effective_rank is then that of the sample.\n' +
  '--by class: classes as emb vocab has them. --by script: of the first letter; special tokens and incomplete characters are groups\n' +
  'of their own. mean_cosine: over all pairs within the group.';

/** Whether any of them is given: what they need is loaded only then. */
export function isAsked({ options }: Context): boolean {
  return askedOptions.some(({ long }) => options[long] !== undefined && options[long] !== false);
}
