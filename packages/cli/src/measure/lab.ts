// A model and an edge -> a cloud process, an edge process and the splits between them, for measuring over one link after another.
import type { ChildProcess } from 'node:child_process';
import { copyFile, link as hardLink, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { issueToken } from '@kerf/cloud-runtime';
import { measureLink } from '@kerf/edge-runtime';
import { wsConnect } from '@kerf/edge-runtime/node';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError, messageOf, type SplitCodec, startedFile, tableFilesOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import type { LinkProfile } from '@kerf/splitter';
import { writeSplit, writeSplitCodec } from '@kerf/splitter/node';
import { type CloudProcess, startCloudProcess } from '../cloud-process.ts';
import { VERSION } from '../command.ts';
import { PRIVATE_KEY_FILE } from '../commands/token.ts';
import { withCpu } from '../model-options.ts';
import type { EdgeContender, FromEdge, ToEdge } from './edge-messages.ts';
import type {
  Contender,
  EdgeRuntime,
  FrameSource,
  MeasuredLink,
  MeasuredRow,
  MeasureLimits,
  SplitPlacement,
} from './placements.ts';
import { forkProcess, startLinkProcess, toldError, type Workshop } from './processes.ts';

/** The cloud keeps 16 models loaded; one is the whole. */
export const MAX_SPLITS = 15;
const MODEL_ID = 'whole';
const TOKEN_SECONDS = 24 * 3600;

export interface LabOptions {
  readonly model: ModelFile;
  readonly runtime: EdgeRuntime;
  readonly source: FrameSource;
  /** Further frames, shown in turn with it. @default none */
  readonly others?: readonly FrameSource[];
  /** Whether rows hold the outputs. @default false */
  readonly keepOutputs?: boolean;
  readonly onProgress: (text: string) => void;
}

/** Cloud and edge stay up from one measurement to the next; each has a link of its own. */
export class MeasuringLab {
  readonly #options: LabOptions;
  readonly #workshop: Workshop;
  readonly #cloud: CloudProcess;
  readonly #edge: ChildProcess;
  readonly #access: { readonly ca: string; readonly token: string };
  /** By tensors and codec; where the model cannot be split there, with the reason. */
  readonly #splits = new Map<string, MadeSplit>();

  private constructor(
    options: LabOptions,
    workshop: Workshop,
    processes: { readonly cloud: CloudProcess; readonly edge: ChildProcess },
    access: { readonly ca: string; readonly token: string },
  ) {
    this.#options = options;
    this.#workshop = workshop;
    this.#cloud = processes.cloud;
    this.#edge = processes.edge;
    this.#access = access;
  }

  /** @throws {KerfError} BACKEND_UNAVAILABLE when the cloud or the edge's runtime does not start. */
  static async open(options: LabOptions, workshop: Workshop): Promise<MeasuringLab> {
    const modelsDir = join(workshop.folder, 'models');
    const stateDir = join(workshop.folder, 'state');
    const modelPath = await placeModel(options.model, join(modelsDir, MODEL_ID));
    options.onProgress('starting the cloud: TLS and tokens on');
    const cloud = await startCloudProcess(['--models', modelsDir, '--state', stateDir, '--port', '0']);
    workshop.adopt(cloud.child);
    const privateKeyPem = await readFile(join(stateDir, PRIVATE_KEY_FILE), 'utf8');
    const token = await issueToken({
      privateKeyPem,
      subject: 'measuring-edge',
      models: ['*'],
      expiresInSeconds: TOKEN_SECONDS,
    });
    const ca = await readFile(cloud.certificatePath ?? '', 'utf8');
    const edge = forkProcess(startedFile('edge-process', import.meta.url), workshop);
    const lab = new MeasuringLab(options, workshop, { cloud, edge }, { ca, token });
    const { runtime, source, others = [], keepOutputs = false } = options;
    const sources = [source, ...others];
    await lab.#ask({ kind: 'setup', modelPath, modelId: MODEL_ID, runtime, sources, keepOutputs });
    return lab;
  }

  /**
   * Measures placements in turn over a link of its own. One call at a time.
   * @returns a row for each, in the order given; one that could not be measured says why.
   * @throws {KerfError} INVALID_ARGUMENT for more than {@link MAX_SPLITS} splits or two equal labels, INTERNAL when a process died.
   */
  async measure(
    contenders: readonly Contender[],
    link: MeasuredLink,
    limits: MeasureLimits,
  ): Promise<readonly MeasuredRow[]> {
    checkContenders(contenders);
    const prepared = await this.#prepare(contenders, link);
    const ready = prepared.flatMap((one) => ('placement' in one ? [one] : []));
    const shaped = await startLinkProcess(link, this.#cloud.port, this.#workshop);
    try {
      const url = `wss://localhost:${shaped.port}`;
      const answer = await this.#ask({ kind: 'measure', cloud: { url, ...this.#access }, contenders: ready, limits });
      const rows = new Map(answer.map((row) => [row.label, row]));
      return prepared.map((one) => ('placement' in one ? rows.get(one.label) : undefined) ?? emptyRow(one));
    } finally {
      await this.#workshop.end(shaped.child);
    }
  }

  /**
   * What the shaped link is seen to do by the protocol's own probes: the shaper paces by timers, and TLS and copies cost too.
   * @throws {KerfError} as `measureLink` of the edge runtime.
   */
  async probeLink(link: MeasuredLink, budgetMs: number): Promise<LinkProfile> {
    const shaped = await startLinkProcess(link, this.#cloud.port, this.#workshop);
    try {
      const connect = wsConnect({ url: `wss://localhost:${shaped.port}`, ca: this.#access.ca });
      return await measureLink({ connect, token: this.#access.token, budgetMs });
    } finally {
      await this.#workshop.end(shaped.child);
    }
  }

  async #prepare(contenders: readonly Contender[], link: MeasuredLink): Promise<(EdgeContender | Unprepared)[]> {
    const prepared: (EdgeContender | Unprepared)[] = [];
    for (const { label, placement, uplinkBytes, downlinkBytes } of contenders) {
      if (placement.kind === 'edge') prepared.push({ label, placement, floorMs: 0 });
      else {
        const sendMs = (8000 * uplinkBytes) / link.uplinkBitsPerSecond;
        const floorMs = sendMs + (8000 * downlinkBytes) / link.downlinkBitsPerSecond + link.roundTripMs;
        if (placement.kind === 'cloud') prepared.push({ label, placement, floorMs });
        else {
          const split = await this.#split(placement);
          if ('failure' in split) prepared.push({ label, note: split.failure });
          else
            prepared.push({
              label,
              placement: { kind: 'split', id: split.id, folder: this.#folder(split.id) },
              floorMs,
            });
        }
      }
    }
    return prepared;
  }

  async #split({ tensors, codec = { kind: 'raw' }, tablesFrom }: SplitPlacement): Promise<MadeSplit> {
    if (codec.kind === 'raw') return this.#made({ tensors }, (id) => this.#writeRaw(tensors, id));
    const raw = await this.#split({ kind: 'split', tensors });
    if ('failure' in raw) return raw;
    return this.#made({ tensors, codec, tablesFrom }, async (id) => {
      const folder = this.#folder(id);
      for (const file of await readdir(this.#folder(raw.id))) {
        await placeFile(join(this.#folder(raw.id), file), join(folder, file));
      }
      const tables = tableFilesOf(codec).map(
        async ({ file }) => [file, await readFile(join(tablesFrom ?? '', file))] as const,
      );
      await writeSplitCodec(folder, codec, new Map(await Promise.all(tables)));
    });
  }

  /** Each split is made once; one that cannot be made says why. */
  async #made(
    what: {
      readonly tensors: readonly string[];
      readonly codec?: SplitCodec;
      readonly tablesFrom?: string | undefined;
    },
    make: (id: string) => Promise<void>,
  ): Promise<MadeSplit> {
    this.#workshop.check();
    const key = JSON.stringify({ ...what, tensors: [...what.tensors].sort() });
    const known = this.#splits.get(key);
    if (known !== undefined) return known;
    const id = `split-${this.#splits.size + 1}`;
    const made = await make(id).then(
      () => ({ id }),
      (error: unknown) => ({ failure: `${KerfError.is(error) ? `${error.code}: ` : ''}${messageOf(error)}` }),
    );
    this.#splits.set(key, made);
    return made;
  }

  async #writeRaw(tensors: readonly string[], id: string): Promise<void> {
    const { model, onProgress } = this.#options;
    const more = tensors.length > 2 ? ` + ${tensors.length - 2} more` : '';
    onProgress(`splitting at ${tensors.slice(0, 2).join(' + ')}${more}`);
    const inputs = new Set(model.graph.inputs);
    const cut = tensors.filter((name) => !inputs.has(name));
    await withCpu((backend) =>
      writeSplit({ model, cut, folder: this.#folder(id), backend, createdBy: `kerf ${VERSION}` }),
    );
  }

  #folder(id: string): string {
    return join(this.#workshop.folder, 'models', id);
  }

  #ask(message: ToEdge): Promise<readonly MeasuredRow[]> {
    const edge = this.#edge;
    return new Promise((resolve, reject) => {
      const done = (): void => void edge.off('message', listen).off('exit', died);
      const died = (code: number | null): void => {
        done();
        reject(new KerfError('INTERNAL', `the edge's process ended (${code})`));
      };
      const listen = (raw: unknown): void => {
        const told = raw as FromEdge;
        if (told.kind === 'progress') return this.#options.onProgress(told.text);
        done();
        if (told.kind === 'failed') reject(toldError(told.code, told.message));
        else resolve(told.kind === 'rows' ? told.rows : []);
      };
      edge.on('message', listen).once('exit', died);
      edge.send(message);
    });
  }
}

type MadeSplit = { readonly id: string } | { readonly failure: string };

interface Unprepared {
  readonly label: string;
  readonly note: string;
}

function emptyRow(one: EdgeContender | Unprepared): MeasuredRow {
  return {
    label: one.label,
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
    latenciesMs: [],
    bytesUpPerFrame: 0,
    bytesDownPerFrame: 0,
    maxAbsDifference: null,
    parts: null,
    note: 'note' in one ? one.note : 'not measured',
  };
}

function checkContenders(contenders: readonly Contender[]): void {
  const splits = contenders.filter(({ placement }) => placement.kind === 'split').length;
  if (splits > MAX_SPLITS) {
    throw new KerfError('INVALID_ARGUMENT', `${splits} splits at a time; the cloud holds ${MAX_SPLITS}`);
  }
  const labels = new Set(contenders.map(({ label }) => label));
  if (labels.size < contenders.length) throw new KerfError('INVALID_ARGUMENT', 'two placements have the same label');
}

/** The model with its external data in a folder of its own. @returns the path of the model file. */
async function placeModel(model: ModelFile, folder: string): Promise<string> {
  const source = dirname(model.path);
  const path = join(folder, 'model.onnx');
  await placeFile(model.path, path);
  for (const file of model.externalFiles.values())
    await placeFile(file.path, join(folder, relative(source, file.path)));
  return path;
}

/** A link where the file system allows one, since weights may be gigabytes. */
async function placeFile(from: string, to: string): Promise<void> {
  await makeFolders(dirname(to));
  await hardLink(from, to).catch(() => copyFile(from, to));
}
