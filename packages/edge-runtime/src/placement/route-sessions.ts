// Routes -> an edge session each, opened when it is wanted, kept while it is used, closed after a while without frames.
import type { LoadedModel } from '@kerf/protocol';
import type { CloudTarget } from '../link/cloud-link.ts';
import { EdgeSession, type EdgeSessionConfig } from '../session/edge-session.ts';
import type { EdgeSessionOptions } from '../session/options.ts';
import type { SessionStatus } from '../session/status.ts';
import type { OpenedChain } from './chain-files.ts';
import { type CutCoding, splitModels, WholeChain } from './chain-parts.ts';
import { isRemote, type Route } from './routes.ts';

export interface RouteSessionsSetup {
  readonly routes: readonly Route[];
  /** With segments that tell their times. */
  readonly chain: OpenedChain;
  readonly cloud: CloudTarget | null;
  readonly small: LoadedModel | null;
  /** By the number of segments on the device. @default raw */
  readonly codings: ReadonlyMap<number, CutCoding>;
  readonly options: Partial<EdgeSessionOptions> & Pick<EdgeSessionOptions, 'clock'>;
  readonly idleCloseMs: number;
  onStatus(route: string, status: SessionStatus): void;
  onRoundTrip(ms: number): void;
}

interface Opened {
  readonly route: Route;
  readonly session: EdgeSession;
  framesUnderWay: number;
  lastUsedMs: number;
  /** By the last attempt that ended; the next one under way changes nothing. */
  isRefused: boolean;
}

export class RouteSessions {
  readonly #setup: RouteSessionsSetup;
  readonly #opened = new Map<string, Opened>();

  constructor(setup: RouteSessionsSetup) {
    this.#setup = setup;
  }

  /** Whether frames can be sent on the route now. */
  isReady(name: string): boolean {
    return this.#opened.get(name)?.session.snapshot.status.kind === 'connected';
  }

  /** The cloud refuses the route, and trying again does not help by itself. */
  isBroken(name: string): boolean {
    return this.#opened.get(name)?.isRefused === true;
  }

  get isCloudThere(): boolean {
    return this.#remote().some(({ session }) => session.snapshot.status.kind === 'connected');
  }

  /** A connected session that can carry a probe; null when there is none. */
  get connected(): EdgeSession | null {
    return this.#remote().find(({ session }) => session.snapshot.status.kind === 'connected')?.session ?? null;
  }

  /** Any session to the cloud, or null. */
  get watching(): EdgeSession | null {
    return this.connected ?? this.#remote()[0]?.session ?? null;
  }

  get all(): readonly EdgeSession[] {
    return [...this.#opened.values()].map(({ session }) => session);
  }

  /** Opens the route's session unless it is open. @throws {KerfError} PAIR_MISMATCH, INVALID_ARGUMENT. */
  async open(route: Route): Promise<void> {
    await this.#open(route);
  }

  /** Runs `task` with the route's session, which stays open meanwhile. */
  async use<T>(route: Route, task: (session: EdgeSession) => Promise<T>): Promise<T> {
    const opened = await this.#open(route);
    opened.framesUnderWay++;
    try {
      return await task(opened.session);
    } finally {
      opened.framesUnderWay--;
      opened.lastUsedMs = this.#setup.options.clock.nowMs();
    }
  }

  /** Closes sessions that no frame used for long; the last one to the cloud stays, since it watches the link. */
  closeIdle(keep: string | null): void {
    const nowMs = this.#setup.options.clock.nowMs();
    for (const [name, { route, session, framesUnderWay, lastUsedMs }] of this.#opened) {
      if (name === keep || framesUnderWay > 0 || nowMs - lastUsedMs < this.#setup.idleCloseMs) continue;
      if (!isRemote({ route }) || this.#remote().length < 2) continue;
      this.#opened.delete(name);
      session.close();
    }
  }

  close(): void {
    for (const { session } of this.#opened.values()) session.close();
    this.#opened.clear();
  }

  #remote(): Opened[] {
    return [...this.#opened.values()].filter(isRemote);
  }

  async #open(route: Route): Promise<Opened> {
    const known = this.#opened.get(route.name);
    if (known !== undefined) return known;
    const session = await EdgeSession.open(this.#config(route));
    // Somebody else may have opened it meanwhile.
    const other = this.#opened.get(route.name);
    if (other !== undefined) {
      session.close();
      return other;
    }
    const lastUsedMs = this.#setup.options.clock.nowMs();
    const opened: Opened = { route, session, framesUnderWay: 0, lastUsedMs, isRefused: false };
    this.#opened.set(route.name, opened);
    if (isRemote({ route })) {
      session.onStatus((status) => {
        if (status.kind !== 'connecting') opened.isRefused = status.kind === 'faulted';
        this.#setup.onStatus(route.name, status);
      });
      session.onRoundTrip((ms) => this.#setup.onRoundTrip(ms));
    }
    return opened;
  }

  #config(route: Route): EdgeSessionConfig {
    const { chain, cloud, small, codings, options } = this.#setup;
    const isWhole = chain.segments.length === chain.chain.segments.length;
    const whole = isWhole ? new WholeChain(chain.chain, chain.segments) : null;
    const nothing = { split: null, head: null, options };
    switch (route.kind) {
      case 'edge':
        return { ...nothing, local: whole === null ? null : { whole }, cloud: null };
      case 'small':
        return { ...nothing, local: small === null ? null : { whole: small }, cloud: null };
      case 'cloud':
        return { ...nothing, local: whole === null ? null : { whole }, pair: chain.pairs[0] ?? null, cloud };
      case 'split': {
        const coding = codings.get(route.at) ?? { codec: { kind: 'raw' } };
        const pair = chain.pairs[route.at] ?? '';
        return { ...splitModels(chain.chain, chain.segments, route.at, pair, coding), cloud, options };
      }
    }
  }
}
