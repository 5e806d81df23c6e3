// A `kerf registry` in a process of its own, as an operator starts it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { issueToken } from '@kerf/access';

const KERF = fileURLToPath(new URL('../../packages/cli/bin/kerf.js', import.meta.url));

export interface KerfRegistry {
  readonly url: string;
  /** PEM of the development certificate, and its path. */
  readonly ca: string;
  readonly certificatePath: string;
  /** Path of the private key for tokens. */
  readonly keyPath: string;
  /** For a subject with every permission, for an hour. */
  token(subject: string): Promise<string>;
  /** SIGKILL: nothing is said to anybody. */
  kill(): Promise<void>;
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>;
}

export interface RegistryStart {
  /** Of `kerf registry`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the registry on a free port and waits until it listens. */
export async function startKerfRegistry(
  data: string,
  { args = [], env = {} }: RegistryStart = {},
): Promise<KerfRegistry> {
  const child = spawn(process.execPath, [KERF, 'registry', '--data', data, '--port', '0', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const event = await listening(child);
  return {
    ...event,
    ca: await readFile(event.certificatePath, 'utf8'),
    token: async (subject) =>
      issueToken({
        privateKeyPem: await readFile(event.keyPath, 'utf8'),
        subject,
        models: [],
        registry: ['*'],
        expiresInSeconds: 3600,
        audience: 'kerf-registry',
      }),
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

interface Listening {
  readonly url: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

async function listening(child: ChildProcess): Promise<Listening> {
  let said = '';
  child.stderr?.on('data', (data) => {
    said = (said + String(data)).slice(-4000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const event = JSON.parse(line) as { event?: string } & Listening;
      if (event.event !== 'listening') continue;
      child.stdout?.resume();
      return event;
    }
    throw new Error(`kerf registry ended before it listened: ${said}`);
  } finally {
    clearTimeout(timer);
  }
}
