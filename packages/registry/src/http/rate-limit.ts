// Who asks and when -> whether it is too soon. Token buckets, of which only the ones in use are remembered.

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface RateOptions {
  readonly burst: number;
  readonly perSecond: number;
  readonly maxKeys: number;
  readonly nowMs: () => number;
}

export class RateLimit {
  readonly #options: RateOptions;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Takes one; returns after how many seconds there is another, 0 when there was one. */
  take(key: string): number {
    const bucket = this.#bucketOf(key);
    if (bucket.tokens < 1) return this.#waitOf(bucket);
    bucket.tokens -= 1;
    return 0;
  }

  /** As {@link take}, without taking. */
  peek(key: string): number {
    const bucket = this.#bucketOf(key);
    return bucket.tokens < 1 ? this.#waitOf(bucket) : 0;
  }

  #waitOf({ tokens }: Bucket): number {
    return Math.max(1, Math.ceil((1 - tokens) / this.#options.perSecond));
  }

  #bucketOf(key: string): Bucket {
    const { burst, perSecond, maxKeys, nowMs } = this.#options;
    const now = nowMs();
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: burst, atMs: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxKeys) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
