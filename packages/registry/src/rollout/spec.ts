// What an operator wants of a rollout -> a checked specification with every default filled in.
import { KerfError } from '@kerf/protocol';

/** Which devices. All of what is given must hold; nothing given: every device. */
export interface Selector {
  /** In at least one of these groups. */
  readonly groups: readonly string[];
  /** With all of these labels. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Who belongs to a stage. A device belongs to the first stage that lists it, else to the share that its hash falls into. */
export type StageMembers =
  | { readonly kind: 'devices'; readonly devices: readonly string[] }
  | { readonly kind: 'groups'; readonly groups: readonly string[] }
  /** Of the devices that no list names. */
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'rest' };

export interface Stage {
  readonly members: StageMembers;
  /** Share of the stage's devices that must run the release well before the next stage opens. */
  readonly successShare: number;
  /** For so long after that, so that a slow fault shows. */
  readonly soakMs: number;
  /** Waits for `resume` before the next stage opens. */
  readonly pauseAfter: boolean;
}

/** When a rollout stops by itself. */
export interface ErrorLimit {
  /** Failures of all stages together; null: any number. */
  readonly count: number | null;
  /** Failures among the devices of one stage that have ended; null: any share. */
  readonly share: number | null;
  /** `share` counts only when so many devices of the stage have ended. */
  readonly minimumEnded: number;
}

/** Times of the week at which the release may be offered. */
export interface OfferWindow {
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  /** 1 is Monday, 7 Sunday: the day on which the window opens. */
  readonly days: readonly number[];
  /** Minutes after midnight, local time; `to` below `from` ends on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface RolloutSpec {
  readonly target: Selector;
  readonly stages: readonly Stage[];
  readonly needsApproval: boolean;
  /** Milliseconds since 1970; null: as soon as it is approved. */
  readonly startAt: number | null;
  readonly window: OfferWindow | null;
  /** Devices that have been offered the release and have not reported yet. */
  readonly maxInFlight: number;
  /** A device that has not reported so long after the offer has failed. */
  readonly reportTimeoutMs: number;
  readonly errors: ErrorLimit;
  /** What happens to devices that have the release when the rollout stops by itself. */
  readonly onStop: 'hold' | 'roll-back';
  /** Devices that enrol after the rollout was created. */
  readonly lateDevices: 'join' | 'skip';
}

export const MAX_STAGES = 16;
export const MAX_LISTED_DEVICES = 1000;
const MINUTES_OF_DAY = 1440;

/** A stage as it is asked for. */
export type StageRequest = { readonly members: StageMembers } & Partial<Omit<Stage, 'members'>>;
/** A rollout as it is asked for. */
export type RolloutRequest = { readonly stages: readonly StageRequest[] } & {
  readonly target?: Partial<Selector>;
  readonly errors?: Partial<ErrorLimit>;
} & Partial<Omit<RolloutSpec, 'stages' | 'target' | 'errors'>>;

const HOUR_MS = 3600_000;
const STAGE_DEFAULTS = { successShare: 0.95, soakMs: 0, pauseAfter: false } as const;

/** @param request whose types have been checked. @throws {KerfError} INVALID_ARGUMENT for what contradicts itself. */
export function rolloutSpec(request: RolloutRequest): RolloutSpec {
  const spec: RolloutSpec = {
    target: { groups: request.target?.groups ?? [], labels: request.target?.labels ?? {} },
    stages: request.stages.map((stage) => ({ ...STAGE_DEFAULTS, ...stage })),
    needsApproval: request.needsApproval ?? true,
    startAt: request.startAt ?? null,
    window: request.window ?? null,
    maxInFlight: request.maxInFlight ?? 1000,
    reportTimeoutMs: request.reportTimeoutMs ?? 24 * HOUR_MS,
    errors: {
      count: request.errors?.count ?? null,
      share: request.errors?.share === undefined ? 0.05 : request.errors.share,
      minimumEnded: request.errors?.minimumEnded ?? 10,
    },
    onStop: request.onStop ?? 'hold',
    lateDevices: request.lateDevices ?? 'join',
  };
  checkStages(spec.stages);
  checkWindow(spec.window);
  return spec;
}

function checkStages(stages: readonly Stage[]): void {
  if (stages.length === 0 || stages.length > MAX_STAGES) throw invalid(`a rollout has 1 to ${MAX_STAGES} stages`);
  const restAt = stages.findIndex(({ members }) => members.kind === 'rest');
  if (restAt !== -1 && restAt !== stages.length - 1) throw invalid("only the last stage can be 'rest'");
  const shares = stages.flatMap(({ members }) => (members.kind === 'share' ? [members.share] : []));
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum > 1 + 1e-9) throw invalid(`the shares of the stages add up to ${sum}, more than 1`);
  if (restAt !== -1 && sum > 1 - 1e-9) throw invalid("the shares add up to 1: nothing is left for 'rest'");
}

function checkWindow(window: OfferWindow | null): void {
  if (window === null) return;
  if (window.days.length === 0 || window.fromMinute === window.toMinute) throw invalid('the window is never open');
  if (window.fromMinute >= MINUTES_OF_DAY || window.toMinute > MINUTES_OF_DAY) throw invalid('a day has 1440 minutes');
  try {
    Intl.DateTimeFormat('en', { timeZone: window.timeZone });
  } catch {
    throw invalid(`'${window.timeZone}' is no time zone; use a name such as Europe/Berlin`);
  }
}

function invalid(message: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', message);
}
