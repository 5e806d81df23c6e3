// A `kerf serve` in a process of its own, as a user starts it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const KERF = fileURLToPath(new URL('../../packages/cli/bin/kerf.js', import.meta.url));

export interface ServeOptions {
  /** Folder of models. */
  readonly models: string;
  /** Folder for certificate and keys; the same one keeps both over a restart. */
  readonly state: string;
  /** @default 0: a free one */
  readonly port?: number;
  readonly args?: readonly string[];
}

export interface KerfServe {
  /** `wss://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** PEM of the development certificate. */
  readonly ca: string;
  /** Issues a token with the command line. */
  token(...args: string[]): string;
  /** SIGKILL: nothing is said to anybody. */
  kill(): Promise<void>;
  /** SIGTERM: drains. @returns the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the cloud and waits until it listens. */
export async function startServe({ models, state, port = 0, args = [] }: ServeOptions): Promise<KerfServe> {
  const child = spawn(
    process.execPath,
    [KERF, 'serve', '--models', models, '--state', state, '--port', String(port), '--json', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const { url, certificatePath } = await listening(child);
  const { port: bound } = new URL(url);
  return {
    url: `wss://127.0.0.1:${bound}`,
    port: Number(bound),
    ca: await readFile(certificatePath, 'utf8'),
    token(...more) {
      const key = join(state, 'token-private.pem');
      const run = spawnSync(process.execPath, [KERF, 'token', 'issue', '--key', key, '--subject', 'test', ...more], {
        encoding: 'utf8',
      });
      if (run.status !== 0) throw new Error(run.stderr);
      return run.stdout.trim();
    },
    kill: () => end(child, 'SIGKILL').then(() => {}),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}

async function listening(child: ChildProcess): Promise<{ url: string; certificatePath: string }> {
  let said = '';
  child.stderr?.on('data', (data) => {
    said = (said + String(data)).slice(-4000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const event = JSON.parse(line) as { event?: string; url?: string; certificatePath?: string };
      if (event.event !== 'listening' || event.url === undefined) continue;
      // The rest of the log is read and dropped, or the pipe would fill up.
      child.stdout?.resume();
      return { url: event.url, certificatePath: event.certificatePath ?? '' };
    }
    throw new Error(`kerf serve ended before it listened: ${said}`);
  } finally {
    clearTimeout(timer);
  }
}
