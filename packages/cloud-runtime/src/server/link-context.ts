// What all links share.
import type { VerifyToken } from '@kerf/access';
import type { Clock, WireLimits } from '@kerf/protocol';
import type { CloudLimits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { ModelPool } from '../models/model-pool.ts';
import type { ByteBudget } from '../session/byte-budget.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { CloudMetrics } from './metrics.ts';

export interface LinkContext {
  readonly agent: string;
  readonly verify: VerifyToken;
  readonly pool: ModelPool;
  readonly sessions: SessionStore;
  /** Bytes of all frames that wait or run, and of answers to probes. */
  readonly inFlight: ByteBudget;
  readonly limits: CloudLimits;
  readonly wire: WireLimits;
  readonly clock: Clock;
  /** Milliseconds since 1970, for the expiry of tokens. */
  readonly wallNowMs: () => number;
  readonly isDraining: () => boolean;
  readonly metrics: Pick<CloudMetrics, 'bytesIn' | 'bytesOut' | 'probeBytes' | 'faults'>;
  readonly log: Log;
}
