// A command line -> what the `kerf` process said and how it ended.
import { execFile } from 'node:child_process';
import process from 'node:process';
import { KERF_BIN } from '@kerf/cli';
import { expect } from 'vitest';

export interface Ran {
  /** Null when the time was up and the process was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs `kerf` with `args` as a child process, without the caller's own KERF_ variables. */
export function runKerf(args: readonly string[], { cwd, env = {}, timeoutMs = 60_000 }: RunOptions): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KERF_'));
  const options = {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 64 * 1024 * 1024,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [KERF_BIN, ...args], options, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Standard output of a command that must have worked, as JSON. */
export function jsonOf<T>({ status, stdout, stderr }: Ran): T {
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as T;
}

/** Objects of a command that prints one a line. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Exactly one line, `kerf: CODE: message`, and nothing on standard output. */
export function expectRefusal(ran: Ran, status: 1 | 2, code: string): string {
  expect(ran).toMatchObject({ status, stdout: '' });
  expect(ran.stderr).toMatch(new RegExp(`^kerf: ${code}: [^\n]+\n$`));
  expect(ran.stderr, 'no stack').not.toMatch(/\n\s+at |\.[jt]s:\d+/);
  return ran.stderr;
}
