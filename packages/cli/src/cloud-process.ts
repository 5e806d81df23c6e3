// `kerf serve` as a child process -> where it listens and a way to stop it. The demo, the tests and the bench use it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { KerfError } from '@kerf/protocol';
import { BOUND_TO_PARENT } from './parent.ts';

/** The committed entry of the command; it loads what the build has bundled. */
export const KERF_BIN = join(dirname(createRequire(import.meta.url).resolve('@kerf/cli/package.json')), 'bin/kerf.js');

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;

export interface CloudProcess {
  readonly url: string;
  readonly port: number;
  /** PEM file that an edge has to trust; null without TLS. */
  readonly certificatePath: string | null;
  readonly child: ChildProcess;
  /** Log events so far, oldest first. */
  readonly events: readonly Record<string, unknown>[];
  /** Drains and waits; kills what does not end. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts `kerf serve --json` with `args` added and waits until it listens.
 * @throws {KerfError} BACKEND_UNAVAILABLE with the command's own last line when it ends before that.
 */
export async function startCloudProcess(args: readonly string[], cwd?: string): Promise<CloudProcess> {
  const child = spawn(process.execPath, [KERF_BIN, 'serve', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...BOUND_TO_PARENT },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new KerfError('INTERNAL', 'the child has no output');
  const events: Record<string, unknown>[] = [];
  let lastError = '';
  createInterface({ input: stderr }).on('line', (line) => {
    lastError = line;
  });
  const stop = async (): Promise<void> => endProcess(child);
  const listening = new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const event = parseEvent(line);
      events.push(event);
      if (event['event'] === 'listening') resolve(event);
    });
    child.once('error', reject);
    child.once('close', () => reject(new KerfError('BACKEND_UNAVAILABLE', `kerf serve ended: ${lastError}`)));
  });
  const timer = setTimeout(() => {
    lastError = `it did not listen within ${START_TIMEOUT_MS / 1000} s`;
    child.kill('SIGKILL');
  }, START_TIMEOUT_MS);
  try {
    const { url, port, certificatePath } = await listening;
    return {
      url: String(url),
      port: Number(port),
      certificatePath: typeof certificatePath === 'string' ? certificatePath : null,
      child,
      events,
      stop,
    };
  } finally {
    clearTimeout(timer);
  }
}

function parseEvent(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { event: 'text', line };
  }
}

/** SIGTERM, then SIGKILL for a child that does not end. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
