// A model file -> the elements of its tensors, one tensor at a time, wherever the weights lie.
import { open } from 'node:fs/promises';
import { dtypeOfNumber, type TensorRecord, tensorByteLength, tensorOfRecord } from '@kerf/onnx';
import { type ModelFile, readChunks } from '@kerf/onnx/node';
import { KerfError, makeTensor, type Tensor } from '@kerf/protocol';
import type { ReadTensor } from './constants.ts';

/** Reads tensors of a model whose large weights may have been left in its file, or lie beside it. */
export function fileTensors({ graph, externalFiles }: ModelFile): ReadTensor {
  const { bytes } = graph.model;
  return async (record) => {
    if (record.external !== null) return await readExternal(record, externalFiles);
    if (record.raw === null) return tensorOfRecord(bytes, record);
    const dtype = dtypeOfNumber(record.dataType);
    if (dtype === null) return tensorOfRecord(bytes, record);
    return makeTensor(dtype, record.dims, await readChunks([bytes.subarray(record.raw.start, record.raw.end)]));
  };
}

async function readExternal(record: TensorRecord, files: ModelFile['externalFiles']): Promise<Tensor> {
  const { location, offset } = record.external ?? { location: '', offset: 0 };
  const dtype = dtypeOfNumber(record.dataType);
  const file = files.get(location);
  if (dtype === null || file === undefined) {
    throw new KerfError('EXTERNAL_DATA', `the data of tensor '${record.name}' cannot be read`);
  }
  const data = new Uint8Array(tensorByteLength(record));
  const handle = await open(file.path, 'r');
  try {
    for (let done = 0; done < data.byteLength; ) {
      const { bytesRead } = await handle.read(data, done, data.byteLength - done, offset + done);
      if (bytesRead === 0) throw new KerfError('EXTERNAL_DATA', `'${location}' was cut short while it was read`);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return makeTensor(dtype, record.dims, data);
}
