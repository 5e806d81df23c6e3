// A chain and its loaded segments -> what an edge session of each route needs: head, manifest, local rest.
import {
  type ChainManifest,
  type LevelTable,
  type LoadedModel,
  SPLIT_FORMAT,
  type SplitCodec,
  type SplitManifest,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import { ChainPart, divisionNames, runChain } from '@kerf/splitter';
import type { DeviceModels } from '../session/device-plan.ts';

/** How what crosses a cut is coded, where it is not raw. */
export interface CutCoding {
  readonly codec: SplitCodec;
  readonly tables?: ReadonlyMap<string, LevelTable>;
}

/**
 * The chain divided before segment `at` as the split that it is. The parts are no files of their own: their hash is the
 * chain's. @param pair names the division to the cloud.
 */
export function divisionManifest(chain: ChainManifest, at: number, pair: string, codec: SplitCodec): SplitManifest {
  const part = (from: number, until: number): SplitManifest['head'] => {
    const segments = chain.segments.slice(from, until);
    return {
      file: 'chain.json',
      sha256: chain.chain,
      bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      nodes: segments.reduce((sum, { nodes }) => sum + nodes, 0),
      externalData: null,
    };
  };
  return {
    format: SPLIT_FORMAT,
    source: chain.source,
    ...divisionNames(chain, at),
    tensors: chain.tensors,
    codec,
    head: part(0, at),
    tail: part(at, chain.segments.length),
    pair,
    createdBy: chain.createdBy,
  };
}

/** The models of the route `cut-AT`. @param segments those that the device holds: a prefix, at least `at`. */
export function splitModels(
  chain: ChainManifest,
  segments: readonly LoadedModel[],
  at: number,
  pair: string,
  coding: CutCoding,
): DeviceModels {
  const all = chain.segments.length;
  return {
    split: divisionManifest(chain, at, pair, coding.codec),
    head: new ChainPart(chain, segments, 0, at),
    local: segments.length < all ? null : { tail: new ChainPart(chain, segments, at, all) },
    ...(coding.tables === undefined ? {} : { tables: coding.tables }),
  };
}

/** All segments on the device as one model. Disposing of it does not dispose of the segments. */
export class WholeChain implements LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #chain: ChainManifest;
  readonly #segments: readonly LoadedModel[];

  constructor(chain: ChainManifest, segments: readonly LoadedModel[]) {
    const specs = new Map(chain.tensors.map((spec) => [spec.name, spec]));
    const spec = (name: string): TensorSpec => specs.get(name) ?? { name, dtype: null, shape: null };
    this.inputs = chain.modelInputs.map(spec);
    this.outputs = chain.modelOutputs.map(spec);
    this.#chain = chain;
    this.#segments = segments;
  }

  /** @throws {KerfError} TENSOR_MISMATCH, BACKEND_FAILED. */
  run(inputs: TensorMap): Promise<Map<string, Tensor>> {
    const at = this.#chain.segments.length;
    return runChain(this.#chain, { edge: this.#segments, cloud: [], at }, inputs);
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
