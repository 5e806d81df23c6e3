// The model of a station file -> its part before a cut, run on single pictures beside the line and never in its way.
import { stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { extract } from '@kerf/onnx';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, KerfError, type LoadedModel, type Tensor } from '@kerf/protocol';
import { fusionAt, listCuts, TRANSIENT_DATA_FILE } from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import type { Picture } from '../../capture/capture.ts';
import { splitModels } from '../../placement/chain-parts.ts';
import { prepareFor, type Reading } from '../../station/reading.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { openChainFolder } from '../chain-folder.ts';
import { nodeBackend } from '../node-backend.ts';
import { openSplitFolder } from '../split-folder.ts';

export interface Head {
  /** Names of the tensors at the cut. */
  readonly cut: readonly string[];
  /** False where the station's model is not cut: then this is the place nearest to its middle where it could be. */
  readonly isCut: boolean;
  /** What crosses at the cut for a picture. @throws {KerfError} IMAGE_INVALID, TENSOR_MISMATCH, BACKEND_FAILED. */
  run(picture: Picture): Promise<readonly { readonly name: string; readonly tensor: Tensor }[]>;
  dispose(): Promise<void>;
}

interface OpenedHead {
  readonly model: LoadedModel;
  readonly cut: readonly string[];
  readonly isCut: boolean;
  readonly dispose: () => Promise<void>;
}

/**
 * @param at of a chain: segments before the cut, 1 or more; other models have one cut
 * @throws {KerfError} FILE_NOT_FOUND, MODEL_UNSUPPORTED for a model that a single tensor parts nowhere, and what loading throws.
 */
export async function openHead(config: StationConfig, folder: string, reading: Reading, at = 1): Promise<Head> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  try {
    const { model, cut, isCut, dispose } = await openPart(config, folder, backend, at);
    return {
      cut,
      isCut,
      async run(picture) {
        const read = await prepareFor(model.inputs, picture, { ...reading, send: null });
        if ('verdict' in read) {
          throw new KerfError('IMAGE_INVALID', read.reason?.message ?? 'the picture cannot be read');
        }
        const outputs = await model.run(read.inputs as ReadonlyMap<string, Tensor>);
        return cut.flatMap((name) => {
          const tensor = outputs.get(name);
          return tensor === undefined ? [] : [{ name, tensor }];
        });
      },
      async dispose() {
        await dispose();
        await backend.dispose();
      },
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function openPart(config: StationConfig, folder: string, backend: Backend, at: number): Promise<OpenedHead> {
  const path = resolve(folder, config.model.path);
  if (extname(path).toLowerCase() === '.onnx') return wholeHead(await openModelFile(path), backend);
  const isChain = await stat(join(path, 'chain.json')).catch(() => null);
  if (isChain === null) {
    const opened = await openSplitFolder(path, { backend });
    return { model: opened.head, cut: opened.split.cut, isCut: true, dispose: () => opened.dispose() };
  }
  const opened = await openChainFolder(path, { backend, resident: at });
  const { split, head } = splitModels(opened.chain, opened.segments, at, opened.pairs[at] ?? '', {
    codec: { kind: 'raw' },
  });
  if (split === null || head === null) throw new KerfError('INVALID_ARGUMENT', `the chain has no cut ${at}`);
  return { model: head, cut: split.cut, isCut: true, dispose: () => opened.dispose() };
}

/** A model that is not cut is looked at where one tensor parts it, as near to its middle as there is such a place. */
async function wholeHead(file: ModelFile, backend: Backend): Promise<OpenedHead> {
  const { graph } = file;
  const middle = graph.nodes.length / 2;
  const cuts = listCuts(graph, { maxTensors: 1 })
    .filter(({ tensors, inputs }) => tensors.length === 1 && inputs.length === 0)
    .filter(({ tensors }) => fusionAt(graph, tensors) === null)
    .sort((a, b) => Math.abs(a.headNodes - middle) - Math.abs(b.headNodes - middle));
  const [chosen] = cuts;
  if (chosen === undefined) {
    throw new KerfError('MODEL_UNSUPPORTED', 'no single tensor parts the model: split it, so that there is a cut');
  }
  const extracted = extract(graph, {
    inputs: graph.inputs,
    outputs: chosen.tensors,
    types: new Map(chosen.tensors.map((name) => [name, null])),
    externalFile: TRANSIENT_DATA_FILE,
  });
  const model = await fileHost(file).withSource(extracted, (source) => backend.load(source));
  return { model, cut: chosen.tensors, isCut: false, dispose: () => model.dispose() };
}
