import { PickleReference } from './pickle-values.ts';

/** A dtype of PyTorch. weights: of one element, for those that pack several into a byte. */
export class TorchDType extends PickleReference {
  readonly kind = 'dtype';
  /** As dtypes/ names it; what has no name there is listed and not decoded. */
  readonly name: string;
  readonly bytes: number;
  readonly weights: number;

  constructor(name: string, bytes: number, weights = 1) {
    super();
    this.name = name;
    this.bytes = bytes;
    this.weights = weights;
  }
}

/** Element types by torch.NAME, as in torch/csrc/utils/tensor_dtypes.cpp. */
const elements: Record<string, [name: string, bytes: number, weights?: number]> = {
  float64: ['F64', 8],
  float32: ['F32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  int64: ['I64', 8],
  int32: ['I32', 4],
  int16: ['I16', 2],
  int8: ['I8', 1],
  uint64: ['U64', 8],
  uint32: ['U32', 4],
  uint16: ['U16', 2],
  uint8: ['U8', 1],
  bool: ['BOOL', 1],
  complex32: ['C32', 4],
  complex64: ['C64', 8],
  complex128: ['C128', 16],
  float8_e4m3fn: ['F8_E4M3', 1],
  float8_e5m2: ['F8_E5M2', 1],
  float8_e4m3fnuz: ['F8_E4M3FNUZ', 1],
  float8_e5m2fnuz: ['F8_E5M2FNUZ', 1],
  float8_e8m0fnu: ['F8_E8M0', 1],
  float4_e2m1fn_x2: ['F4', 1, 2],
  qint8: ['QINT8', 1],
  quint8: ['QUINT8', 1],
  qint32: ['QINT32', 4],
  quint4x2: ['QUINT4X2', 1],
  quint2x4: ['QUINT2X4', 1],
};

const otherNames: Record<string, string> = {
  double: 'float64',
  float: 'float32',
  half: 'float16',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  chalf: 'complex32',
  cfloat: 'complex64',
  cdouble: 'complex128',
};

/** Storage classes by torch.NAMEStorage. */
const storages: Record<string, string> = {
  Double: 'float64',
  Float: 'float32',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
  ComplexFloat: 'complex64',
  ComplexDouble: 'complex128',
  QInt8: 'qint8',
  QUInt8: 'quint8',
  QInt32: 'qint32',
  QUInt4x2: 'quint4x2',
  QUInt2x4: 'quint2x4',
  Untyped: 'uint8',
};

const known = new Map(Object.entries(elements).map(([name, parts]) => [name, new TorchDType(...parts)]));

/** torch.float32 and the like; undefined for a name that is no dtype. */
export function torchDType(name: string): TorchDType | undefined {
  return known.get(Object.hasOwn(otherNames, name) ? otherNames[name] : name);
}

/** The element type of torch.FloatStorage, torch.cuda.FloatStorage, torch.storage.UntypedStorage and the like. */
export function storageDType(module: string, name: string): TorchDType | undefined {
  const match = /^(\w+)Storage$/.exec(name);
  if (match === null || !/^torch(\.cuda|\.storage)?$/.test(module)) return undefined;
  return Object.hasOwn(storages, match[1]) ? known.get(storages[match[1]]) : undefined;
}
