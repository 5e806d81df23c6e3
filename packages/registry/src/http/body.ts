// A request's bytes -> JSON or a bounded stream. Nothing is allocated for what was not announced, or is more than allowed.
import type { IncomingMessage } from 'node:http';
import { KerfError } from '@kerf/protocol';

/** Bytes that all requests together may hold in memory. */
export class BodyBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Returns what gives them back. @throws {KerfError} OVERLOADED. */
  take(bytes: number): () => void {
    if (bytes > this.#left) throw new KerfError('OVERLOADED', 'the registry is reading as much as it may: try again');
    this.#left -= bytes;
    return () => {
      this.#left += bytes;
    };
  }
}

/** @throws {KerfError} INVALID_ARGUMENT without a length, MESSAGE_TOO_LARGE. */
export function announcedLength(request: IncomingMessage, maxBytes: number): number {
  const text = request.headers['content-length'];
  if (text === undefined || !/^\d{1,15}$/.test(text)) {
    throw new KerfError('INVALID_ARGUMENT', "the header 'Content-Length' is needed");
  }
  const bytes = Number(text);
  if (bytes > maxBytes) {
    throw new KerfError('MESSAGE_TOO_LARGE', `the body has ${bytes} bytes, at most ${maxBytes} are taken`);
  }
  return bytes;
}

/** @throws {KerfError} INVALID_ARGUMENT, MESSAGE_TOO_LARGE, OVERLOADED. */
export async function readJson(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<unknown> {
  const bytes = announcedLength(request, maxBytes);
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim();
  if (type !== 'application/json') {
    throw new KerfError('INVALID_ARGUMENT', "the header 'Content-Type' must be application/json");
  }
  const giveBack = budget.take(bytes);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))) as unknown;
  } catch (cause) {
    throw KerfError.from(cause, 'INVALID_ARGUMENT', 'the body is not JSON in UTF-8, or was cut short');
  } finally {
    giveBack();
  }
}
