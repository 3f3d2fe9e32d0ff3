/**
 * How texts of byte pair vocabularies are cut into words, by the names that GGUF files give (tokenizer.ggml.pre).
 *
 * Source: llama_vocab::impl::load and llm_tokenizer_bpe in src/llama-vocab.cpp and unicode_regex_split in src/unicode.cpp of
 * ggml-org/llama.cpp (as in llama-cpp-python 0.3.36): each pattern cuts what the ones before it left, and what no pattern matches stays
 * whole. There \p{Lu} and the other kinds of letters all mean \p{L}, and \s is Unicode's white space.
 */
export interface WordRule {
  /** Names in files, separated by spaces. */
  names: string;
  /** The last may be the name of a scanner; 'grouped digits' and 'digits from the right' are loops in gguf-split.ts. */
  patterns: readonly string[];
  /** A word that is a token is taken without merging. */
  ignoreMerges?: boolean;
  addBos?: boolean;
  /** Spaces are written ▁ and characters stand for themselves, not bytes. */
  escapesSpaces?: boolean;
  /** Line ends in a row that are a token are taken without merging. */
  wholeLines?: boolean;
}

const contraction = "'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE])";
const prefix = '[^\\r\\n\\p{L}\\p{N}]?';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+';
const blanks = '\\s+(?!\\S)|\\s+';
const tail = `\\s*[\\r\\n]+|${blanks}`;
const han = '[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+';
const quoted = '[!"#$%&\'()*+,\\-.\\/:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+';
const marked = `${quoted}|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+`;
const letters = '[\\p{L}\\p{M}]+';
const latin =
  'A-Za-z\\u00b5\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u01ba\\u01bc-\\u01bf\\u01c4-\\u0293\\u0295-\\u02af\\u0370-\\u0373' +
  '\\u0376\\u0377\\u037b-\\u037d\\u037f\\u0386\\u0388-\\u038a\\u038c\\u038e-\\u03a1\\u03a3-\\u03f5\\u03f7-\\u0481\\u048a-' +
  '\\u052f\\u0531-\\u0556\\u10a0-\\u10c5\\u13a0-\\u13f5\\u13f8-\\u13fd\\u1c90-\\u1cba\\u1cbd-\\u1cbf\\u1d00-\\u1d2b' +
  '\\u1d6b-\\u1d77\\u1d79-\\u1d9a\\u1e00-\\u1f15\\u1f18-\\u1f1d\\u1f20-\\u1f45\\u1f48-\\u1f4d\\u1f50-\\u1f57\\u1f59' +
  '\\u1f5b\\u1f5d\\u1f5f-\\u1f7d\\u1f80-\\u1fb4\\u1fb6-\\u1fbc\\u1fbe\\u1fc2-\\u1fc4\\u1fc6-\\u1fcc\\u1fd0-\\u1fd3\\u1fd6' +
  '-\\u1fdb\\u1fe0-\\u1fec\\u1ff2-\\u1ff4\\u1ff6-\\u1ffc\\u2102\\u2107\\u210a-\\u2113\\u2115\\u2119-\\u211d\\u2124\\u2126' +
  '\\u2128\\u212a-\\u212d\\u212f-\\u2134\\u2139\\u213c-\\u213f\\u2145-\\u2149\\u214e\\u2183\\u2184\\u2c00-\\u2c7b\\u2c7e-' +
  '\\u2ce4\\u2ceb-\\u2cee\\u2cf2\\u2cf3\\ua640-\\ua66d\\ua680-\\ua69b\\ua722-\\ua76f\\ua771-\\ua787\\ua78b-\\ua78e\\uab70' +
  '-\\uabbf\\ufb00-\\ufb06\\ufb13-\\ufb17\\uff21-\\uff3a\\uff41-\\uff5a\\u{10400}-\\u{1044f}\\u{104b0}-\\u{104d3}' +
  '\\u{104d8}-\\u{104fb}\\u{10c80}-\\u{10cb2}\\u{10cc0}-\\u{10cf2}\\u{118a0}-\\u{118df}\\u{1e900}-\\u{1e943}';
/** Runs of letters that end small and that end large; only ASCII has cases there. */
const cased = (set: string): string => {
  const [upper, lower] = [`[[${set}]--[a-z]]`, `[[${set}]--[A-Z]]`];
  return `${prefix}${upper}*${lower}+(?:C)?|${prefix}${upper}+${lower}*(?:C)?`;
};
const casedWords = (set: string, end: string): string => cased(set).replaceAll('(?:C)?', end);
const o200kTail = `\\p{N}{1,3}|${symbols}[\\r\\n\\/]*|${tail}`;
const words = (digits: string): string =>
  `${contraction}|${prefix}\\p{L}+|${digits}|${symbols}[\\r\\n]*|${tail}`;
const sentence = ' ?[^(\\s|.,!?\\u2026\\u3002\\uff0c\\u3001\\u0964\\u06d4\\u060c)]+';
const wordSuffix = `(?:${contraction})?`;
/** Han by block, as unicode_cpt_is_han has it. */
const hanBlocks =
  '\\u4e00-\\u9fff\\u3400-\\u4dbf\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2ebef}\\uf900-\\ufaff\\u{2f800}-\\u{2fa1f}';

export const wordRules: readonly WordRule[] = [
  {
    names: 'default',
    patterns: ['[\\p{P}$+<=>\\^~\\|]+', 'gpt2', '\\p{N}+', '[0-9][0-9][0-9]'],
  },
  {
    names: 'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano',
    patterns: ['llama3'],
    ignoreMerges: true,
    addBos: true,
  },
  { names: 'dbrx smaug-bpe chatglm-bpe', patterns: ['llama3'] },
  { names: 'glm4 glm5', patterns: ['llama3'], ignoreMerges: true },
  {
    names: 'jais-2',
    patterns: [
      words('\\p{N}{1,3}').replace(
        blanks,
        `${[512, 256, 128, 64, 32, 16, 8, 4].map((count) => `\\s{${count}}(?!\\S)`).join('|')}|\\s{1,2}(?!\\S)|\\s`,
      ),
    ],
  },
  {
    names: 'deepseek-llm',
    patterns: [
      '[\\r\\n]',
      `\\s?[${latin}]+`,
      '\\s?[!-\\/:-~\\uff01-\\uff0f\\uff1a-\\uff5e\\u2018-\\u201f\\u3000-\\u3002]+',
      '\\s+$',
      '[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+',
      '\\p{N}+',
    ],
  },
  {
    names: 'deepseek-coder',
    patterns: [
      '[\\r\\n]',
      '\\s?\\p{L}+',
      '\\s?\\p{P}+',
      '[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+',
      '\\p{N}',
    ],
  },
  {
    names: 'deepseek-v3 hunyuan-dense joyai-llm hy_v4',
    patterns: ['\\p{N}{1,3}', han, `${marked}[\\r\\n]*|${tail}`],
  },
  { names: 'spark2_5', patterns: ['\\p{N}{1,3}', han, `${marked}|[\\r\\n]|${blanks}`, '\\p{N}'] },
  {
    names: 'youtu',
    patterns: [
      `[\\uac00-\\ud7a3\\u3131-\\u318e]+|[\\uff01\\u2026\\u201c\\u201d\\u2018\\u2019\\u2014\\uff1a\\uff1b\\uff0c\\u3001-\\u303f\\ufe30-\\ufe4f]+|[\\u3105-\\u312f]+|${han}`,
      `${prefix}${letters}${wordSuffix}|\\p{N}|${symbols}[\\r\\n\\/]*|${tail}`,
    ],
    ignoreMerges: true,
  },
  { names: 'falcon', patterns: ['[\\p{P}$+<=>\\^~\\|`]+', 'gpt2', '[0-9][0-9][0-9]'] },
  {
    names: 'starcoder refact command-r smollm codeshell exaone minerva-7b mellum2',
    patterns: ['\\p{N}', 'gpt2'],
  },
  {
    names:
      'gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert exaone4 mpt olmo jais trillion ' +
      'granite-docling jina-v1-en jina-v2-code roberta-bpe',
    patterns: ['gpt2'],
  },
  {
    names: 'qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2',
    patterns: ['qwen2'],
  },
  { names: 'qwen35', patterns: ['qwen35'] },
  { names: 'poro-chat bloom gpt3-finnish', patterns: [sentence] },
  { names: 'viking', patterns: [sentence, '\\p{N}'] },
  {
    names: 'tekken',
    patterns: [`${casedWords('\\p{L}', '')}|\\p{N}|${symbols}[\\r\\n\\/]*|${tail}`],
    ignoreMerges: true,
    addBos: true,
  },
  {
    names: 'chameleon',
    patterns: [
      '<sentinel:[0-9]+>',
      'IMGIMG[A-I]{1,4}Z',
      '[\\t\\n]|    |  ',
      '\\p{N}',
      '[\\p{P}!-\\/:-@\\[-`\\{-~]',
      'gpt2',
    ],
    addBos: true,
  },
  {
    names: 'gpt-4o llama4 kanana2 talkie minimax-m2',
    patterns: [`${casedWords('\\p{L}', wordSuffix)}|${o200kTail}`],
  },
  {
    names: 'granite-embed-multi-97m',
    patterns: [`${casedWords('\\p{L}\\p{M}', wordSuffix)}|${o200kTail}`],
    ignoreMerges: true,
  },
  {
    names: 'tiny_aya cohere2moe',
    patterns: ['grouped digits', `${prefix}${letters}${wordSuffix}|${o200kTail}`],
  },
  {
    names: 'kimi-k2',
    patterns: [
      `[${hanBlocks}]+|${prefix}[\\p{L}--[${hanBlocks}]]+${wordSuffix}|\\p{N}{1,3}|${symbols}[\\r\\n]*|${tail}`,
    ],
  },
  { names: 'superbpe', patterns: ['\\p{N}+', 'digits from the right'] },
  {
    names: 'bailingmoe bailingmoe2 llada-moe',
    patterns: [`${contraction}|${prefix}\\p{L}+|\\p{N}|${symbols}[\\r\\n]*|\\s*[\\r\\n]|${blanks}`],
  },
  {
    names: 'seed-coder',
    patterns: [`${contraction}|${prefix}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${tail}`],
  },
  { names: 'ufakzeka', patterns: [`${prefix}\\p{L}+|\\p{N}|${symbols}[\\r\\n]*|${tail}`] },
  {
    names: 'afmoe',
    patterns: [
      'grouped digits',
      '[\\u4e00-\\u9fff\\u3400-\\u4dbf\\u8c48-\\ufaff\\u3040-\\u309f\\u30a0-\\u30ff\\uff65-\\uff9f\\u2f00-\\u2fdf\\u0e40-\\u0e7f\\u0e80-\\u0eff\\u1780-\\u17ff\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff\\uac00-\\ud7af\\u1100-\\u11ff]+',
      `${marked}[\\r\\n]*|${tail}`,
    ],
  },
  { names: 'laguna', patterns: ['[^\\n]+|\\n+', 'qwen2'] },
  {
    names: 'exaone-moe',
    patterns: [
      `${contraction}|${prefix}(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|${symbols}[\\r\\n\\/]?|\\s*[\\r\\n]|${blanks}`,
    ],
  },
  { names: 'minicpm5', patterns: ['\\p{N}{1,3}', words('\\p{N}+')], ignoreMerges: true },
  {
    names: 'gemma4 granite-embed-multi-311m',
    patterns: ['[^\\n]+|\\n+'],
    addBos: true,
    escapesSpaces: true,
    wholeLines: true,
  },
  { names: 'sarvam-moe', patterns: ['[^\\n]+|\\n+'], escapesSpaces: true },
];
