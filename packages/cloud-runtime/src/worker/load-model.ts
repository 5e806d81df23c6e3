// A load request -> a model in ONNX Runtime: files hashed, the model verified, the first provider that gets its samples right.
import { type Backend, type ErrorCode, KerfError, type LoadedModel, messageOf, ortBackend } from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { type GoldenSamples, goldenFault, readGolden } from './golden.ts';
import { HostedModel } from './hosted-model.ts';
import type { DemotedProvider, LoadRequest, WarmUpReply } from './jobs.ts';
import { SeenFiles } from './seen-files.ts';
import { madeUpFault } from './self-test.ts';
import { warmUp } from './warm-up.ts';

export interface ReadyModel {
  readonly model: HostedModel;
  /** What it was made from. */
  readonly seen: SeenFiles;
  readonly provider: string;
  /** Providers that were asked for before this one and did not serve. */
  readonly demoted: readonly DemotedProvider[];
  readonly warmUp: WarmUpReply;
}

/**
 * Loads a model with the first provider that takes it and gets its samples right: the golden ones of the release, else, for
 * providers other than the CPU, made-up ones that the CPU provider has answered.
 * @throws {KerfError} what {@link SeenFiles.look} says of the files, MODEL_UNSUPPORTED, SELF_TEST_FAILED,
 * BACKEND_UNAVAILABLE, BACKEND_FAILED.
 */
export async function loadModel(request: LoadRequest): Promise<ReadyModel> {
  const seen = await SeenFiles.look(request);
  const golden = request.golden === null ? null : await readGolden(request.golden);
  const ready = await firstThatServes(request, golden);
  await seen.checkUnchanged();
  return { ...ready, seen };
}

async function firstThatServes(request: LoadRequest, golden: GoldenSamples | null): Promise<Omit<ReadyModel, 'seen'>> {
  const demoted: DemotedProvider[] = [];
  let lastError: KerfError | null = null;
  for (const provider of request.providers) {
    const backend = backendOf(provider);
    try {
      checkPlatform(provider);
      const models = await loadAll(backend, request);
      const model = new HostedModel(models, request.entries);
      const fault = golden === null ? await madeUp(provider, model, request) : await goldenFault(model, golden);
      if (fault !== null) throw new KerfError('SELF_TEST_FAILED', fault);
      return { model, provider, demoted, warmUp: await warmUp(models, provider, request.warmUp) };
    } catch (error) {
      lastError = KerfError.from(error, 'BACKEND_UNAVAILABLE', `the provider does not work: ${messageOf(error)}`);
      demoted.push({ provider, code: lastError.code, reason: lastError.message });
      await backend.dispose();
    }
  }
  throw refusalOf(lastError, demoted);
}

/** One reason, or all of them where several providers were asked. */
function refusalOf(last: KerfError | null, demoted: readonly DemotedProvider[]): KerfError {
  const code: ErrorCode = last?.code ?? 'BACKEND_UNAVAILABLE';
  const reasons = demoted.map(({ provider, reason }) => `${provider}: ${reason}`);
  return demoted.length === 1 && last !== null
    ? last
    : new KerfError(code, `no execution provider serves the model; ${reasons.join('; ')}`);
}

function backendOf(provider: string): Backend {
  return ortBackend({ name: `onnxruntime-node/${provider}`, ort, executionProviders: [provider] });
}

/** The runtime drops names that it does not know and runs on the CPU without a word. */
function checkPlatform(provider: string): void {
  const known = ort.listSupportedBackends().map(({ name }) => name as string);
  if (!known.includes(provider)) {
    throw new KerfError(
      'BACKEND_UNAVAILABLE',
      `ONNX Runtime has no provider '${provider}' on this platform; it has ${known.join(', ')}`,
    );
  }
}

/** What is wrong beside the CPU provider, which is what others are held against. */
async function madeUp(provider: string, model: HostedModel, request: LoadRequest): Promise<string | null> {
  if (provider === 'cpu') return null;
  const backend = backendOf('cpu');
  try {
    // A model with operators that the CPU provider lacks has nothing to be held against.
    const models = await loadAll(backend, request).catch(() => null);
    return models === null ? null : await madeUpFault(model, new HostedModel(models, request.entries));
  } finally {
    await backend.dispose();
  }
}

async function loadAll(
  backend: Backend,
  { paths, threads, optimizationLevel }: LoadRequest,
): Promise<readonly LoadedModel[]> {
  const models: LoadedModel[] = [];
  for (const path of paths) models.push(await backend.load({ path }, { threads, optimizationLevel }));
  return models;
}
