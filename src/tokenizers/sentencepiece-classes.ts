import { rewriteCharacters } from './normalizer-characters.ts';
import { createMoreNormalizers } from './tokenizer-json-more.ts';
import { createNormalizer, type Normalizer } from './tokenizer-json-normalizer.ts';
import { settingOf, type VocabularySettings } from './vocab-settings.ts';

/** How a class of Hugging Face's wraps a text, by names of special tokens, and where its ids differ from the file's. */
export interface ClassUse {
  /** `language` stands for the token of src_lang. */
  before?: readonly string[];
  after?: readonly string[];
  /** Ids of fairseq: the first pieces are others, the rest is moved by this much. */
  fairseq?: { first: readonly string[]; shift: number; last: readonly string[] };
  /** <extra_id_0> and on, whose ids go down to the end of the pieces. */
  extraIds?: number;
  /** add_bos_token and add_eos_token of the config decide. */
  ends?: { bos: boolean; eos: boolean };
  /** What do_lower_case is where the config does not say it; absent: the class does not know it. */
  lowers?: boolean;
  /** White space, quotes and accents are cleaned first; keepsAccents where the config does not say it. */
  cleans?: { keepsAccents: boolean };
  splitsNumbers?: boolean;
  /** "legacy" of the config means something. */
  legacy?: boolean;
  /** src_lang where the config does not say it. */
  language?: string;
}

const fairseqFirst = ['<s>', '<pad>', '</s>', '<unk>'];
const xlmRoberta: ClassUse = {
  before: ['<s>'],
  after: ['</s>'],
  fairseq: { first: fairseqFirst, shift: 1, last: ['<mask>'] },
};
/** Ids of languages and of the mask stand in the config's added_tokens_decoder. */
const translation: ClassUse = { fairseq: { first: fairseqFirst, shift: 1, last: [] } };
const llama: ClassUse = { ends: { bos: true, eos: false }, legacy: true };
const gemma: ClassUse = { ends: { bos: true, eos: false } };
const t5: ClassUse = { after: ['</s>'], extraIds: 100, legacy: true };
const bert: ClassUse = { before: ['[CLS]'], after: ['[SEP]'] };

/** Source: tokenization_*.py of Hugging Face's transformers 4.57, the classes in Python. */
export const classes: ReadonlyMap<string, ClassUse> = new Map([
  ['llama', llama],
  ['mistral', llama],
  ['mixtral', llama],
  ['codellama', llama],
  ['gemma', gemma],
  ['gemma2', gemma],
  ['t5', t5],
  ['mt5', t5],
  ['umt5', t5],
  ['xlmroberta', xlmRoberta],
  ['albert', { ...bert, lowers: true, cleans: { keepsAccents: false }, splitsNumbers: true }],
  ['bigbird', bert],
  ['debertav2', { ...bert, lowers: false }],
  ['rembert', { ...bert, lowers: false }],
  [
    'xlnet',
    { after: ['<sep>', '<cls>'], lowers: false, cleans: { keepsAccents: false }, splitsNumbers: true },
  ],
  [
    'camembert',
    {
      before: ['<s>'],
      after: ['</s>'],
      fairseq: {
        first: ['<s>NOTUSED', '<pad>', '</s>NOTUSED', '<unk>', '<unk>NOTUSED'],
        shift: 4,
        last: ['<mask>'],
      },
    },
  ],
  ['barthez', { before: ['<s>'], after: ['</s>'] }],
  ['fnet', { ...bert, lowers: false, cleans: { keepsAccents: true }, splitsNumbers: true }],
  ['xglm', { ...translation, before: ['</s>'] }],
  ['bertgeneration', {}],
  ['mbart', { ...translation, after: ['</s>', 'language'], language: 'en_XX' }],
  ['mbart50', { ...translation, before: ['language'], after: ['</s>'], language: 'en_XX' }],
  ['nllb', { ...translation, before: ['language'], after: ['</s>'], language: 'eng_Latn' }],
]);

/** What str.split() and str.strip() of Python take for white space. */
const pythonSpace =
  '[\\t-\\r\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}]+';

/** What a class does to the text between special tokens; undefined for nothing. Source: preprocess_text of tokenization_albert.py. */
export function cleaningOf(
  name: string,
  use: ClassUse,
  settings: VocabularySettings,
): Normalizer | undefined {
  if (use.cleans === undefined) return undefined;
  const make = (part: Record<string, unknown>) =>
    createNormalizer(name, part as never, createMoreNormalizers) as Normalizer;
  const replace = (pattern: Record<string, string>, content: string) =>
    make({ type: 'Replace', pattern, content });
  const steps: Normalizer[] = [];
  if (settingOf(settings, 'remove_space') !== false) {
    const strips = { type: 'Strip', strip_left: true, strip_right: true };
    steps.push(replace({ Regex: pythonSpace }, ' '), make(strips));
  }
  for (const quotes of ['``', "''"]) steps.push(replace({ String: quotes }, '"'));
  if (!(settingOf(settings, 'keep_accents') ?? use.cleans.keepsAccents)) {
    steps.push(make({ type: 'NFKD' }), dropCombining);
  }
  if (settingOf(settings, 'do_lower_case') ?? use.lowers ?? false) steps.push(make({ type: 'Lowercase' }));
  return (text, tracked) => steps.reduce((result, step) => step(result, tracked), text);
}

const iotaBelow = 0x345;

/** Removes characters with a combining class, which marks of no width do not all have. */
const dropCombining: Normalizer = (text, tracked) =>
  rewriteCharacters(text, (code) => (code >= 0x300 && hasCombiningClass(code) ? '' : undefined), tracked);

/** Normalization moves U+0345, of the last class, behind every other one that has a class. */
function hasCombiningClass(code: number): boolean {
  const character = String.fromCodePoint(code);
  return code === iotaBelow || !`\u0345${character}`.normalize('NFD').startsWith('\u0345');
}
