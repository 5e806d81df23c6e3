// The path of a request -> which endpoint of the protocol it names, for which model and version.
import { KerfError } from '@kerf/protocol';

export type Endpoint =
  | { readonly kind: 'server' }
  | { readonly kind: 'index' }
  | { readonly kind: 'all-stats' }
  | { readonly kind: 'load' | 'unload'; readonly model: string }
  | {
      readonly kind: 'metadata' | 'ready' | 'infer' | 'stats' | 'config';
      readonly model: string;
      readonly version: string | null;
    };

/** A model's id may hold slashes, escaped or not: the ends of the path say what is asked. */
const MODEL = /^\/v2\/models\/(.+?)(?:\/versions\/([^/]+))?(?:\/(ready|infer|stats|config))?$/;
const CONTROL = /^\/v2\/repository\/models\/(.+)\/(load|unload)$/;

/** Null where the protocol has nothing of this path. @throws {KerfError} MESSAGE_MALFORMED for a name that cannot be read. */
export function endpointOf(path: string): Endpoint | null {
  if (path === '/v2' || path === '/v2/') return { kind: 'server' };
  if (path === '/v2/repository/index') return { kind: 'index' };
  if (path === '/v2/models/stats') return { kind: 'all-stats' };
  const control = CONTROL.exec(path);
  if (control !== null) return { kind: control[2] as 'load' | 'unload', model: nameOf(control[1] ?? '') };
  const model = MODEL.exec(path);
  if (model === null) return null;
  const [, name = '', version, action] = model;
  const kind = (action ?? 'metadata') as 'metadata' | 'ready' | 'infer' | 'stats' | 'config';
  return { kind, model: nameOf(name), version: version === undefined ? null : nameOf(version) };
}

function nameOf(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    throw new KerfError('MESSAGE_MALFORMED', 'the path of the request cannot be read');
  }
}
