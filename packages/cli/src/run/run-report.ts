// Outcomes of `kerf run` as they come -> a line each, what became of link and route, and a summary at the end.
import process from 'node:process';
import {
  type EdgeSession,
  type Outcome,
  type PlacedOutcome,
  PlacedSession,
  type RouteSwitch,
  refusalText,
  type SessionStatus,
} from '@kerf/edge-runtime';
import { describeTensor } from '@kerf/protocol';
import type { Io } from '../command.ts';
import { printable } from '../commands/cuts.ts';
import { table } from '../units.ts';

interface RouteTotals {
  readonly latenciesMs: number[];
  frames: number;
  trials: number;
}

export class RunReport {
  readonly #io: Io;
  readonly #json: boolean;
  readonly #startedMs = performance.now();
  readonly #latenciesMs: number[] = [];
  readonly #placements = new Map<string, number>();
  readonly #routes = new Map<string, RouteTotals>();
  #failed = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #nonFinite = 0;
  #switches = 0;
  #lastStatus = '';

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.#json = json;
  }

  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  /** Says on standard error what becomes of the link; of a row of failed attempts, the first. */
  status(status: SessionStatus): void {
    const text = describeStatus(status);
    if (text !== null && text !== this.#lastStatus) process.stderr.write(`kerf: ${text}\n`);
    if (text !== null || status.kind === 'connected') this.#lastStatus = text ?? '';
  }

  switched({ frame, from, to, cause, reason }: RouteSwitch): void {
    this.#switches++;
    if (this.#json) this.#io.print(JSON.stringify({ kind: 'route', frame, from, to, cause, reason }));
    else process.stderr.write(`kerf: route ${from} -> ${to}: ${reason}\n`);
  }

  /** @param path of the frame's input. */
  outcome(path: string, outcome: Outcome | PlacedOutcome): void {
    this.#count(outcome);
    this.#io.print(this.#json ? JSON.stringify(frameJson(path, outcome)) : frameText(path, outcome));
  }

  summary(codec: string | null, session: EdgeSession | PlacedSession): void {
    const frames = this.#latenciesMs.length + this.#failed;
    const summary = {
      kind: 'summary',
      frames,
      failed: this.#failed,
      placements: Object.fromEntries(this.#placements),
      p50Ms: quantile(this.#latenciesMs, 0.5),
      p99Ms: quantile(this.#latenciesMs, 0.99),
      framesPerSecond: (frames / (performance.now() - this.#startedMs)) * 1000,
      bytesUpPerFrame: this.#bytesUp / frames,
      bytesDownPerFrame: this.#bytesDown / frames,
      codec,
      nonFiniteValues: this.#nonFinite,
      chain: session instanceof PlacedSession ? this.#chain(session) : null,
    };
    if (this.#json) this.#io.print(JSON.stringify(summary));
    else for (const text of summaryText(summary)) this.#io.print(text);
  }

  #count(outcome: Outcome | PlacedOutcome): void {
    this.#bytesUp += outcome.bytesUp;
    this.#bytesDown += outcome.bytesDown;
    this.#nonFinite += outcome.nonFinite;
    const route = 'route' in outcome ? this.#route(outcome.route) : null;
    if (route !== null) {
      route.frames++;
      if ('isTrial' in outcome && outcome.isTrial) route.trials++;
    }
    if (outcome.kind === 'failed') {
      this.#failed++;
      return;
    }
    this.#latenciesMs.push(outcome.spans.totalMs);
    route?.latenciesMs.push(outcome.spans.totalMs);
    this.#placements.set(outcome.placement, (this.#placements.get(outcome.placement) ?? 0) + 1);
  }

  #route(name: string): RouteTotals {
    const known = this.#routes.get(name) ?? { latenciesMs: [], frames: 0, trials: 0 };
    this.#routes.set(name, known);
    return known;
  }

  #chain({ snapshot }: PlacedSession): ChainSummary {
    const { uplinkBitsPerSecond, roundTripMs, routes } = snapshot.estimates;
    return {
      switches: this.#switches,
      uplinkBitsPerSecond: uplinkBitsPerSecond?.value ?? null,
      roundTripMs: roundTripMs?.value ?? null,
      routes: routes.map(({ name, refusal, ms }) => {
        const { frames, trials, latenciesMs } = this.#route(name);
        const why = refusal === null ? null : refusalText(refusal);
        return { name, frames, trials, p50Ms: quantile(latenciesMs, 0.5), expectedMs: ms, refusal: why };
      }),
    };
  }
}

interface ChainSummary {
  readonly switches: number;
  readonly uplinkBitsPerSecond: number | null;
  readonly roundTripMs: number | null;
  readonly routes: readonly {
    readonly name: string;
    readonly frames: number;
    readonly trials: number;
    readonly p50Ms: number | null;
    readonly expectedMs: number | null;
    readonly refusal: string | null;
  }[];
}

interface Summary {
  readonly frames: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly framesPerSecond: number;
  readonly bytesUpPerFrame: number;
  readonly bytesDownPerFrame: number;
  readonly codec: string | null;
  readonly nonFiniteValues: number;
  readonly chain: ChainSummary | null;
}

function frameJson(path: string, outcome: Outcome | PlacedOutcome): object {
  const { frame, kind, spans, bytesUp, bytesDown, nonFinite } = outcome;
  const route =
    'route' in outcome ? { route: outcome.route, isTrial: outcome.isTrial } : { route: null, isTrial: false };
  const base = { frame, input: path, kind, spans, bytesUp, bytesDown, nonFinite, ...route };
  if (outcome.kind === 'failed') return { ...base, code: outcome.code, message: outcome.message };
  const { placement, fallbackReason } = outcome;
  const outputs = [...outcome.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return { ...base, placement, fallbackReason, outputs };
}

function frameText(path: string, outcome: Outcome | PlacedOutcome): string {
  const start = `${String(outcome.frame).padStart(6)} ${`${outcome.spans.totalMs.toFixed(1)} ms`.padStart(10)}`;
  if (outcome.kind === 'failed') return `${start}  FAILED ${outcome.code}: ${outcome.message}  ${path}`;
  const why = outcome.fallbackReason === null ? '' : ` (${outcome.fallbackReason})`;
  const route = 'route' in outcome ? ` ${outcome.route}${outcome.isTrial ? ' (trial)' : ''}` : '';
  const outputs = [...outcome.outputs].map(([name, tensor]) => `${printable(name)} ${describeTensor(tensor)}`);
  return `${start}  ${outcome.placement}${route}${why}  ${outputs.join(', ')}  ${path}`;
}

function summaryText(summary: Summary): string[] {
  const { frames, failed, p50Ms, p99Ms, framesPerSecond, bytesUpPerFrame, bytesDownPerFrame, codec, chain } = summary;
  const count = `${frames} ${frames === 1 ? 'frame' : 'frames'}, ${failed} failed`;
  const times = `p50 ${milliseconds(p50Ms)}, p99 ${milliseconds(p99Ms)}; ${framesPerSecond.toFixed(1)} frames/s`;
  const bytes = `${Math.round(bytesUpPerFrame)} bytes up and ${Math.round(bytesDownPerFrame)} down a frame`;
  const lines = [`${count}; ${times}; ${bytes}`];
  if (codec !== null) lines.push(`sent as ${codec}`);
  if (summary.nonFiniteValues > 0) {
    lines.push(
      `${summary.nonFiniteValues} values that were sent are NaN or infinite: these activations went without loss. Check the inputs.`,
    );
  }
  return chain === null ? lines : [...lines, ...chainLines(chain)];
}

function chainLines({ switches, uplinkBitsPerSecond, roundTripMs, routes }: ChainSummary): string[] {
  const rate = uplinkBitsPerSecond === null ? '?' : (uplinkBitsPerSecond / 1e6).toPrecision(3);
  const link = `the link: ${rate} Mbit/s up, round trip ${milliseconds(roundTripMs)}`;
  const rows = routes.map(({ name, frames, trials, p50Ms, expectedMs, refusal }) => [
    name,
    String(frames),
    String(trials),
    milliseconds(p50Ms),
    refusal ?? milliseconds(expectedMs),
  ]);
  return [
    `${switches} ${switches === 1 ? 'switch' : 'switches'} of the route; ${link}`,
    ...table([['route', 'frames', 'of them trials', 'p50', 'expected now'], ...rows], [1, 2, 3, 4]),
  ];
}

function milliseconds(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(1)} ms`;
}

function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}

function describeStatus(status: SessionStatus): string | null {
  switch (status.kind) {
    case 'reconnecting':
      return `${status.code}: ${status.message}; trying again`;
    case 'faulted':
      return `${status.code}: ${status.message}`;
    case 'draining':
      return `the cloud goes away: ${status.reason}`;
    case 'connected':
    case 'connecting':
    case 'local':
    case 'closed':
      return null;
  }
}
