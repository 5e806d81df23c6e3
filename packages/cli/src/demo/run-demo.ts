// Link settings -> a report: prepares models, starts cloud, link and edge as processes, and collects what the edge measured.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, release, type as systemType, totalmem } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { issueToken } from '@kerf/cloud-runtime';
import { KerfError } from '@kerf/protocol';
import { startCloudProcess } from '../cloud-process.ts';
import { VERSION } from '../command.ts';
import { PRIVATE_KEY_FILE } from '../commands/token.ts';
import { forkProcess, inWorkshop, startLinkProcess, toldError, type Workshop } from '../measure/processes.ts';
import { withCpu } from '../model-options.ts';
import { encodeJpeg, readPicture, resizePicture } from '../picture.ts';
import type { DemoEdgeJob, DemoSubject } from './cases.ts';
import type { DemoEdgeMessage } from './edge-process.ts';
import type { DemoLink, DemoPicture, DemoReport, DemoRow } from './report.ts';
import { prepareSubjects } from './subjects.ts';

export interface DemoOptions {
  readonly link: DemoLink;
  readonly picturePath: string;
  readonly framesPerCase: number;
  readonly caseBudgetMs: number;
  onProgress(text: string): void;
  /** A row as soon as it is measured. */
  onRow(title: string, row: DemoRow): void;
}

/** Runs the demo; whatever happens, no process and no file of it stays. */
export function runDemo(options: DemoOptions): Promise<DemoReport> {
  return inWorkshop('demo', (workshop) => measureAll(options, workshop));
}

async function measureAll(options: DemoOptions, workshop: Workshop): Promise<DemoReport> {
  const modelsDir = join(workshop.folder, 'models');
  const stateDir = join(workshop.folder, 'state');
  options.onProgress('cutting the models');
  const subjects = await withCpu((backend) => prepareSubjects(modelsDir, backend, (text) => options.onProgress(text)));
  options.onProgress('starting the cloud: TLS and tokens on');
  const cloud = await startCloudProcess(['--models', modelsDir, '--state', stateDir, '--port', '0']);
  workshop.adopt(cloud.child);
  const link = await startLinkProcess(options.link, cloud.port, workshop);
  const privateKeyPem = await readFile(join(stateDir, PRIVATE_KEY_FILE), 'utf8');
  const token = await issueToken({ privateKeyPem, subject: 'demo-edge', models: ['*'], expiresInSeconds: 3600 });
  const job: DemoEdgeJob = {
    picturePath: options.picturePath,
    url: `wss://localhost:${link.port}`,
    caPath: cloud.certificatePath ?? '',
    token,
    uplinkBitsPerSecond: options.link.uplinkBitsPerSecond,
    framesPerCase: options.framesPerCase,
    caseBudgetMs: options.caseBudgetMs,
    subjects,
  };
  const rows = await runEdge(job, workshop, options);
  return report(options, subjects, rows);
}

function runEdge(job: DemoEdgeJob, workshop: Workshop, options: DemoOptions): Promise<DemoRow[][]> {
  const child = forkProcess(new URL('./edge-process.js', import.meta.url), workshop);
  const rows = job.subjects.map((): DemoRow[] => []);
  return new Promise((resolve, reject) => {
    child.on('message', (raw) => {
      const message = raw as DemoEdgeMessage;
      if (message.kind === 'measuring') options.onProgress(`measuring ${message.label}`);
      else if (message.kind === 'done') resolve(rows);
      else if (message.kind === 'failed') reject(toldError(message.code, message.message));
      else {
        rows[message.subject]?.push(message.row);
        options.onRow(job.subjects[message.subject]?.title ?? '', message.row);
      }
    });
    child.once('exit', (code) => reject(new KerfError('INTERNAL', `the edge's process ended (${code})`)));
    child.send(job);
  });
}

async function report(
  options: DemoOptions,
  subjects: readonly DemoSubject[],
  rows: readonly DemoRow[][],
): Promise<DemoReport> {
  const [processor] = cpus();
  return {
    madeAt: new Date().toISOString(),
    machine: {
      processor: processor?.model ?? 'unknown',
      logicalCores: cpus().length,
      memoryBytes: totalmem(),
      system: `${systemType()} ${release()}`,
      cloudOnSameMachine: true,
    },
    link: options.link,
    models: subjects.map(({ title, pixels, width, height }, index) => ({
      title,
      inputShape: pixels.layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3],
      rows: rows[index] ?? [],
    })),
    picture: await thumbnail(options.picturePath),
    method: METHOD,
    versions: {
      kerf: VERSION,
      node: process.version,
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      '@napi-rs/image': packageVersion('@napi-rs/image'),
      ws: packageVersion('ws'),
    },
  };
}

function packageVersion(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}

async function thumbnail(path: string): Promise<DemoPicture> {
  const picture = await readPicture(path);
  const width = 560;
  const height = Math.round((picture.height * width) / picture.width);
  const jpeg = await encodeJpeg(await resizePicture(picture, width, height), 80);
  return {
    dataUri: `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`,
    width,
    height,
    description: 'The picture that both models were shown.',
    caption: 'Input of the demo. The classifier sees one line of it.',
  };
}

const METHOD: readonly string[] = [
  'Edge, link and cloud are three processes of one machine. The link is shaped in user space: a rate each way and half ' +
    'of the round trip each way, for the bytes of the TLS stream. Loss and TCP slow start are not modelled.',
  'A frame starts with pixels in the model’s input size and ends with all outputs at the edge; one frame is in flight ' +
    'at a time. The first two frames of each placement are not counted, unless one takes seconds. With so few frames the 99th percentile is the slowest one.',
  'Largest difference is over all output values, against the whole model run on the device on the same pixels.',
  'Of the cuts in the first, the middle and the last third of the nodes, the one with the fewest bytes is shown. ' +
    'Activations cross as raw float32. JPEG is baseline 4:4:4; PNG uses a fast deflate level.',
];
