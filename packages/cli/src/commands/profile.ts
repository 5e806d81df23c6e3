// `kerf profile`: what a model costs on this device, measured, as a JSON file that `kerf plan` reads.
import { nodeBackend } from '@kerf/edge-runtime/node';
import type { ModelFile } from '@kerf/onnx/node';
import { systemClock } from '@kerf/protocol';
import { type DeviceProfile, profileModel } from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { PICTURE_OPTIONS } from '../frame-input.ts';
import { DIM_OPTION, openNamedModel } from '../model-options.ts';
import { deviceOf, versionsOf } from '../profile/device.ts';
import { measureCrossing } from '../profile/measure-crossing.ts';
import { ortNodeEvents } from '../profile/node-events.ts';
import { checkProfileTarget, profileFileOf, profileText, writeProfile } from '../profile/profile-file.ts';
import { BROWSER_PROFILE_OPTIONS, profileInBrowser } from '../profile/profile-in-browser.ts';
import { LINK_PROFILE_OPTIONS, profileLink } from '../profile/profile-link.ts';
import { givenInputs, LEVELS, type ProfileRequest, profileRequest } from '../profile/profile-request.ts';
import { profileSummary } from '../profile/profile-summary.ts';
import { progressTo } from '../profile/progress.ts';

const RUNTIMES = { node: 'onnxruntime-node', wasm: 'onnxruntime-web' } as const;
/** Of the budget, for timing single nodes. */
const NODES_SHARE = 0.1;

export const profile: Command = {
  name: 'profile',
  usage: 'MODEL | --link URL [OPTIONS]',
  summary:
    'Measures what a model costs on this device: the whole, single nodes, and heads and tails as sessions of their own, ' +
    "since the times of nodes do not add up. 'kerf plan' takes the file: one from the edge, one from the cloud. With " +
    '--link, what the link between them does.',
  positionals: [0, 1],
  isolated: true,
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      help: 'where the profile goes (default MODEL.profile.json or link.profile.json)',
    },
    runtime: { type: 'string', value: 'NAME', help: 'node or wasm (default node)' },
    provider: { type: 'string', value: 'NAME', help: 'execution provider of the runtime (default cpu, or wasm)' },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    level: { type: 'string', value: 'LEVEL', help: `graph optimisation: ${LEVELS.join(', ')} (default all)` },
    budget: {
      type: 'string',
      value: 'TIME',
      help: 'time to measure; more time, more cuts (default 60s, with --link 15s)',
    },
    side: {
      type: 'string',
      value: 'SIDE',
      help: 'both, or only what this device will run: edge for heads, cloud for tails (default both)',
    },
    ...DIM_OPTION,
    input: { type: 'string', value: 'PATH', help: 'a frame to measure with, instead of random values' },
    ...PICTURE_OPTIONS,
    name: { type: 'string', value: 'TEXT', help: 'name of this device (default: its host name)' },
    'no-crossing': { type: 'boolean', help: 'skip what a frame costs on its way through session and gateway' },
    ...BROWSER_PROFILE_OPTIONS,
    ...LINK_PROFILE_OPTIONS,
    json: { type: 'boolean', help: 'print the profile as JSON; a file is written only where --out names it' },
  },
  notes: 'Sizes that the model leaves open are never guessed: --dim NAME=N or --input PATH must bind them.',
  async run(line, io) {
    if (line.text('link') !== undefined) return await profileLink(line, io);
    if (line.positionals.length === 0)
      throw usageError("usage: kerf profile MODEL [OPTIONS], or --link URL; see 'kerf help profile'");
    return await (line.flag('browser') ? profileInBrowser(line, io) : profileFile(line, io));
  },
};

async function profileFile(line: CommandLine, io: Io): Promise<number> {
  const job = jobOf(line);
  const model = await openNamedModel(line);
  const isJson = line.flag('json');
  const out = line.text('out') ?? (isJson ? null : profileFileOf(model.path));
  if (out !== null) await checkProfileTarget(out);
  const tell = progressTo(!isJson);
  const measured = await measure(line, job, model, tell);
  const { crossing, note } = line.flag('no-crossing')
    ? { crossing: null, note: null }
    : await measureCrossing(tell, systemClock);
  const result: DeviceProfile = { ...measured, crossing };
  if (out !== null) await writeProfile(out, result);
  if (isJson) io.print(profileText(result));
  else for (const text of profileSummary(result, out, note)) io.print(text);
  return 0;
}

interface Job extends ProfileRequest {
  readonly runtime: keyof typeof RUNTIMES;
  readonly provider: string;
}

/** @throws {KerfError} INVALID_ARGUMENT, before anything is read or run. */
function jobOf(line: CommandLine): Job {
  const request = profileRequest(line);
  const runtime = line.choice('runtime', ['node', 'wasm'] as const, 'node');
  if (runtime === 'wasm' && request.threads > 1) throw usageError('--threads: WASM runs on one thread in Node');
  return { ...request, runtime, provider: line.text('provider') ?? (runtime === 'node' ? 'cpu' : 'wasm') };
}

async function measure(
  line: CommandLine,
  job: Job,
  model: ModelFile,
  onProgress: (text: string) => void,
): Promise<DeviceProfile> {
  const { provider, threads, dims, budgetMs } = job;
  const { graph } = model;
  const inputs = await givenInputs(line, model, dims);
  const runtime = RUNTIMES[job.runtime];
  const backend = await nodeBackend({ runtime, executionProvider: provider, inThisThread: true });
  try {
    return await profileModel({
      graph,
      model: { file: model.name, sha256: model.sha256 },
      backend,
      host: fileHost(model),
      device: deviceOf(line.text('name')),
      provider,
      threads,
      versions: versionsOf(runtime),
      optimizationLevel: job.level,
      dims,
      inputs,
      clock: systemClock,
      date: new Date().toISOString(),
      budgetMs,
      side: job.side,
      // On another provider an event is the time of handing over, not of the work.
      nodeEvents:
        provider === 'cpu' ? ortNodeEvents({ graph, provider, threads, budgetMs: budgetMs * NODES_SHARE }) : null,
      onProgress,
    });
  } finally {
    await backend.dispose();
  }
}
