// A command on a model that nobody vouches for -> the same command in a child process, so that a crash or an endless
// allocation inside the runtime ends as one line and not as a core dump.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { KerfError } from '@kerf/protocol';
import { KERF_BIN } from './cloud-process.ts';
import { endUnread } from './outputs.ts';
import { BOUND_TO_PARENT } from './parent.ts';

/** Set in the child, which then does the work itself. */
const MARK = 'KERF_ISOLATED';

export function isIsolated(): boolean {
  return process.env[MARK] === '1';
}

/**
 * Runs the command line in a child process that shares standard input and output.
 * @returns its exit status. @throws {KerfError} CANCELLED when Ctrl-C ended it before it could say so, BACKEND_FAILED for
 * any other signal.
 */
export async function runIsolated(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, KERF_BIN, ...argv], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...BOUND_TO_PARENT, [MARK]: '1' },
  });
  // Until the end: a second Ctrl-C must not cut off what the first one has to say.
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (status !== null) return status;
  if (signal === 'SIGPIPE') endUnread();
  if (signal === 'SIGINT' || signal === 'SIGTERM') throw new KerfError('CANCELLED', `kerf ${argv[0]} was interrupted`);
  throw new KerfError('BACKEND_FAILED', `the runtime crashed on this model (${signal}); nothing was written`);
}
