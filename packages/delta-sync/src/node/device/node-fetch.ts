// A `fetch` for mirrors that show a certificate of their own: Node's takes none by request.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';

/**
 * GET only, redirects are not followed: a registry has none.
 * @param ca PEM of the certificate to trust besides the system's
 */
export function fetchTrusting(ca: string): typeof fetch {
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const request = url.protocol === 'http:' ? requestHttp : requestHttps;
    const { signal } = init;
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      const call = request(url, { headers, ca, ...(signal === null || signal === undefined ? {} : { signal }) });
      call.on('error', reject);
      call.once('response', (answer) => {
        const said = new Headers();
        for (const [name, value] of Object.entries(answer.headers))
          if (typeof value === 'string') said.set(name, value);
        const status = answer.statusCode ?? 0;
        const body = status === 204 || status === 304 ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        resolve(new Response(body, { status, headers: said }));
      });
      call.end();
    });
  };
}
