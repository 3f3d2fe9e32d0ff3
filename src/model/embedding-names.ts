import type { Layer } from '../types.ts';

/**
 * The end of a tensor name that says what the tensor does, whatever wraps the module ("model.", "bert.", "language_model.").
 * Families are examples; a name holds for every model that uses it.
 */
export interface EmbeddingName {
  ends: string;
  families: string;
  /** File in huggingface/transformers (src/transformers/models/...), or the repository that writes the name. */
  source: string;
  /** Other modules use the name too (a classifier's head): only with as many rows as the input table. */
  generic?: boolean;
  /** Only in models that predict no tokens, so that nothing is tied to it. */
  headless?: boolean;
  /** Only as the whole name. */
  whole?: boolean;
}

/** In order: an earlier name wins where a file has several. */
export const embeddingNames: Record<Layer, readonly EmbeddingName[]> = {
  input: [
    {
      ends: 'shared.weight',
      families: 't5 mt5 umt5 longt5 switch bart mbart pegasus m2m_100 nllb led plbart mvp',
      source: 't5/modeling_t5.py',
    },
    {
      ends: 'embed_tokens.weight',
      families:
        'llama mistral mixtral qwen gemma phi phi3 deepseek olmo cohere stablelm granite opt xglm whisper biogpt',
      source: 'llama/modeling_llama.py',
    },
    {
      ends: 'wte.weight',
      families: 'gpt2 gpt_neo gptj gpt_bigcode codegen mpt dbrx qwen1 olmo1',
      source: 'gpt2/modeling_gpt2.py',
    },
    {
      ends: 'embeddings.word_embeddings.weight',
      families:
        'bert roberta xlm-roberta albert distilbert electra deberta mpnet longformer esm layoutlm nomic_bert',
      source: 'bert/modeling_bert.py',
    },
    {
      ends: 'embeddings.tok_embeddings.weight',
      families: 'modernbert modernbert_decoder',
      source: 'modernbert/modeling_modernbert.py',
    },
    {
      ends: 'embeddings.token_embedding.weight',
      families: 'clip siglip owlvit x_clip aimv2',
      source: 'clip/modeling_clip.py',
    },
    { ends: 'text_embeddings.word_embeddings.weight', families: 'vilt', source: 'vilt/modeling_vilt.py' },
    { ends: 'embed_tokens.word_embeddings.weight', families: 'neomme', source: 'neomme/modeling_neomme.py' },
    {
      ends: 'word_embeddings.weight',
      families: 'bloom falcon prophetnet chatglm',
      source: 'bloom/modeling_bloom.py',
    },
    {
      ends: 'embed_in.weight',
      families: 'gpt_neox pythia gpt_neox_japanese',
      source: 'gpt_neox/modeling_gpt_neox.py',
    },
    {
      ends: 'tok_embeddings.weight',
      families: 'llama (original) mistral (consolidated) internlm2',
      source: 'meta-llama/llama llama/model.py',
    },
    { ends: 'word_embedding.weight', families: 'xlnet', source: 'xlnet/modeling_xlnet.py' },
    { ends: 'tokens_embed.weight', families: 'openai-gpt', source: 'openai/modeling_openai.py' },
    { ends: 'transformer.w.weight', families: 'ctrl', source: 'ctrl/modeling_ctrl.py' },
    { ends: 'input_embedding.weight', families: 'cpmant', source: 'cpmant/modeling_cpmant.py' },
    { ends: 'input_embeds_layer.weight', families: 'bark clvp', source: 'bark/modeling_bark.py' },
    {
      ends: 'backbone.embedding.weight',
      families: 'mamba (original)',
      source: 'state-spaces/mamba mamba_ssm/models/mixer_seq_simple.py',
    },
    {
      ends: 'embeddings.weight',
      families: 'mamba mamba2 falcon_mamba xlstm rwkv xlm flaubert',
      source: 'mamba/modeling_mamba.py',
    },
    {
      ends: 'emb.weight',
      families: 'rwkv (original)',
      source: 'BlinkDL/RWKV-LM RWKV-v4neo/src/model.py',
      whole: true,
    },
    {
      ends: 'embeddings',
      families: 'model2vec',
      source: 'MinishLab/model2vec model2vec/persistence',
      headless: true,
      whole: true,
    },
    {
      ends: 'embedding.weight',
      families: 'sentence-transformers (StaticEmbedding) gpt-oss (original)',
      source: 'UKPLab/sentence-transformers models/StaticEmbedding.py',
    },
    {
      ends: 'token_embedding.weight',
      families: 'open_clip whisper (original)',
      source: 'openai/CLIP clip/model.py',
    },
    { ends: 'tok_emb.weight', families: 'minGPT', source: 'karpathy/minGPT' },
    { ends: 'w.weight', families: 'ctrl (without its head)', source: 'ctrl/modeling_ctrl.py', whole: true },
  ],
  output: [
    {
      ends: 'lm_head.decoder.weight',
      families: 'roberta xlm-roberta camembert mpnet longformer esm ibert data2vec',
      source: 'roberta/modeling_roberta.py',
    },
    { ends: 'lm_head.out_proj.weight', families: 't5gemma t5gemma2', source: 't5gemma/modeling_t5gemma.py' },
    {
      ends: 'lm_head.linear.weight',
      families: 'phi-1 (as published first)',
      source: 'microsoft/phi-1_5 modeling_mixformer_sequential.py',
    },
    {
      ends: 'lm_head.weight',
      families: 'gpt2 llama mistral qwen gemma phi t5 bart opt falcon bloom mamba',
      source: 'llama/modeling_llama.py',
    },
    {
      ends: 'cls.predictions.decoder.weight',
      families: 'bert deberta mobilebert ernie big_bird nomic_bert',
      source: 'bert/modeling_bert.py',
    },
    { ends: 'predictions.decoder.weight', families: 'albert', source: 'albert/modeling_albert.py' },
    {
      ends: 'embed_out.weight',
      families: 'gpt_neox (as published) gpt_neox_japanese',
      source: 'gpt_neox_japanese/modeling_gpt_neox_japanese.py',
    },
    { ends: 'generator_lm_head.weight', families: 'electra convbert', source: 'electra/modeling_electra.py' },
    { ends: 'vocab_projector.weight', families: 'distilbert', source: 'distilbert/modeling_distilbert.py' },
    { ends: 'pred_layer.proj.weight', families: 'xlm flaubert', source: 'xlm/modeling_xlm.py' },
    { ends: 'mlm_score.decoder.weight', families: 'vilt bridgetower', source: 'vilt/modeling_vilt.py' },
    { ends: 'lm_loss.weight', families: 'xlnet', source: 'xlnet/modeling_xlnet.py' },
    { ends: 'output_projection.weight', families: 'biogpt trocr', source: 'biogpt/modeling_biogpt.py' },
    {
      ends: 'proj_out.weight',
      families: 'whisper moonshine',
      source: 'whisper/modeling_whisper.py',
      generic: true,
    },
    {
      ends: 'output_layer.weight',
      families: 'chatglm',
      source: 'THUDM/chatglm2-6b modeling_chatglm.py',
      generic: true,
    },
    { ends: 'ff_out.weight', families: 'olmo1', source: 'allenai/OLMo olmo/model.py', generic: true },
    {
      ends: 'unembedding.weight',
      families: 'gpt-oss (original)',
      source: 'openai/gpt-oss gpt_oss/torch/model.py',
      generic: true,
    },
    {
      ends: 'output.weight',
      families: 'llama (original) mistral (consolidated) internlm2 git',
      source: 'meta-llama/llama llama/model.py',
      generic: true,
    },
    {
      ends: 'head.decoder.weight',
      families: 'ultrabert',
      source: 'ultrabert/modeling_ultrabert.py',
      generic: true,
    },
    {
      ends: 'decoder.weight',
      families: 'modernbert modernbert_decoder',
      source: 'modernbert/modeling_modernbert.py',
      generic: true,
      whole: true,
    },
    { ends: 'head.weight', families: 'rwkv minGPT', source: 'rwkv/modeling_rwkv.py', generic: true },
  ],
  position: [
    { ends: 'wpe.weight', families: 'gpt2 gpt_neo gpt_bigcode', source: 'gpt2/modeling_gpt2.py' },
    {
      ends: 'embeddings.position_embeddings.weight',
      families: 'bert roberta albert distilbert electra deberta mpnet longformer',
      source: 'bert/modeling_bert.py',
    },
    { ends: 'text_embeddings.position_embeddings.weight', families: 'vilt', source: 'vilt/modeling_vilt.py' },
    {
      ends: 'embeddings.position_embedding.weight',
      families: 'clip siglip x_clip owlvit',
      source: 'clip/modeling_clip.py',
    },
    {
      ends: 'embed_positions.weight',
      families: 'opt bart mbart pegasus marian biogpt whisper roformer',
      source: 'opt/modeling_opt.py',
    },
    { ends: 'positions_embed.weight', families: 'openai-gpt', source: 'openai/modeling_openai.py' },
    { ends: 'position_embeds_layer.weight', families: 'bark clvp', source: 'bark/modeling_bark.py' },
    {
      ends: 'position_embeddings.weight',
      families: 'xlm flaubert prophetnet',
      source: 'xlm/modeling_xlm.py',
    },
    { ends: 'pos_emb.weight', families: 'cohere_asr', source: 'cohere_asr/modeling_cohere_asr.py' },
  ],
  type: [
    {
      ends: 'token_type_embeddings.weight',
      families: 'bert roberta albert electra deberta layoutlm vilt',
      source: 'bert/modeling_bert.py',
    },
    { ends: 'segment_embedding.weight', families: 'cpmant', source: 'cpmant/modeling_cpmant.py' },
  ],
};

/** A module name that marks a part of the model that reads no text. */
export const foreignParts =
  /^(visual(?!_bert)\w*|vision\w*|image\w*|img\w*|video\w*|audio\w*|speech(?!t5)\w*|acoustic\w*|codec\w*|vocoder|talker|depth_decoder|patcher|patch\w*|pixel\w*|entity_\w*|speaker\w*|quantize\w*|vq\w*|dit|qformer|prompt_encoder|mask_decoder|ngram\w*|decode_patch\w*|embed_tokens_per_layer)$/;
