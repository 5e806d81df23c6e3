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

/**
 * Single names only, of several lines below their numbers: nothing outside of the folder can be asked for.
 * @param lines how many there are; of several the root is the page over all of them
 */
export async function serveRenderer(folder: string, lines: number, url: string): Promise<Response> {
  const asked = /^\/(?:(\d{1,2})\/)?([\w-]+\.\w+)?$/.exec(new URL(url).pathname);
  const line = asked?.[1];
  const name = asked?.[2] ?? (line === undefined && lines > 1 ? 'lines.html' : 'index.html');
  const type = TYPES[extname(name)];
  if (asked === null || type === undefined || (line !== undefined && !isLine(Number(line), lines)))
    return new Response('not found', { status: 404, headers: HEADERS });
  const bytes = await readFile(join(folder, name)).catch(() => null);
  if (bytes === null) return new Response('not found', { status: 404, headers: HEADERS });
  return new Response(new Uint8Array(bytes), { headers: { ...HEADERS, 'content-type': type } });
}

/** Of several; one alone has no number. */
function isLine(line: number, lines: number): boolean {
  return lines > 1 && line >= 1 && line <= lines;
}
