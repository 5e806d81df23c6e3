// A request -> its body, within a limit that is known before anything is allocated, and a budget that all share.
import type { IncomingMessage } from 'node:http';
import { KerfError } from '@kerf/protocol';
import type { ByteBudget } from '../session/byte-budget.ts';

export interface ReadBody {
  readonly bytes: Buffer;
  /** Gives the bytes back to the budget. */
  release(): void;
}

/** @throws {KerfError} MESSAGE_TOO_LARGE, OVERLOADED, MESSAGE_MALFORMED when it ends early or is encoded. */
export async function readBody(request: IncomingMessage, maxBytes: number, budget: ByteBudget): Promise<ReadBody> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw malformed(`the body is encoded as ${encoding}; send it as it is`);
  const length = request.headers['content-length'];
  if (length === undefined) return readChunked(request, maxBytes, budget);
  const bytes = Number(length);
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  take(budget, bytes);
  const body = { bytes: Buffer.allocUnsafe(bytes), release: () => budget.give(bytes) };
  try {
    let at = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunk.copy(body.bytes, at);
      at += chunk.byteLength;
    }
    if (at !== bytes) throw malformed('the body ended early');
  } catch (error) {
    body.release();
    throw KerfError.from(error, 'MESSAGE_MALFORMED', 'the body could not be read');
  }
  return body;
}

/** Without a length the budget is asked chunk by chunk. */
async function readChunked(request: IncomingMessage, maxBytes: number, budget: ByteBudget): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (bytes + chunk.byteLength > maxBytes) throw tooLarge(maxBytes);
      take(budget, chunk.byteLength);
      bytes += chunk.byteLength;
      chunks.push(chunk);
    }
  } catch (error) {
    budget.give(bytes);
    throw KerfError.from(error, 'MESSAGE_MALFORMED', 'the body could not be read');
  }
  return { bytes: Buffer.concat(chunks), release: () => budget.give(bytes) };
}

function take(budget: ByteBudget, bytes: number): void {
  if (budget.tryTake(bytes)) return;
  throw new KerfError('OVERLOADED', 'the cloud holds as many bytes of frames as it may; send it again later', {
    details: { retryAfterMs: 1000 },
  });
}

function tooLarge(maxBytes: number): KerfError {
  return new KerfError('MESSAGE_TOO_LARGE', `the body exceeds ${maxBytes} bytes`);
}

function malformed(what: string): KerfError {
  return new KerfError('MESSAGE_MALFORMED', what);
}
