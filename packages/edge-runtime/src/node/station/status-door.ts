// A station -> health, metrics and counters over HTTP, for this machine only.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KerfError } from '@kerf/protocol';
import { metricsText } from './metrics-text.ts';
import type { OpenedStation } from './open-station.ts';

/** Connections at a time; one more is refused. */
const MAX_CONNECTIONS = 64;

export interface StatusDoor {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/v2/health/live`, `/v2/health/ready` (503 unless running), `/metrics` and `/station` on loopback.
 * @throws {KerfError} INVALID_ARGUMENT when the port is taken.
 */
export async function openStatusDoor(name: string, opened: OpenedStation, port: number): Promise<StatusDoor> {
  const server = createServer((request, response) => answer(name, opened, request, response));
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `status.port ${port} cannot be used: ${cause.message}; choose another or 0`;
      reject(new KerfError('INVALID_ARGUMENT', message, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(name: string, opened: OpenedStation, request: IncomingMessage, response: ServerResponse): void {
  // A body is of no use here; reading it would only cost.
  request.resume();
  if (!isLocal(request.headers.host)) {
    // A page of another site that has its name point here must not read what a station does.
    send(response, 403, { error: 'only 127.0.0.1 and localhost are served' });
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, { error: 'only GET is served here' });
    return;
  }
  const { snapshot } = opened.station;
  switch (String((request.url ?? '').split('?', 1)[0])) {
    case '/v2/health/live':
      send(response, 200, { live: true });
      return;
    case '/v2/health/ready': {
      const ready = snapshot.state === 'running' || snapshot.state === 'paused';
      send(response, ready ? 200 : 503, { ready });
      return;
    }
    case '/metrics':
      write(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(name, snapshot, opened.outbox));
      return;
    case '/station':
      send(response, 200, { station: name, ...snapshot, outbox: opened.outbox });
      return;
    default:
      send(response, 404, { error: 'nothing is served here; see /station' });
  }
}

function isLocal(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '');
}

function send(response: ServerResponse, status: number, body: object): void {
  write(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function write(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
