// Numbers, texts and messages -> protobuf fields, for the parts of ONNX that buildModel has no words for.
import { concatChunks } from '@kerf/onnx';

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

export const numberBytes = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(field * 8), ...varint(value)]);

export const messageBytes = (field: number, message: Uint8Array): Uint8Array =>
  concatChunks([Uint8Array.from([...varint(field * 8 + 2), ...varint(message.byteLength)]), message]);

export const textBytes = (field: number, text: string): Uint8Array =>
  messageBytes(field, new TextEncoder().encode(text));
