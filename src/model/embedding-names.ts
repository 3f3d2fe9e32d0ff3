import type { Layer } from '../types.ts';

/**
 * The end of a tensor name that says what the tensor does, whatever wraps the module ("model.", "bert.", "language_model.").
 * Families are examples; a name holds for every model that uses it.
 */
export interface EmbeddingName {
  /** In the spelling of PyTorch: see canonicalName. # stands for a number. */
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
    {
      ends: 'token_embd.weight',
      families: 'gguf',
      source: 'ggml-org/llama.cpp gguf-py/gguf/constants.py',
      whole: true,
    },
    { ends: 'token_embeddings.weight', families: 'openelm', source: 'apple/OpenELM modeling_openelm.py' },
    {
      ends: 'word_embeddings.parametrizations.weight.original',
      families: 'jina-embeddings-v3 (LoRA)',
      source: 'jinaai/xlm-roberta-flash-implementation modeling_lora.py',
    },
    {
      ends: 'embed_tokens.base_layer.weight',
      families: 'peft (LoRA on the table)',
      source: 'huggingface/peft tuners/lora/layer.py',
    },
    {
      ends: 'token_embedder.weight',
      families: 't5x maxtext flaxformer',
      source: 'google-research/t5x examples/t5/network.py',
    },
    {
      ends: 'embedder.input_embedding',
      families: 'gemma (flax, pytorch) recurrentgemma',
      source: 'google-deepmind/gemma gm/nn/_modules.py',
    },
    {
      ends: 'embedder.weight',
      families: 'gemma (google, pytorch)',
      source: 'google/gemma_pytorch gemma/model.py',
      whole: true,
    },
    { ends: 'in_out_embed.weight', families: 'grok-1', source: 'xai-org/grok-1 model.py' },
    { ends: 'language_model.in_out_embed', families: 'grok-1 (jax)', source: 'xai-org/grok-1 model.py' },
    { ends: 'model.wte', families: 'gpt2 (tensorflow)', source: 'openai/gpt-2 src/model.py', whole: true },
    {
      ends: 'embeddings.word_embeddings',
      families: 'bert albert electra (tensorflow)',
      source: 'google-research/bert modeling.py',
    },
    {
      ends: 'embed.weight',
      families: 'deepseek-v3 (original)',
      source: 'deepseek-ai/DeepSeek-V3 inference/model.py',
      whole: true,
    },
    {
      ends: 'embedding_layer.weight',
      families: 'evo stripedhyena',
      source: 'togethercomputer/stripedhyena model.py',
    },
    {
      ends: 'layers.0.wte.weight',
      families: 'phi-1 (as published first)',
      source: 'microsoft/phi-1_5 modeling_mixformer_sequential.py',
      whole: true,
    },
    {
      ends: 'embed.W_E',
      families: 'transformer_lens',
      source: 'TransformerLensOrg/TransformerLens components/embed.py',
      whole: true,
    },
    {
      ends: 'token_emb.emb.weight',
      families: 'x-transformers',
      source: 'lucidrains/x-transformers x_transformers.py',
    },
    { ends: 'token_emb.weight', families: 'lucidrains', source: 'lucidrains/PaLM-rlhf-pytorch palm.py' },
    {
      ends: 'emb_layer.weight',
      families: 'sentence-transformers (WordEmbeddings)',
      source: 'UKPLab/sentence-transformers models/WordEmbeddings.py',
    },
    {
      ends: 'token_embedder_tokens.weight',
      families: 'allennlp',
      source: 'allenai/allennlp modules/text_field_embedders/basic_text_field_embedder.py',
    },
    {
      ends: 'make_embedding.emb_luts.0.weight',
      families: 'opennmt',
      source: 'OpenNMT/OpenNMT-py onmt/modules/embeddings.py',
    },
    { ends: 'src_embed.lut.weight', families: 'joeynmt', source: 'joeynmt/joeynmt embeddings.py' },
    {
      ends: 'src_embed.0.lut.weight',
      families: 'annotated-transformer',
      source: 'harvardnlp/annotated-transformer',
      whole: true,
    },
    {
      ends: 'word_emb.emb_layers.#.weight',
      families: 'transfo-xl',
      source: 'kimiyoung/transformer-xl pytorch/mem_transformer.py',
    },
    {
      ends: 'Wemb',
      families: 'marian (tied-embeddings-all) nematus',
      source: 'marian-nmt/marian-dev src/layers/embedding.cpp',
      whole: true,
    },
    {
      ends: 'encoder_Wemb',
      families: 'marian',
      source: 'marian-nmt/marian-dev src/models/transformer.h',
      whole: true,
    },
    {
      ends: '0.encoder.weight',
      families: 'awd-lstm (fastai)',
      source: 'fastai/fastai text/models/awdlstm.py',
      whole: true,
    },
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
    { ends: 'lm_head.w_out.weight', families: 'olmo-core', source: 'allenai/OLMo-core nn/lm_head.py' },
    {
      ends: 'lm_head.base_layer.weight',
      families: 'peft (LoRA on the head)',
      source: 'huggingface/peft tuners/lora/layer.py',
    },
    {
      ends: 'word_embeddings_for_head.weight',
      families: 'deepseek (as published first)',
      source: 'ggml-org/llama.cpp gguf-py/gguf/tensor_mapping.py',
    },
    {
      ends: 'unembed.weight',
      families: 'evo stripedhyena',
      source: 'togethercomputer/stripedhyena model.py',
      generic: true,
    },
    {
      ends: 'to_logits.weight',
      families: 'x-transformers lucidrains',
      source: 'lucidrains/x-transformers x_transformers.py',
      generic: true,
    },
    {
      ends: 'generator.0.weight',
      families: 'opennmt',
      source: 'OpenNMT/OpenNMT-py onmt/model_builder.py',
      generic: true,
      whole: true,
    },
    {
      ends: 'generator.weight',
      families: 'opennmt (eole)',
      source: 'eole-nlp/eole',
      generic: true,
      whole: true,
    },
    {
      ends: '1.decoder.weight',
      families: 'awd-lstm (fastai)',
      source: 'fastai/fastai text/models/awdlstm.py',
      generic: true,
      whole: true,
    },
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
    {
      ends: 'position_embd.weight',
      families: 'gguf',
      source: 'ggml-org/llama.cpp gguf-py/gguf/constants.py',
      whole: true,
    },
    { ends: 'model.wpe', families: 'gpt2 (tensorflow)', source: 'openai/gpt-2 src/model.py', whole: true },
    {
      ends: 'embeddings.position_embeddings',
      families: 'bert albert electra (tensorflow)',
      source: 'google-research/bert modeling.py',
    },
    {
      ends: 'positional_embedding',
      families: 'clip (original) open_clip whisper (original)',
      source: 'openai/CLIP clip/model.py',
    },
    {
      ends: 'position_embedding.weight',
      families: 'keras-hub',
      source: 'keras-team/keras-hub layers/modeling/position_embedding.py',
    },
    {
      ends: 'pos_embed.W_pos',
      families: 'transformer_lens',
      source: 'TransformerLensOrg/TransformerLens components/pos_embed.py',
      whole: true,
    },
    {
      ends: 'pos_emb.emb.weight',
      families: 'x-transformers',
      source: 'lucidrains/x-transformers x_transformers.py',
    },
  ],
  type: [
    {
      ends: 'token_type_embeddings.weight',
      families: 'bert roberta albert electra deberta layoutlm vilt',
      source: 'bert/modeling_bert.py',
    },
    { ends: 'segment_embedding.weight', families: 'cpmant', source: 'cpmant/modeling_cpmant.py' },
    { ends: 'segment_emb.weight', families: 'kosmos-2.5', source: 'kosmos2_5/modeling_kosmos2_5.py' },
    { ends: 'token_type_embeddings_#.weight', families: 'tapas', source: 'tapas/modeling_tapas.py' },
    {
      ends: 'token_types.weight',
      families: 'gguf',
      source: 'ggml-org/llama.cpp gguf-py/gguf/constants.py',
      whole: true,
    },
    {
      ends: 'embeddings.token_type_embeddings',
      families: 'bert albert electra (tensorflow)',
      source: 'google-research/bert modeling.py',
    },
  ],
};

/** A module name that marks a part of the model that reads no text. */
export const foreignParts =
  /^(visual(?!_bert)\w*|vision\w*|image\w*|img\w*|video\w*|audio\w*|speech(?!t5)\w*|acoustic\w*|codec\w*|vocoder|talker|depth_decoder|patcher|patch\w*|pixel\w*|entity_\w*|speaker\w*|quantize\w*|vq\w*|dit|qformer|prompt_encoder|mask_decoder|ngram\w*|decode_patch\w*|embed_tokens_per_layer)$/;
