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
      else if (!this.lasts) endUnread();
    });
    // Nobody is left who could be told.
    process.stderr.on('error', () => {});
  }
}

/**
 * Ends the process as the system ends programs whose reader went away. Not by `process.exit` where there is another way: it takes
 * threads away from the middle of a native call, and ONNX Runtime's binding then aborts.
 */
export function endUnread(): never {
  if (process.platform !== 'win32') {
    // Node ignores this signal; a listener that was taken off leaves the system's own handling.
    process.on('SIGPIPE', endUnread).off('SIGPIPE', endUnread);
    process.kill(process.pid, 'SIGPIPE');
  }
  process.exit(0);
}

function lost(cause: Error): KerfError {
  const code = isDiskFull(cause) ? 'DISK_FULL' : 'DISK_FAILED';
  return new KerfError(code, `standard output cannot be written: ${messageOf(cause)}`, { cause });
}
