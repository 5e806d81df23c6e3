// A `fetch` for servers that show a certificate of their own authority: Node's takes none by request.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';

/**
 * Redirects are not followed; a body is a text.
 * @param ca PEM of the authority to trust, instead of the system's; one that is asked for is asked at each request
 */
export function fetchTrusting(ca: string | (() => Promise<string>)): typeof fetch {
  return async (input, { signal, method = 'GET', headers, body } = {}) => {
    if (body !== null && body !== undefined && typeof body !== 'string') throw new TypeError('the body must be a text');
    const url = new URL(input instanceof Request ? input.url : input);
    const request = url.protocol === 'http:' ? requestHttp : requestHttps;
    const options = {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      ca: typeof ca === 'string' ? ca : await ca(),
      ...(signal === null || signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const call = request(url, options);
      call.on('error', reject);
      call.once('response', (answer) => {
        const said = new Headers();
        for (const [name, value] of Object.entries(answer.headers))
          if (typeof value === 'string') said.set(name, value);
        const status = answer.statusCode ?? 0;
        const isEmpty = status === 204 || status === 304;
        if (isEmpty) answer.resume();
        const content = isEmpty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        resolve(new Response(content, { status, headers: said }));
      });
      call.end(body ?? undefined);
    });
  };
}
