// HTTP requests -> health, metrics and the Open Inference Protocol; everything else is not found.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Admit, OipServer } from '../oip/oip-server.ts';

export interface HttpRoutes {
  readonly isReady: () => boolean;
  /** Null where metrics are served elsewhere. */
  readonly registry: Registry | null;
  /** Null where only health and metrics are served. */
  readonly oip: OipServer | null;
}

/** A request handler. `admit` is told of connections that have shown a token; `mayCall` says whose pages may do more than ask for health. */
export function httpHandler(
  routes: HttpRoutes,
  admit: Admit,
  mayCall: (origin: string | undefined) => boolean = () => true,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (!isPublic(path) && !mayCall(request.headers.origin)) {
      request.resume();
      return json(response, 403, { error: 'FORBIDDEN: pages of this origin may not use the cloud; see --origin' });
    }
    if (!isPublic(path) && routes.oip?.handle(path, request, response, admit) === true) return;
    // A body is of no use here; reading it would only cost.
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      json(response, 405, { error: 'only GET is served here' });
    } else if (path === '/v2/health/live') {
      json(response, 200, { live: true });
    } else if (path === '/v2/health/ready') {
      const ready = routes.isReady();
      json(response, ready ? 200 : 503, { ready });
    } else if (path === '/metrics' && routes.registry !== null) {
      sendMetrics(routes.registry, response);
    } else {
      json(response, 404, { error: 'nothing is served here; see /v2/health/ready' });
    }
  };
}

function isPublic(path: string): boolean {
  return path === '/v2/health/live' || path === '/v2/health/ready' || path === '/metrics';
}

function sendMetrics(registry: Registry, response: ServerResponse): void {
  registry.metrics().then(
    (text) => send(response, 200, registry.contentType, text),
    () => json(response, 500, { error: 'the metrics could not be read' }),
  );
}

function json(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
