// An answer -> the bytes of the response; a reader that is too slow is waited for, one that has gone is let go.
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './route.ts';

export async function sendAnswer(response: ServerResponse, answer: Answer, isHead: boolean): Promise<void> {
  const { status, json, stream, headers = {} } = answer;
  const text = json === undefined ? null : `${JSON.stringify(json)}\n`;
  response.writeHead(status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...headers,
  });
  if (stream === undefined || isHead) {
    response.end(isHead ? undefined : (text ?? undefined));
    return;
  }
  await pipeline(stream, response);
}
