// A job -> a child process that makes the delta within its limits of memory and time, and can crash alone.
import { fork } from 'node:child_process';
import { KerfError, startedFile } from '@kerf/protocol';
import type { DeltaJob, WorkerMessage } from './jobs.ts';

export interface WorkerLimits {
  readonly memoryMib: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number) => void;
}

const STDERR_TAIL_CHARS = 500;
/** None of the registry's secrets. */
const ENVIRONMENT = /^(PATH|SYSTEMROOT|TEMP|TMP|TMPDIR|LANG|TZ)$/i;

/** @returns bytes of the delta. @throws {KerfError} WORKER_LOST with the reason, CANCELLED. */
export async function runDeltaWorker(job: DeltaJob, limits: WorkerLimits): Promise<number> {
  limits.signal.throwIfAborted();
  const child = fork(startedFile('delta-main', import.meta.url), {
    execArgv: [`--max-old-space-size=${limits.memoryMib}`],
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name))),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-STDERR_TAIL_CHARS);
  });
  let why = 'it ended without a word';
  const kill = (reason: string): void => {
    why = reason;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => kill(`it took longer than ${limits.timeoutMs} ms`), limits.timeoutMs);
  const onAbort = (): void => kill('the registry is closing');
  limits.signal.addEventListener('abort', onAbort);
  try {
    return await new Promise<number>((resolve, reject) => {
      const lost = (): void => {
        const code = limits.signal.aborted ? 'CANCELLED' : 'WORKER_LOST';
        const said = lastWords.trim().split('\n').at(-1) ?? '';
        reject(new KerfError(code, `the delta was not made: ${why}${said === '' ? '' : `, last words: ${said}`}`));
      };
      child.once('error', lost);
      child.once('exit', lost);
      child.on('message', (message: WorkerMessage) => {
        if (message.type === 'progress') limits.onProgress(message.doneBytes);
        else if (message.type === 'made') resolve(message.deltaBytes);
        else reject(new KerfError('WORKER_LOST', message.reason));
      });
      child.send(job, (error) => {
        if (error !== null) lost();
      });
    });
  } finally {
    clearTimeout(timer);
    limits.signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
}
