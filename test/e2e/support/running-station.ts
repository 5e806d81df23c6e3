// `kerf station FILE` as a process whose events a test can wait for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { KERF_BIN } from '@kerf/cli';

export interface RunningStation {
  /** The next event of the kind. */
  event(kind: string): Promise<Record<string, unknown>>;
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function startStation(path: string, cwd: string): RunningStation {
  const child = spawn(process.execPath, [KERF_BIN, 'station', path, '--json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  const events: Record<string, unknown>[] = [];
  const waiters: { kind: string; resolve: (event: Record<string, unknown>) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    const at = waiters.findIndex(({ kind }) => kind === event['kind']);
    if (at < 0) events.push(event);
    else waiters.splice(at, 1)[0]?.resolve(event);
  });
  return {
    event(kind) {
      const at = events.findIndex((event) => event['kind'] === kind);
      if (at >= 0) return Promise.resolve(events.splice(at, 1)[0] ?? {});
      return new Promise((resolve) => {
        waiters.push({ kind, resolve });
      });
    },
    async stop() {
      child.kill('SIGTERM');
      const end = await ended;
      return typeof end === 'number' ? end : null;
    },
    signal: (name) => void child.kill(name),
    ended,
  };
}
