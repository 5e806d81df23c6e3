// Standard output and error that cannot be written: a log on a full disk, a reader that went away.
import process from 'node:process';
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';

/**
 * Writes to them never throw. `fault` is the first line on standard output that was lost, null for none. A reader that goes
 * away (`kerf cuts m.onnx | head`) is no fault and ends the command, unless it `lasts`: a line does not stop for its log.
 */
export class Outputs {
  fault: KerfError | null = null;
  lasts = false;

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.fault ??= lost(error);
      else if (!this.lasts) process.exit(0);
    });
    // Nobody is left who could be told.
    process.stderr.on('error', () => {});
  }
}

function lost(cause: Error): KerfError {
  const code = isDiskFull(cause) ? 'DISK_FULL' : 'DISK_FAILED';
  return new KerfError(code, `standard output cannot be written: ${messageOf(cause)}`, { cause });
}
