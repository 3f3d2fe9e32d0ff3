/** Globals that stand for plain data: what they would make is kept as their arguments and state. By module. */
const data: Record<string, string> = {
  argparse: 'Namespace',
  types: 'SimpleNamespace',
  datetime: 'date datetime time timedelta timezone',
  decimal: 'Decimal',
  fractions: 'Fraction',
  pathlib: 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
  'pathlib._local': 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
  collections: 'Counter OrderedDict defaultdict deque',
  _codecs: 'encode',
  copyreg: '_reconstructor',
  copy_reg: '_reconstructor',
  builtins: 'bool bytearray bytes complex dict float frozenset int list object set slice str tuple',
  __builtin__:
    'bool bytearray complex dict float frozenset int list long object set slice str tuple unicode xrange',
  numpy:
    'bool bool_ dtype float16 float32 float64 int16 int32 int64 int8 longlong ndarray str_ uint16 uint32 uint64 uint8',
  'numpy.core.multiarray': '_reconstruct scalar',
  'numpy._core.multiarray': '_reconstruct scalar',
  'numpy.core.numeric': '_frombuffer',
  'numpy._core.numeric': '_frombuffer',
  'numpy.dtypes':
    'BoolDType Float16DType Float32DType Float64DType Int16DType Int32DType Int64DType Int8DType StrDType UInt16DType UInt32DType UInt64DType UInt8DType',
  'numpy.random._pickle': '__bit_generator_ctor __generator_ctor __randomstate_ctor',
  'numpy.random._mt19937': 'MT19937',
  'numpy.random._pcg64': 'PCG64',
  torch:
    'BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor Generator HalfTensor IntTensor LongTensor ShortTensor Size Tensor channels_last contiguous_format device per_channel_affine per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine per_tensor_symmetric preserve_format strided',
  'torch.cuda':
    'BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor',
  'torch._utils':
    '_rebuild_device_tensor_from_cpu_tensor _rebuild_device_tensor_from_numpy _rebuild_meta_tensor_no_storage _rebuild_nested_tensor _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_csr_tensor _rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_wrapper_subclass _rebuild_xla_tensor',
  'torch._tensor': '_rebuild_from_type _rebuild_from_type_v2',
  'torch.serialization': '_get_layout',
  'torch.jit._pickle': 'build_boollist build_doublelist build_intlist build_tensorlist restore_type_tag',
  'torch.nn.backends.thnn': '_get_thnn_function_backend',
};

/**
 * Packages whose classes stand in checkpoints beside the weights, or that hold them (a module saved whole): kept as data too.
 * PyTorch's own are named down to where its modules and optimizers are; __torch__ is TorchScript, __main__ a training script.
 */
const packages =
  '__main__ __torch__ accelerate allennlp clip datasets deepspeed fairseq flair huggingface_hub lightning lightning_fabric megatron models omegaconf open_clip peft pytorch_lightning sentence_transformers timm tokenizers torch.ao.nn torch.ao.quantization torch.nn.modules torch.nn.parameter torch.nn.quantized torch.optim torchtext torchvision transformers trl ultralytics';

const dataGlobals = new Set(
  Object.entries(data).flatMap(([module, names]) => names.split(' ').map((name) => `${module} ${name}`)),
);

const dataPackages = new Set(packages.split(' '));

/** Whether a pickle may name this global. Nothing on the list is ever imported or called: it is only known what it means. */
export function isAllowedGlobal(module: string, name: string): boolean {
  if (dataGlobals.has(`${module} ${name}`)) return true;
  for (let end = module.length; end > 0; end = module.lastIndexOf('.', end - 1)) {
    if (dataPackages.has(module.slice(0, end))) return true;
  }
  return false;
}
