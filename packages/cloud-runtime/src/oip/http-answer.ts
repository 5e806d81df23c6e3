// JSON and errors -> HTTP answers.
import type { ServerResponse } from 'node:http';
import { KerfError } from '@kerf/protocol';
import { errorHeaders, statusOf } from './http-errors.ts';

/** What went wrong as `{error, code}`; an answer that has begun is cut off. */
export function sendError(response: ServerResponse, error: unknown): void {
  const fault = KerfError.from(error, 'INTERNAL', 'a fault in the cloud');
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = fault.code === 'MESSAGE_UNEXPECTED' ? 405 : statusOf(fault.code);
  for (const [name, value] of Object.entries(errorHeaders(fault))) response.setHeader(name, value);
  // What is left of a body that was refused for its size is not read.
  if (status === 413) response.setHeader('connection', 'close');
  sendJson(response, status, { error: fault.message, code: fault.code });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
