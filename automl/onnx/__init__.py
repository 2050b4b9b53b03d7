"""One ONNX file for a whole champion: raw columns in, labels and probabilities or values out."""
