// A request of the app's own scheme -> a file of the renderer, with the headers of an isolated page.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Single names only: nothing outside of the folder can be asked for. */
export async function serveRenderer(folder: string, url: string): Promise<Response> {
  const { pathname } = new URL(url);
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const type = TYPES[extname(name)];
  if (!/^[\w-]+\.\w+$/.test(name) || type === undefined)
    return new Response('not found', { status: 404, headers: HEADERS });
  const bytes = await readFile(join(folder, name)).catch(() => null);
  if (bytes === null) return new Response('not found', { status: 404, headers: HEADERS });
  return new Response(new Uint8Array(bytes), { headers: { ...HEADERS, 'content-type': type } });
}
