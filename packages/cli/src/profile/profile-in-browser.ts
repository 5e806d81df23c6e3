// `kerf profile MODEL --browser`: a page is served, measures where it is opened, and its profile is kept here.
import { basename } from 'node:path';
import process from 'node:process';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError, type TensorMap } from '@kerf/protocol';
import { checkProfileModel, checkSizesBound, type DeviceProfile, parseDeviceProfile } from '@kerf/splitter';
import { type CommandLine, type Io, type OptionSpec, usageError } from '../command.ts';
import { openNamedModel } from '../model-options.ts';
import { BROWSER_PROVIDERS, type Delivery, type ProfileJob } from '../profile-page/job.ts';
import { formatBytes } from '../units.ts';
import { modelRoutes, pageRoutes } from './page-files.ts';
import { oneLine, servePage } from './page-session.ts';
import { checkProfileTarget, profileFileOf, profileText, writeProfile } from './profile-file.ts';
import { givenInputs, profileRequest } from './profile-request.ts';
import { profileSummary } from './profile-summary.ts';
import { progressTo } from './progress.ts';

/** What `kerf profile` takes with --browser, beside its other options. */
export const BROWSER_PROFILE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  browser: {
    type: 'boolean',
    help: 'measure in a browser, here or on another device; --provider is auto, webgpu or wasm there',
  },
  host: {
    type: 'string',
    value: 'ADDRESS',
    help: 'of the page: default 127.0.0.1; 0.0.0.0 for other devices, over https',
  },
  port: {
    type: 'string',
    value: 'N',
    help: 'of the page (default 0: a free one)',
    check: (line) => line.number('port', 0, { most: 65_535 }),
  },
};

/** ONNX Runtime in a browser has 4 GB, and holds the weights twice while it loads them. */
const MAX_BROWSER_MODEL_BYTES = 2 ** 30;

/** @returns the exit status. @throws {KerfError} of the model, the options or the browser; CANCELLED after Ctrl-C. */
export async function profileInBrowser(line: CommandLine, io: Io): Promise<number> {
  if (line.text('runtime') !== undefined) throw usageError('--runtime is not for --browser: choose with --provider');
  const draft = jobOptions(line);
  const model = await openNamedModel(line);
  const inputs = await givenInputs(line, model, draft.dims);
  checkSizesBound(model.graph, draft.dims, inputs);
  checkSize(model);
  const isJson = line.flag('json');
  const out = line.text('out') ?? (isJson ? null : profileFileOf(model.path));
  if (out !== null) await checkProfileTarget(out);
  // Standard output is for the profile alone where it is JSON.
  const say = isJson ? (text: string) => void process.stderr.write(`${text}\n`) : io.print.bind(io);
  const { profile, refusal } = await servePage({
    host: line.text('host') ?? '127.0.0.1',
    port: line.number('port', 0, { most: 65_535 }),
    job: { ...draft, ...contents(model, inputs) },
    files: new Map([...(await pageRoutes()), ...modelRoutes(model, inputs)]),
    announce: (urls, fingerprint) => invitation(urls, fingerprint).forEach(say),
    onProgress: progressTo(!isJson),
    accept: async (delivery) => {
      const result = checkDelivery(delivery, model);
      if (out !== null) await writeProfile(out, result.profile);
      return { file: out === null ? null : basename(out), result };
    },
  });
  if (isJson) io.print(profileText(profile));
  else for (const text of ['', ...refusalOf(refusal), ...profileSummary(profile, out, null)]) io.print(text);
  return 0;
}

type JobOptions = Omit<ProfileJob, 'model' | 'externalData' | 'inputs'>;

/** @throws {KerfError} INVALID_ARGUMENT, before anything is read or served. */
function jobOptions(line: CommandLine): JobOptions {
  const { threads, level, budgetMs, side, dims } = profileRequest(line);
  const provider = line.choice('provider', BROWSER_PROVIDERS, 'auto');
  return { name: line.text('name') ?? null, provider, threads, optimizationLevel: level, dims, side, budgetMs };
}

function contents(model: ModelFile, inputs: TensorMap): Pick<ProfileJob, 'model' | 'externalData' | 'inputs'> {
  return {
    model: { file: model.name, bytes: model.bytes },
    externalData: [...model.externalFiles].map(([location, { bytes }]) => ({ location, bytes })),
    inputs: [...inputs].map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, bytes: data.byteLength })),
  };
}

/** @throws {KerfError} INVALID_ARGUMENT for a profile that is not well-formed, or of another model. */
function checkDelivery(delivery: unknown, model: ModelFile): { profile: DeviceProfile; refusal: string | null } {
  const { profile: json, refusal } = (delivery ?? {}) as Partial<Delivery>;
  const profile = parseDeviceProfile(json);
  checkProfileModel(profile, model, "browser's");
  return { profile, refusal: typeof refusal === 'string' ? oneLine(refusal) : null };
}

function invitation(urls: readonly string[], fingerprint: string | null): string[] {
  const many = urls.length > 1 ? 'one of these addresses' : 'this address';
  const certificate = [
    'The browser will warn of a certificate that it does not know: it was made for this run. Go on all the same.',
    `Its SHA-256 fingerprint is ${fingerprint}`,
    '',
  ];
  return [
    `Open ${many} in the browser of the device to be measured:`,
    '',
    ...urls.map((url) => `  ${url}`),
    '',
    ...(fingerprint === null ? [] : certificate),
    'Waiting for its profile; stop with Ctrl-C.',
  ];
}

function refusalOf(refusal: string | null): string[] {
  return refusal === null ? [] : [`measured with WebAssembly, because WebGPU cannot be used there: ${refusal}`];
}

/** @throws {KerfError} MODEL_TOO_LARGE when a browser cannot hold the model with its data. */
function checkSize(model: ModelFile): void {
  const bytes = [...model.externalFiles.values()].reduce((sum, file) => sum + file.bytes, model.bytes);
  if (bytes <= MAX_BROWSER_MODEL_BYTES) return;
  throw new KerfError(
    'MODEL_TOO_LARGE',
    `the model with its data has ${formatBytes(bytes)}, and a browser holds ${formatBytes(MAX_BROWSER_MODEL_BYTES)}: ` +
      'leave --browser out',
  );
}
