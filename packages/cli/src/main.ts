// The `kerf` command: picks the sub-command, turns errors into one line and an exit status.
import process from 'node:process';
import { KerfError, messageOf } from '@kerf/protocol';
import { connectPatiently } from '@kerf/protocol/node';
import { parseCommandLine, VERSION } from './command.ts';
import { findCommand, HELP, helpOf } from './command-table.ts';
import { fileFault } from './file-fault.ts';
import { isIsolated, runIsolated } from './isolate.ts';
import { Outputs } from './outputs.ts';
import { endWithParent } from './parent.ts';

/** Of a command that a signal ended, as shells have it. */
const INTERRUPTED = 130;

const outputs = new Outputs();

/** Runs one command line. @returns 0, 1 for a failure, 2 for wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const topic = name === undefined ? undefined : rest[0];
    print(topic === undefined ? HELP : helpOf(await findCommand(topic)));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === 'version') {
    print(VERSION);
    return 0;
  }
  const command = await findCommand(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    print(helpOf(command));
    return 0;
  }
  const line = parseCommandLine(command, rest);
  if (command.isolated === true && !isIsolated()) return runIsolated(argv);
  outputs.lasts = command.lasts?.(line) ?? false;
  return command.run(line, { print });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `kerf: CODE: message`, always one line. */
function report(error: unknown): number {
  const known = KerfError.is(error)
    ? error
    : (fileFault(error) ?? new KerfError('INTERNAL', messageOf(error), { cause: error }));
  process.stderr.write(`kerf: ${known.code}: ${known.message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  if (process.env['KERF_DEBUG'] !== undefined) process.stderr.write(`${known.stack}\n`);
  if (known.code === 'CANCELLED') return INTERRUPTED;
  return known.code === 'INVALID_ARGUMENT' ? 2 : 1;
}

// ONNX Runtime 1.30 on Linux reports to its maker unless told not to, and leaves files of it behind. Child processes
// and threads inherit this; it must be set before any of them loads the runtime.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

connectPatiently();
endWithParent();

// At the very end: a stream tells of a failed write a moment later.
process.once('exit', (status) => {
  if (status === 0 && outputs.fault !== null && !outputs.lasts) process.exitCode = report(outputs.fault);
});

process.exitCode = await main(process.argv.slice(2)).catch(report);
