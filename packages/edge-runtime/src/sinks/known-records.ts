// The records that a sink has had -> whether one of them comes again.
import type { ResultRecord } from '../station/result-record.ts';
import { SINK_BOUNDS } from './options.ts';

/** Names one revision of one result; receivers may use it to drop what comes twice. */
export function recordKey({ resultId, revision }: Pick<ResultRecord, 'resultId' | 'revision'>): string {
  return `${resultId}-${revision}`;
}

/** The last {@link SINK_BOUNDS}.knownRecords: what the outbox sends again is what it sent last. */
export class KnownRecords {
  private readonly keys = new Set<string>();

  has(key: string): boolean {
    return this.keys.has(key);
  }

  add(key: string): void {
    this.keys.delete(key);
    this.keys.add(key);
    if (this.keys.size > SINK_BOUNDS.knownRecords) {
      for (const oldest of this.keys) {
        this.keys.delete(oldest);
        return;
      }
    }
  }
}
