// A model file and a folder with its chain -> the report of running whole against every prefix and suffix.
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { divisionNames, KerfError, type LoadedModel, systemClock } from '@kerf/protocol';
import { expectation } from '../expectation.ts';
import { findInputs } from '../sample-inputs.ts';
import { mergeSpec } from '../value-types.ts';
import { lossyCodecs, type VerifySplitOptions, type VerifySplitReport } from '../verify-files.ts';
import { compareSplit, type VerifyReport } from '../verify-split.ts';
import { ChainPart } from './chain-model.ts';
import { type ChainFolder, openChain } from './open-chain.ts';

/** A chain divided at one place. */
export interface DivisionReport extends VerifyReport {
  /** Segments before it: 0 is all in the cloud, the number of segments all on the edge. */
  readonly edgeSegments: number;
}

/** Over all divisions: the worst of each. */
export interface VerifyChainReport extends VerifySplitReport {
  readonly divisions: readonly DivisionReport[];
}

/**
 * Checks a chain against the model it came from: files, hashes, names, then runs the whole and every division of the
 * chain on the same inputs. Every segment is a session of its own.
 * @throws {KerfError} PAIR_MISMATCH when the chain came from another model, INVALID_ARGUMENT when no input runs, and
 * what opening and loading throw. A difference is a verdict, not an error.
 */
export async function verifyChain(options: VerifySplitOptions): Promise<VerifyChainReport> {
  const { backend, optimizationLevel = 'disabled' } = options;
  const model = typeof options.model === 'string' ? await openModelFile(options.model) : options.model;
  const chain = await openChain(options.folder);
  if (chain.manifest.source.sha256 !== model.sha256) {
    throw new KerfError('PAIR_MISMATCH', `the chain was made from another model than '${model.name}'; make it again`);
  }
  const loaded: LoadedModel[] = [];
  const loadPath = async (path: string): Promise<LoadedModel> => {
    const one = await backend.load({ path }, { optimizationLevel });
    loaded.push(one);
    return one;
  };
  try {
    const whole = await loadPath(model.path);
    const segments: LoadedModel[] = [];
    for (const { path } of chain.segments) segments.push(await loadPath(path));
    const divisions = await compareDivisions(options, model, chain, whole, segments);
    return {
      ...merged(divisions),
      divisions,
      optimizationLevel,
      backend: backend.name,
      lossyCodecs: lossyCodecs(chain.manifest.cuts.map(({ codec }) => codec)),
    };
  } finally {
    for (const one of loaded) await one.dispose();
  }
}

async function compareDivisions(
  options: VerifySplitOptions,
  model: ModelFile,
  { manifest }: ChainFolder,
  whole: LoadedModel,
  segments: readonly LoadedModel[],
): Promise<DivisionReport[]> {
  const { backend, optimizationLevel = 'disabled', runs = 3 } = options;
  const sampler = await findInputs(whole, {
    specs: whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec)),
    dims: options.dims ?? {},
    inputs: options.inputs ?? new Map(),
    seed: options.seed ?? 1,
    clock: options.clock ?? systemClock,
    timeoutMs: options.timeoutMs ?? 30_000,
  });
  const borders = segments.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
  const expected = expectation(model.graph, borders, backend.name, optimizationLevel);
  const reports: DivisionReport[] = [];
  for (let at = 0; at <= segments.length; at++) {
    const head = new ChainPart(manifest, segments, 0, at);
    const tail = new ChainPart(manifest, segments, at, segments.length);
    const names = divisionNames(manifest, at);
    const report = await compareSplit({ whole, head, tail, names, sampler, runs, expectation: expected });
    reports.push({ edgeSegments: at, ...report });
  }
  return reports;
}

const VERDICTS = ['bit-equal', 'within tolerance', 'differs'] as const;

function merged(divisions: readonly DivisionReport[]): VerifyReport {
  const [first] = divisions;
  if (first === undefined) throw new KerfError('INTERNAL', 'a chain has at least two divisions');
  const { edgeSegments: _, ...base } = first;
  const worst = Math.max(...divisions.map(({ verdict }) => VERDICTS.indexOf(verdict)));
  return {
    ...base,
    bitEqualRuns: Math.min(...divisions.map(({ bitEqualRuns }) => bitEqualRuns)),
    verdict: VERDICTS[worst] ?? 'differs',
    outputs: base.outputs.map((output, at) => {
      const all = divisions.flatMap(({ outputs }) => outputs[at] ?? []);
      return {
        name: output.name,
        bitEqualRuns: Math.min(...all.map(({ bitEqualRuns }) => bitEqualRuns)),
        maxAbsolute: Math.max(...all.map(({ maxAbsolute }) => maxAbsolute)),
        maxRelative: Math.max(...all.map(({ maxRelative }) => maxRelative)),
        isWithin: all.every(({ isWithin }) => isWithin),
      };
    }),
  };
}
