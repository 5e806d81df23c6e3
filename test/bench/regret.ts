// How far is the planner's choice from the best of all placements, measured? Real models, shaped links, real sessions.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { imageInputs, inWorkshop, MeasuringLab } from '@kerf/cli';
import type { ModelGraph } from '@kerf/onnx';
import {
  type DeviceProfile,
  type ImageInput,
  type LinkProfile,
  type PlanConstraints,
  type PlanRequest,
  plan,
} from '@kerf/splitter';
import { type Bench, type BenchOptions, type BenchRow, median } from './bench.ts';
import { type Network, networks, networksForSplits } from './regret/networks.ts';
import { type Planner, type Regrets, regrets } from './regret/oracle.ts';
import { type ProfileJob, profileCloud, profileEdge } from './regret/profiles.ts';
import { type OpenSubject, openSubject, type RegretModel, regretModels } from './regret/subjects.ts';

const PLANNERS: readonly Planner[] = ['plan', 'plan, measured', 'Neurosurgeon', 'sum of layers'];
const GOALS = { median: 0.05, worst: 0.1 };
const PROFILE_SECONDS = { short: 8, full: 20 };
/** More heats look at more of the candidates that nothing rules out. */
const MAX_HEATS = { short: 1, full: 2 };
const LINK_PROBE_MS = 6000;
/** Without `--full`. */
const SHORT_SUBJECTS = 3;

export const regret: Bench = {
  name: 'regret',
  summary: "latency of the planner's choice against the best measured of all candidates",
  async *run(options) {
    const startedMs = performance.now();
    const tell = (text: string): void => {
      process.stderr.write(`  ${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
    };
    const all: Regrets[] = [];
    for (const { model, edge } of subjects(options)) {
      for await (const { name, regrets } of measureSubject(model, edge, options, tell)) {
        all.push(regrets);
        yield settingRow(name, regrets);
      }
    }
    const contested = all.filter(({ best }) => !best.label.startsWith('edge'));
    for (const planner of PLANNERS) yield* summaryRows(planner, all, '');
    for (const planner of PLANNERS) yield* summaryRows(planner, contested, ', not on the edge');
  },
};

interface Subject {
  readonly model: RegretModel;
  readonly edge: 'wasm' | 'node';
}

function subjects({ full, only }: BenchOptions): Subject[] {
  const pairs = regretModels(full || only !== null).flatMap((model) => model.edges.map((edge) => ({ model, edge })));
  return full || only !== null ? pairs : pairs.slice(0, SHORT_SUBJECTS);
}

/** `--only MODEL/NETWORK`: parts of their names; MODEL may be followed by edge and limits, as in `detector 320x320 wasm split`. */
function isWanted({ only }: BenchOptions, setting: string, network: Network): boolean {
  if (only === null) return true;
  const [wantedModel = '', wantedNetwork = ''] = only.toLowerCase().split('/');
  return setting.toLowerCase().includes(wantedModel) && network.name.includes(wantedNetwork);
}

/** What a plan must keep, and on which networks that is measured. */
interface Policy {
  readonly name: 'any' | 'split';
  readonly networks: (isFull: boolean) => Network[];
  readonly constraints: (wholeWeightsBytes: number) => PlanConstraints;
}

/** Part of the weights that the device holds where the model does not fit it. */
const WEIGHTS_SHARE = 0.5;

const POLICIES: readonly Policy[] = [
  { name: 'any', networks, constraints: () => ({}) },
  {
    name: 'split',
    networks: networksForSplits,
    constraints: (whole) => ({ noRawInput: true, maxEdgeWeightsBytes: Math.floor(WEIGHTS_SHARE * whole) }),
  },
];

function weightsOf(graph: ModelGraph, request: PlanRequest): number {
  const found = plan(graph, request);
  return found.outcome === 'planned' ? (found.bestOf.edge?.candidate.edgeWeightsBytes ?? 0) : 0;
}

interface Found {
  readonly name: string;
  readonly regrets: Regrets;
}

async function* measureSubject(
  model: RegretModel,
  edge: 'wasm' | 'node',
  options: BenchOptions,
  tell: (text: string) => void,
): AsyncIterable<Found> {
  const { full, only } = options;
  const settings = POLICIES.flatMap((policy) =>
    policy
      .networks(full || only !== null)
      .filter((network) => isWanted(options, `${model.name} ${edge} ${policy.name}`, network))
      .map((network) => ({ policy, network })),
  );
  if (settings.length === 0) return;
  yield* await inWorkshop('regret', async (workshop) => {
    const opened = await openSubject(model, workshop.folder);
    const { graph } = opened.model;
    const budgetSeconds = full ? PROFILE_SECONDS.full : PROFILE_SECONDS.short;
    const profiles = await profilesOf(
      { modelPath: model.path, inputFolder: opened.inputFolder, budgetSeconds },
      edge,
      tell,
    );
    const images = await imagesOf(opened);
    const runtime = { runtime: edge === 'wasm' ? 'onnxruntime-web' : 'onnxruntime-node', threads: 1 } as const;
    const lab = await MeasuringLab.open(
      { model: opened.model, runtime, source: opened.source, onProgress: () => {} },
      workshop,
    );
    const found: Found[] = [];
    for (const { policy, network } of settings) {
      const name = `${model.name}, ${edge}, ${policy.name}, ${network.name}`;
      const link = await seenLink(lab, network.name, network.link, tell);
      const constraints = policy.constraints(weightsOf(graph, { ...profiles, link }));
      const result = await regrets(lab, {
        graph,
        source: opened.source,
        request: { ...profiles, link, images, constraints },
        shaped: network.link,
        maxHeats: full ? MAX_HEATS.full : MAX_HEATS.short,
      });
      found.push({ name, regrets: result });
      tell(progressLine(name, result));
      if (only !== null) for (const line of details(result)) tell(line);
    }
    await rm(join(workshop.folder, 'inputs'), { recursive: true });
    return found;
  });
}

/** By name: the same link is measured once. */
const SEEN_LINKS = new Map<string, LinkProfile>();

/** As `kerf profile --link` would measure it. */
async function seenLink(
  lab: MeasuringLab,
  name: string,
  link: LinkProfile,
  tell: (text: string) => void,
): Promise<LinkProfile> {
  const known = SEEN_LINKS.get(name);
  if (known !== undefined) return known;
  const seen = await lab.probeLink(link, LINK_PROBE_MS);
  SEEN_LINKS.set(name, seen);
  const megabits = (bits: number): string => (bits / 1e6).toFixed(1);
  tell(
    `link ${name} is seen as ${megabits(seen.uplinkBitsPerSecond)} up, ${megabits(seen.downlinkBitsPerSecond)} down, ${seen.roundTripMs.toFixed(1)} ms`,
  );
  return seen;
}

async function profilesOf(
  job: ProfileJob,
  edge: 'wasm' | 'node',
  tell: (text: string) => void,
): Promise<{ edge: DeviceProfile; cloud: DeviceProfile }> {
  tell(`profiling ${job.modelPath.replace(/^.*\//, '')} on ${edge}`);
  const profiles = { edge: await profileEdge(job, edge), cloud: await profileCloud(job) };
  const { crossing, wholeMs } = profiles.cloud;
  const way =
    crossing === null ? 'unknown' : `${crossing.perFrameMs} ms a frame, ${crossing.perMegabyteMs} ms a megabyte`;
  tell(`edge ${profiles.edge.wholeMs?.toFixed(1)} ms, cloud ${wholeMs?.toFixed(1)} ms, crossing ${way}`);
  return profiles;
}

async function imagesOf({ source }: OpenSubject): Promise<ImageInput[]> {
  return source.picture === null ? [] : imageInputs(source.picture, new Map());
}

function progressLine(name: string, { best, of, candidates, unmeasured }: Regrets): string {
  const each = PLANNERS.map((planner) => {
    const one = of.get(planner);
    return one === undefined ? `${planner} finds none` : `${planner} +${(one.regret * 100).toFixed(1)} %`;
  });
  return `${name}: best ${best.ms.toFixed(1)} ms (${best.label}); ${each.join(', ')}; ${unmeasured} of ${candidates} open`;
}

function* details({ heats, of }: Regrets): Iterable<string> {
  for (const planner of PLANNERS) {
    const one = of.get(planner);
    yield `    ${planner}: ${one?.label}, predicted ${one?.predictedMs.toFixed(1)}, measured ${one?.measuredMs.toFixed(1)} ms`;
  }
  for (const { candidate, predicted, row } of heats) {
    const fixed = (ms: number | undefined): string => (ms ?? 0).toFixed(1);
    const { parts } = row;
    const pairs = [
      `edge ${fixed(candidate.edgeMs)}/${fixed((parts?.headMs ?? 0) + (parts?.localMs ?? 0))}`,
      `cloud ${fixed(candidate.cloudMs)}/${fixed(parts?.cloudComputeMs)}`,
      `encode ${fixed(candidate.encodeMs)}/${fixed(parts?.prepareMs)}`,
      `decode ${fixed(candidate.decodeMs)}/${fixed(parts?.cloudDecodeMs)}`,
      `network ${fixed(predicted.latencyMs - candidate.edgeMs - candidate.cloudMs - candidate.encodeMs - candidate.decodeMs)}/${fixed(row.p50Ms - (parts === null ? 0 : parts.headMs + parts.localMs + parts.cloudComputeMs + parts.prepareMs + parts.cloudDecodeMs))}`,
    ];
    const seen =
      parts === null
        ? (row.note ?? 'not measured')
        : `${fixed(row.p50Ms)} (${row.latenciesMs.length}); ${pairs.join(', ')}`;
    yield `    ${row.label.padEnd(60)} ${fixed(predicted.latencyMs).padStart(8)} / ${seen}`;
  }
}

function settingRow(name: string, { best, of }: Regrets): BenchRow {
  const measuredMs = of.get('plan')?.measuredMs ?? Number.NaN;
  return {
    bench: 'regret',
    case: name,
    value: measuredMs,
    unit: 'ms',
    against: `the best measured (${best.label.replace(/ #\d+$/, '')})`,
    ratio: measuredMs / best.ms,
    goal: null,
    met: null,
  };
}

function* summaryRows(planner: Planner, all: readonly Regrets[], where: string): Iterable<BenchRow> {
  const values = all.flatMap(({ of }) => of.get(planner)?.regret ?? []);
  if (values.length === 0) return;
  const isOurs = planner === 'plan' || planner === 'plan, measured';
  const row = (what: 'median' | 'worst', value: number): BenchRow => ({
    bench: 'regret',
    case: `${planner}: ${what} regret of ${values.length} settings${where}`,
    value: 100 * value,
    unit: '%',
    against: 'the best measured of all candidates',
    ratio: 1 + value,
    goal: isOurs ? `<= ${(1 + GOALS[what]).toFixed(2)}` : null,
    met: isOurs ? value <= GOALS[what] : null,
  });
  yield row('median', median(values));
  yield row('worst', Math.max(...values));
}
