// `kerf publish`: a model, a split, a chain or a folder -> a signed release in a repository.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkReleaseName, goldenModel, type SnapClaim } from '@kerf/delta-sync';
import {
  bsdiffPatcher,
  checkCanPublish,
  draftRelease,
  type PublishReport,
  publishRelease,
  type ReleaseDraft,
} from '@kerf/delta-sync/node';
import { type Backend, KerfError, messageOf } from '@kerf/protocol';
import { type Command, type CommandLine, type Io, VERSION } from '../command.ts';
import { TASK_OPTIONS } from '../evaluate/task-options.ts';
import { PICTURE_OPTIONS, pictureOptions } from '../frame-input.ts';
import { interruptible } from '../interruption.ts';
import { withCpu } from '../model-options.ts';
import { versionsOf } from '../profile/device.ts';
import { progressTo } from '../profile/progress.ts';
import { deltaFormatOf, deltaFormatOption } from '../publish/delta-format.ts';
import { GOLDEN_FILE, makeGolden } from '../publish/golden.ts';
import { KEY_OPTIONS, openKeys } from '../publish/key-options.ts';
import type { Snapped } from '../publish/snap.ts';
import { MAX_LOSS, samplesOf, snappedRelease } from '../publish/snap-options.ts';
import { SAMPLE_OPTIONS } from '../samples/sample-options.ts';
import { formatBytes } from '../units.ts';

const GOLDEN_COUNT = 2;
const DELTAS = 2;
const TOLERANCE = 1e-3;

export const publish: Command = {
  name: 'publish',
  usage: 'PLACE --to REPO --name NAME --version V --keys DIR [OPTIONS]',
  summary:
    'Publishes a model, a folder with a split or a chain, or a folder of any files as a signed release. Golden samples are ' +
    'made by running the model here; deltas from the last releases are made and listed.',
  positionals: [1, 1],
  isolated: true,
  options: {
    to: { type: 'string', value: 'REPO', help: 'folder of the repository' },
    name: { type: 'string', value: 'NAME', help: 'of the model, with a-z, 0-9, . _ -' },
    version: { type: 'string', value: 'V', help: 'of the release; each is published once' },
    ...KEY_OPTIONS,
    notes: { type: 'string', value: 'TEXT', help: 'what is new, for people' },
    station: {
      type: 'string',
      value: 'FILE',
      help: 'JSON for the station: thresholds, labels, preprocessing, defaults',
    },
    tails: {
      type: 'string',
      multiple: true,
      value: 'PAIR',
      help: 'another pair whose tail this head may talk to; may be repeated',
    },
    'tail-on-edge': { type: 'boolean', help: 'a split: devices get the tail too, for when the cloud is away' },
    'min-kerf': { type: 'string', value: 'V', help: 'least version of kerf that runs it, such as 0.1.0' },
    'min-onnxruntime': { type: 'string', value: 'V', help: 'least version of ONNX Runtime, such as 1.30.0' },
    golden: { type: 'string', value: 'N', help: `golden samples to make; 0 for none (default ${GOLDEN_COUNT})` },
    tolerance: {
      type: 'string',
      value: 'R',
      help: `part of a value that another device may differ by (default ${TOLERANCE})`,
    },
    deltas: { type: 'string', value: 'N', help: `releases before this one to make deltas from (default ${DELTAS})` },
    'no-bsdiff': { type: 'boolean', help: 'do not try bsdiff against the deltas that kerf makes' },
    ...deltaFormatOption(),
    snap: {
      type: 'string',
      value: 'STEP',
      help: "publish the weights on a grid around the release before: 0.5, or 'auto'",
    },
    'max-loss': {
      type: 'string',
      value: 'P',
      help: `points of the task's metric that snapping may cost (default ${MAX_LOSS})`,
    },
    ...SAMPLE_OPTIONS,
    ...PICTURE_OPTIONS,
    ...TASK_OPTIONS,
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'Golden samples are taken from --samples, else made up. --snap auto takes the coarsest step whose loss on --samples is ' +
    'within --max-loss. Two publishers at once: one gets RELEASE_CONFLICT and tries again.',
  async run(line, io) {
    const name = line.required('name');
    checkReleaseName(name);
    const folder = await mkdtemp(join(tmpdir(), 'kerf-publish-'));
    try {
      const report = await interruptible((signal) =>
        withCpu((backend) => published(line, name, folder, backend, signal)),
      );
      if (line.flag('json')) io.print(JSON.stringify(report));
      else print(report, io);
      return 0;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Report extends PublishReport {
  readonly snap: { readonly claim: SnapClaim; readonly tried: Snapped['tried'] } | null;
}

async function published(
  line: CommandLine,
  name: string,
  folder: string,
  backend: Backend,
  signal: AbortSignal,
): Promise<Report> {
  const repository = line.required('to');
  const version = line.required('version');
  const station = await stationOf(line);
  const deltasFrom = line.number('deltas', DELTAS, { most: 16 });
  const publishing = { repository, ...(await openKeys(line, repository)), nowMs: Date.now() };
  await checkCanPublish(publishing, name);
  const onStep = progressTo(!line.flag('json'));
  const snap = await snappedRelease(line, name, folder, backend, signal, onStep);
  const draft = await draftRelease({ place: snap?.path ?? line.positional(0), tailOnEdge: line.flag('tail-on-edge') });
  let whole: ReleaseDraft = draft;
  try {
    const golden = await goldenOf(line, draft, snap?.path ?? line.positional(0), folder, backend, onStep);
    if (golden !== null) whole = golden.draft;
    const bsdiff = line.flag('no-bsdiff') ? null : bsdiffPatcher();
    const report = await publishRelease({
      ...publishing,
      draft: whole,
      deltasFrom,
      onStep,
      signal,
      deltaFormat: deltaFormatOf(line),
      ...(bsdiff === null ? {} : { patcher: bsdiff.patch }),
      words: {
        name,
        version,
        tails: line.texts('tails'),
        runtime: { kerf: line.text('min-kerf') ?? null, onnxruntime: line.text('min-onnxruntime') ?? null },
        station,
        golden: golden?.claim ?? null,
        snapped: snap?.claim ?? null,
        notes: line.text('notes') ?? '',
        createdBy: `kerf ${VERSION}`,
      },
    });
    for (const reason of bsdiff?.skipped ?? []) onStep(`without bsdiff for a part: ${reason}`);
    return { ...report, snap: snap === null ? null : { claim: snap.claim, tried: snap.tried } };
  } finally {
    await whole.close();
  }
}

/** The draft with its golden file; null where no model is run. */
async function goldenOf(
  line: CommandLine,
  draft: ReleaseDraft,
  place: string,
  folder: string,
  backend: Backend,
  onStep: (what: string) => void,
): Promise<{ draft: ReleaseDraft; claim: Awaited<ReturnType<typeof makeGolden>>['claim'] } | null> {
  const count = line.number('golden', GOLDEN_COUNT, { most: 64 });
  if (count === 0 || draft.kind === 'files') return null;
  const { name, sides } = goldenModel({ kind: draft.kind, files: draft.files.map(({ described }) => described) });
  const modelPath = draft.kind === 'model' ? place : join(place, name);
  onStep(`running ${count} golden samples`);
  const made = await makeGolden({
    modelPath,
    backend,
    count,
    samples: line.text('samples') === undefined ? null : await samplesOf(line, modelPath),
    pictures: pictureOptions(line),
    tolerance: line.number('tolerance', TOLERANCE, { most: 1, whole: false }),
    runtime: versionsOf('onnxruntime-node')['onnxruntime-node'] ?? '',
  });
  const file = join(folder, GOLDEN_FILE);
  await writeFile(file, made.bytes);
  const extra = await draftRelease({ place: file });
  const files = [
    ...draft.files.filter(({ described }) => described.name !== GOLDEN_FILE),
    ...extra.files.map(({ described, source }) => ({
      described: { ...described, role: 'golden' as const, sides },
      source,
    })),
  ];
  const close = async (): Promise<void> => {
    await extra.close();
    await draft.close();
  };
  return { draft: { ...draft, files, close }, claim: made.claim };
}

async function stationOf(line: CommandLine): Promise<Readonly<Record<string, unknown>>> {
  const file = line.text('station');
  if (file === undefined) return {};
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it holds something else');
    return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `--station ${file} is no JSON object: ${messageOf(cause)}`, { cause });
  }
}

function print({ id, manifest, isNew, snap }: Report, io: Io): void {
  const { name, version, sequence, files, golden } = manifest;
  io.print(`${name} ${version}  release ${sequence}, id ${id}${isNew ? '' : ' (was there already)'}`);
  for (const { name: file, bytes, deltas } of files) {
    const ways = deltas.map((delta) => `${delta.base === null ? 'compressed' : 'delta'} ${formatBytes(delta.bytes)}`);
    io.print(`  ${file}  ${[formatBytes(bytes), ...ways].join(', ')}`);
  }
  if (golden !== null) io.print(`  ${golden.samples} golden samples by ${golden.madeBy}`);
  if (snap === null) return;
  const loss =
    snap.claim.lossPoints === null
      ? 'loss not measured'
      : `${snap.claim.lossPoints.toFixed(2)} points of ${snap.claim.metric ?? ''} lost`;
  io.print(`  snapped with step ${snap.claim.step}, ${loss}`);
}
