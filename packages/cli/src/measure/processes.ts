// A folder for temporary files and the processes of a measurement -> gone again, however it ends.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ERROR_CODES, type ErrorCode, KerfError, startedFile } from '@kerf/protocol';
import { endProcess } from '../cloud-process.ts';
import type { LinkShaperOptions } from '../link-shaper.ts';

/** How long an interrupted measurement may take to notice. */
const WIND_UP_MS = 10_000;

/** A folder and processes that end with the measurement. */
export class Workshop {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();
  #isOver = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Ends the process when the measurement ends; at once when that is over. @throws {KerfError} CANCELLED. */
  adopt(child: ChildProcess): void {
    this.#children.add(child);
    if (this.#isOver) void endProcess(child);
    this.check();
  }

  /** Ends a process before the others. */
  async end(child: ChildProcess): Promise<void> {
    await endProcess(child);
    this.#children.delete(child);
  }

  /** Between two steps of work that no process does. @throws {KerfError} CANCELLED when the measurement is over. */
  check(): void {
    if (this.#isOver) throw new KerfError('CANCELLED', 'the measurement was interrupted');
  }

  async endAll(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#children].map(endProcess));
  }
}

/**
 * Gives `use` a folder and a place for its processes; both are cleared away when it ends, fails, or is interrupted.
 * @param name of the folder, after `kerf-`.
 * @throws {KerfError} CANCELLED on SIGINT or SIGTERM, and what `use` throws.
 */
export async function inWorkshop<T>(name: string, use: (workshop: Workshop) => Promise<T>): Promise<T> {
  const workshop = new Workshop(await mkdtemp(join(tmpdir(), `kerf-${name}-`)));
  const interrupted = interruption(name);
  const work = use(workshop);
  try {
    return await Promise.race([work, interrupted.signal]);
  } finally {
    await workshop.endAll();
    // After an interruption the work still has to find out, or it would write into a folder that is gone.
    await settled(work, WIND_UP_MS);
    await rm(workshop.folder, { recursive: true, force: true });
    interrupted.forget();
  }
}

async function settled(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([
    work.then(
      () => {},
      () => {},
    ),
    late,
  ]);
  clearTimeout(timer);
}

/** Ctrl-C ends it as a failure does: with everything cleared away. */
function interruption(name: string): { signal: Promise<never>; forget(): void } {
  let stop = (): void => {};
  const signal = new Promise<never>((_, reject) => {
    stop = () => reject(new KerfError('CANCELLED', `the ${name} was interrupted`));
  });
  signal.catch(() => {});
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return { signal, forget: () => void process.off('SIGINT', stop).off('SIGTERM', stop) };
}

/** A process of ours; messages to and from it are cloned, tensors included. */
export function forkProcess(url: URL, workshop: Workshop): ChildProcess {
  const child = fork(url, { execArgv: [], serialization: 'advanced' });
  workshop.adopt(child);
  return child;
}

/** A link to a port of this machine, in a process of its own. @returns it and the port that leads to it. */
export async function startLinkProcess(
  link: Omit<LinkShaperOptions, 'target'>,
  targetPort: number,
  workshop: Workshop,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = forkProcess(startedFile('link-process', import.meta.url), workshop);
  const settings: LinkShaperOptions = { ...link, target: { host: '127.0.0.1', port: targetPort } };
  const answer = await new Promise<{ readonly port?: number; readonly error?: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { port?: number; error?: string }));
    child.once('exit', () => reject(new KerfError('INTERNAL', "the link's process ended")));
    child.send(settings);
  });
  if (answer.port === undefined) throw new KerfError('INVALID_ARGUMENT', answer.error ?? 'the link did not start');
  return { child, port: answer.port };
}

/** An error that another process told. */
export function toldError(code: string, message: string): KerfError {
  return new KerfError(Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'INTERNAL', message);
}
