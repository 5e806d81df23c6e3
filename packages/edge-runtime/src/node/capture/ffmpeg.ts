// The ffmpeg program -> chunks of a y4m stream, or why there are none.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Clock, KerfError, messageOf } from '@kerf/protocol';
import { sourceLost } from '../../cause/station-cause.ts';
import { ffmpegFault } from './ffmpeg-fault.ts';

export interface FfmpegRun {
  readonly program: string;
  /** What comes before and after `-i INPUT`. */
  readonly inputOptions: readonly string[];
  readonly input: string;
  readonly outputOptions: readonly string[];
  /** What must not stand in a message: a password. */
  readonly secret: string | null;
  /** Without a chunk for longer it is ended; null: never. */
  readonly stallMs: number | null;
  readonly clock: Clock;
}

const KEPT_ERROR_BYTES = 4096;
/** From the request to end until it is ended. */
const PATIENCE_MS = 2_000;

/** @throws {KerfError} PROGRAM_MISSING. */
export async function checkFfmpeg(program: string): Promise<void> {
  const child = spawn(program, ['-version'], { stdio: 'ignore' });
  try {
    await once(child, 'close');
  } catch (cause) {
    throw new KerfError(
      'PROGRAM_MISSING',
      `cannot start '${program}' (${codeOf(cause)}): install ffmpeg (apt-get install ffmpeg), or name its path as 'ffmpeg'`,
      { cause },
    );
  }
}

/**
 * Chunks until the end. The process is gone when this is done, however it ends.
 * @throws {KerfError} SOURCE_LOST with the last line that ffmpeg said, PROGRAM_MISSING.
 */
export async function* runFfmpeg(run: FfmpegRun, signal: AbortSignal): AsyncGenerator<Buffer> {
  const output = ['-an', '-sn', ...run.outputOptions, '-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe', 'pipe:1'];
  const quiet = ['-nostdin', '-hide_banner', '-loglevel', 'error'];
  const args = [...quiet, ...run.inputOptions, '-i', run.input, ...output];
  const child = spawn(run.program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-KEPT_ERROR_BYTES);
  });
  let isStalled = false;
  let cancelStall = (): void => undefined;
  const watch = (): void => {
    cancelStall();
    if (run.stallMs === null) return;
    cancelStall = run.clock.after(run.stallMs, () => {
      isStalled = true;
      child.kill('SIGKILL');
    });
  };
  const onAbort = (): void => void child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    watch();
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      yield chunk;
      watch();
    }
    cancelStall();
    const why = await ended;
    if (signal.aborted) return;
    if (isStalled) throw sourceLost({ kind: 'source-stalled', stallMs: run.stallMs ?? 0 });
    if (why !== null) throw KerfError.is(why) ? why : ffmpegFault(said, why.message, run.secret);
  } finally {
    cancelStall();
    signal.removeEventListener('abort', onAbort);
    await endProcess(child, run.clock, ended);
  }
}

/** Null for a regular end. */
function endOf(child: ChildProcess): Promise<Error | null> {
  return new Promise((resolve) => {
    child.on('error', (cause) => {
      resolve(sourceLost({ kind: 'source-no-program', error: codeOf(cause) }, cause));
    });
    child.on('close', (code, killedBy) => {
      resolve(code === 0 ? null : new Error(`ffmpeg ended with ${killedBy ?? code}`));
    });
  });
}

async function endProcess(child: ChildProcess, clock: Clock, ended: Promise<unknown>): Promise<void> {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.kill();
  const cancel = clock.after(PATIENCE_MS, () => child.kill('SIGKILL'));
  await ended;
  cancel();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
}
