// Codes that a scanner sends over a serial line -> triggers with the part's id.
import { constants, open as openFile } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { KerfError } from '@kerf/protocol';
import { keepAlive } from '../../capture/keep-alive.ts';
import type { SourceSetup } from '../../capture/options.ts';
import { CodeLines } from '../../capture/scanned-codes.ts';
import type { ScannerConfig } from '../../capture/scanner-config.ts';
import type { Trigger } from '../../capture/trigger.ts';

/** A bare descriptor: the stream on it is the one that closes it. */
const open = promisify(openFile);

/** Each code asks for a picture of the part that it names. A device that is unplugged is opened again when it is back. */
export function serialScanner(config: ScannerConfig, setup: Pick<SourceSetup, 'name' | 'clock' | 'random'>): Trigger {
  const counters = { fired: 0, refused: 0, late: 0 };
  const ended = new AbortController();
  let run: Promise<void> | null = null;
  return {
    name: setup.name,
    counters,
    start: async (fire) => {
      if (run !== null) throw new KerfError('INVALID_ARGUMENT', `trigger '${setup.name}' was started before`);
      const onCode = (partId: string): void => {
        try {
          fire({ partId, key: null, onResult: null });
          counters.fired++;
        } catch {
          counters.refused++;
        }
      };
      // At the start a wrong path is a mistake, later a pulled plug.
      let opened: number | null = await openDevice(config.path);
      run = keepAlive({
        attempt: async (signal, up) => {
          const device = opened ?? (await openDevice(config.path));
          opened = null;
          up();
          await readCodes(device, new CodeLines(onCode), signal);
          if (!signal.aborted) throw new KerfError('SOURCE_LOST', `the scanner ${config.path} is gone`);
        },
        clock: setup.clock,
        random: setup.random,
        signal: ended.signal,
        onState: () => undefined,
        onRecovery: () => undefined,
      });
    },
    stop: async () => {
      ended.abort();
      await run;
    },
  };
}

/** @throws {KerfError} FILE_NOT_FOUND. */
async function openDevice(path: string): Promise<number> {
  try {
    // For both directions: a pipe then does not end when its writer goes. Without waiting for a carrier.
    return await open(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new KerfError(
      'FILE_NOT_FOUND',
      `cannot open the scanner ${path} (${code}): is it plugged in, may you read it?`,
      {
        cause,
      },
    );
  }
}

/** Until the device is gone or the signal says so. A stream of the file system would block a thread for ever. */
function readCodes(fd: number, lines: CodeLines, signal: AbortSignal): Promise<void> {
  const stream = isatty(fd) ? new ReadStream(fd) : new Socket({ fd, readable: true, writable: false });
  return new Promise((resolve) => {
    const onAbort = (): void => void stream.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', (chunk: Buffer) => lines.take(chunk.toString('utf8')));
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
  });
}
