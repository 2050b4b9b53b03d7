"""ALLOWED: the operators that a file of others may use, by domain; REFUSED: why some well-known ones may not.

What is allowed computes its outputs from its inputs, in a time that follows from their sizes, alike each time
and on every machine.
"""

from __future__ import annotations

ONNX, ML = "ai.onnx", "ai.onnx.ml"

ARITHMETIC = """
    Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil
    Celu Clip Cos Cosh CumSum Det Div Einsum Elu Equal Erf Exp Floor Gelu Gemm Greater GreaterOrEqual
    HardSigmoid HardSwish Hardmax IsInf IsNaN LeakyRelu Less LessOrEqual Log LogSoftmax MatMul
    MatMulInteger Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QLinearMatMul Reciprocal Relu Round Selu
    Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Sub Sum Tan Tanh ThresholdedRelu Xor
"""
SUMMARIES = """
    ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare TopK
"""
SHAPES = """
    Cast CastLike Compress Concat Constant ConstantOfShape Expand EyeLike Flatten Gather GatherElements
    GatherND Identity NonZero OneHot Pad Range Reshape ReverseSequence ScatterElements ScatterND Shape
    Size Slice Split Squeeze Tile Transpose Trilu Unique Unsqueeze Where
"""
NETWORKS = """
    AveragePool BatchNormalization Conv ConvInteger DequantizeLinear Dropout DynamicQuantizeLinear GRU
    GlobalAveragePool GlobalMaxPool GroupNormalization InstanceNormalization LSTM LayerNormalization
    LpNormalization MaxPool QLinearConv QuantizeLinear RNN
"""
TEXTS = "StringConcat StringSplit TfIdfVectorizer"
MODELS = """
    ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder LinearClassifier
    LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble
    TreeEnsembleClassifier TreeEnsembleRegressor ZipMap
"""

ALLOWED: dict[str, frozenset[str]] = {
    ONNX: frozenset(" ".join((ARITHMETIC, SUMMARIES, SHAPES, NETWORKS, TEXTS)).split()),
    ML: frozenset(MODELS.split()),
}
NEWEST: dict[str, int] = {ONNX: 28, ML: 5}  # versions that the onnxruntime of this project opens
NEWEST_IR = 14

REFUSED: dict[str, str] = {
    "If": "holds graphs of its own",
    "Loop": "runs as often as it likes",
    "Scan": "holds a graph of its own",
    "SequenceMap": "holds a graph of its own",
    "RandomNormal": "answers differently each time",
    "RandomNormalLike": "answers differently each time",
    "RandomUniform": "answers differently each time",
    "RandomUniformLike": "answers differently each time",
    "Multinomial": "answers differently each time",
    "Bernoulli": "answers differently each time",
    "ImageDecoder": "reads pictures of any kind",
    "RegexFullMatch": "may take for ever, depending on its pattern",
    "StringNormalizer": "depends on the locale of the machine",
}
