// What the parts of a simulation share: one clock, one source of chance, the trace, and what outlives every process.
import type { VerifyToken } from '@kerf/access';
import { KerfError, type Random, seededRandom } from '@kerf/protocol';
import { FaultCounts } from './fault-counts.ts';
import type { Plants } from './plants.ts';
import { Trace } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

/** 2026-01-01, by the devices' clocks, at the start. */
const WALL_START_MS = 1_767_225_600_000;

export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly trace: Trace;
  readonly faults = new FaultCounts();
  readonly violations: string[] = [];
  readonly plants: Plants;
  /** Versions of the model that the cloud serves. */
  releases: readonly number[] = [1];
  tokenLifeMs = 20_000;
  /** Of routes, by stations. */
  switches = 0;
  #cloudJumpMs = 0;

  constructor(seed: number, plants: Plants, keepsTrace: boolean) {
    this.random = seededRandom(seed);
    this.plants = plants;
    this.trace = new Trace(keepsTrace);
  }

  note(line: string): void {
    this.trace.note(this.clock.nowMs(), line);
  }

  violate(what: string): void {
    this.note(`VIOLATION ${what}`);
    if (this.violations.length < 20) this.violations.push(`at ${this.clock.nowMs().toFixed(1)} ms: ${what}`);
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  pairOf(version: number): string {
    return String(version).repeat(64);
  }

  wallMs(): number {
    return WALL_START_MS + this.clock.nowMs();
  }

  cloudWallMs(): number {
    return this.wallMs() + this.#cloudJumpMs;
  }

  jumpCloudClock(byMs: number): void {
    this.#cloudJumpMs += byMs;
  }

  /** The issuer's clock is the cloud's. */
  issueToken(): string {
    return String(this.cloudWallMs() + this.tokenLifeMs);
  }

  readonly verify: VerifyToken = async (token) => {
    const expiresAtMs = Number(token);
    if (!(expiresAtMs > this.cloudWallMs())) throw new KerfError('TOKEN_EXPIRED', 'the token has expired');
    return { subject: 'device', models: ['*'], registry: [], cloud: [], tokenId: null, expiresAtMs };
  };
}
