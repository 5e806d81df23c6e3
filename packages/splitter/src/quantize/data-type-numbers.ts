// Numbers of TensorProto.DataType that quantisation is about.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;
