// All that a helper far away asks for first -> one file of JSON, without secrets, as it is shown before it is saved.
import type { BundleView } from '@kerf/bridge';
import { withoutSecrets } from './without-secrets.ts';

/** Sections of the file, in this order; each is plain JSON. */
export interface Diagnostics {
  readonly station: string;
  /** The station file, with its defaults. */
  readonly config: unknown;
  readonly health: unknown;
  readonly line: unknown;
  /** Null where the station runs no device's release. */
  readonly updates: unknown;
  readonly audit: unknown;
  /** The newest first, without their masks. */
  readonly records: readonly object[];
}

export const DIAGNOSTICS_FORMAT = 'kerf-diagnostics/1';

export function diagnosticsBundle(found: Diagnostics, now: Date): BundleView {
  const { value, hidden } = withoutSecrets(found);
  const content = { format: DIAGNOSTICS_FORMAT, madeAt: now.toISOString(), ...(value as object) };
  const day = now.toISOString().slice(0, 19).replaceAll(':', '');
  return { fileName: `kerf-${found.station}-${day}.json`, text: `${JSON.stringify(content, null, 1)}\n`, hidden };
}
