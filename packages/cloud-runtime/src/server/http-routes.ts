// Requests of people and machines that watch the cloud -> health and metrics; everything else is not found.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

export interface HttpRoutes {
  readonly isReady: () => boolean;
  /** Null where metrics are served elsewhere. */
  readonly registry: Registry | null;
}

/** A request handler for `/v2/health/live`, `/v2/health/ready` and `/metrics`. */
export function httpHandler(routes: HttpRoutes): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    // A body is of no use here; reading it would only cost.
    request.resume();
    const path = (request.url ?? '').split('?', 1)[0];
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
