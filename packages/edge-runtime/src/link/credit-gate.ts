// Credits granted and given back -> may one more frame be sent on this connection?

/** Counts frames in flight on one connection. An answer gives credits back once, for a frame that was in flight. */
export class CreditGate {
  private available: number;
  private readonly inFlight: Set<number>;

  /** `known` are frames that the cloud still has from an earlier connection: they hold credits already. */
  constructor(credits: number, known: Iterable<number>) {
    this.inFlight = new Set(known);
    this.available = credits - this.inFlight.size;
  }

  get open(): boolean {
    return this.available > 0;
  }

  get idle(): boolean {
    return this.inFlight.size === 0;
  }

  get inFlightCount(): number {
    return this.inFlight.size;
  }

  has(frame: number): boolean {
    return this.inFlight.has(frame);
  }

  take(frame: number): void {
    this.available--;
    this.inFlight.add(frame);
  }

  /** A second answer for the same frame gives nothing back. */
  answered(frame: number, credits: number): void {
    if (this.inFlight.delete(frame)) this.available += credits;
  }

  grant(credits: number): void {
    this.available += credits;
  }
}
