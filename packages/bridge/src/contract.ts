// The Inspector's whole bridge: every call and topic with its types, the role that a call needs, and the shape of its
// parameters. Adapters carry it, a service answers it, screens use it; nothing else crosses.
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';
import * as v from 'valibot';
import type { CauseView } from './cause-view.ts';
import { CUT_CALLS, type CutCallResults, type CutTopics } from './cut-calls.ts';
import type { PreviewSize } from './live-pace.ts';
import { SAMPLES_CALLS, type SamplesResults, type SamplesTopics } from './samples-calls.ts';
import { SESSIONS_CALLS, type SessionsResults, type SessionsTopics } from './sessions-calls.ts';
import { UPDATES_CALLS, type UpdatesResults } from './updates-calls.ts';
import type { UpdatesView } from './updates-views.ts';
import type {
  ClockView,
  HealthView,
  Hello,
  LiveView,
  PictureView,
  Role,
  ScoreView,
  StationView,
  ThresholdsChange,
  ThresholdsPreview,
  ThresholdsView,
} from './views.ts';
import { WHY_CALLS, type WhyResults } from './why-calls.ts';

/** Counts incompatible changes. */
export const BRIDGE_VERSION = 1;

/** WebSocket subprotocol of a bridge. */
export const BRIDGE_SUBPROTOCOL = 'kerf-inspector.v1';

/** Most records of one answer. */
export const MAX_PAGE = 500;

const nothing = v.strictObject({});
const resultId = v.pipe(v.string(), v.minLength(1), v.maxLength(400));
const verdict = v.picklist(['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'] satisfies Verdict[]);
const thresholds = { passBelow: v.pipe(v.number(), v.finite()), ngAbove: v.pipe(v.number(), v.finite()) };
const line = v.pipe(v.string(), v.maxLength(400));

/** What a call takes, and who may make it. */
export const CALLS = {
  'session.hello': { role: 'viewer', params: v.strictObject({ bridge: v.literal(BRIDGE_VERSION) }) },
  'session.clock': { role: 'viewer', params: nothing },
  'station.view': { role: 'viewer', params: nothing },
  'station.pause': { role: 'operator', params: nothing },
  'station.resume': { role: 'operator', params: nothing },
  'results.list': {
    role: 'viewer',
    params: v.strictObject({
      /** Older than this one; null for the newest. */
      before: v.nullable(resultId),
      limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PAGE)),
      /** Only these; null for all. */
      verdicts: v.nullable(v.pipe(v.array(verdict), v.minLength(1), v.maxLength(5))),
    }),
  },
  'results.get': { role: 'viewer', params: v.strictObject({ resultId }) },
  'results.picture': { role: 'viewer', params: v.strictObject({ resultId }) },
  'thresholds.view': { role: 'viewer', params: nothing },
  'thresholds.scores': { role: 'viewer', params: nothing },
  'thresholds.preview': { role: 'viewer', params: v.strictObject(thresholds) },
  'thresholds.save': {
    role: 'engineer',
    /** `from` is the version that the change was made on: another one since then is a conflict. */
    params: v.strictObject({ ...thresholds, from: v.pipe(v.string(), v.maxLength(100)), note: line }),
  },
  'thresholds.history': { role: 'viewer', params: nothing },
  'health.view': { role: 'viewer', params: nothing },
  ...UPDATES_CALLS,
  ...SAMPLES_CALLS,
  ...CUT_CALLS,
  ...SESSIONS_CALLS,
  ...WHY_CALLS,
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export type CallName = keyof typeof CALLS;
/** Calls that need more than a viewer. */
export type ActingCall = { [N in CallName]: (typeof CALLS)[N]['role'] extends 'viewer' ? never : N }[CallName];
export type CallParams<N extends CallName> = v.InferOutput<(typeof CALLS)[N]['params']>;

export interface CallResults extends UpdatesResults, SamplesResults, CutCallResults, SessionsResults, WhyResults {
  'session.hello': Hello;
  'session.clock': ClockView;
  'station.view': StationView;
  'station.pause': null;
  'station.resume': null;
  'results.list': { readonly records: readonly ResultRecord[]; readonly hasMore: boolean };
  'results.get': ResultRecord | null;
  'results.picture': PictureView | null;
  'thresholds.view': ThresholdsView;
  'thresholds.scores': readonly ScoreView[];
  'thresholds.preview': ThresholdsPreview;
  'thresholds.save': ThresholdsView;
  'thresholds.history': readonly ThresholdsChange[];
  'health.view': HealthView;
}

/** What a service tells without being asked, once a reader has subscribed. */
export interface Topics extends SamplesTopics, CutTopics, SessionsTopics {
  /** Several times a second. */
  station: StationView;
  /** Every record, in order; final ones replace provisional ones of the same `resultId`. */
  result: ResultRecord;
  /** The newest part with its picture, at once and at each change; a slow reader gets fewer. */
  live: LiveView;
  thresholds: ThresholdsView;
  /** At each change, and several times a second while something is fetched. */
  updates: UpdatesView;
}

export type TopicName = keyof Topics;
export const TOPICS = [
  'station',
  'result',
  'live',
  'thresholds',
  'updates',
  'samples',
  'cut',
  'sessions',
] as const satisfies TopicName[];

/** The one thing that screens know of the world. */
export interface InspectorBridge {
  /** @throws {KerfError} the service's code; LINK_LOST while the station is away; FORBIDDEN without the role. */
  call<N extends CallName>(name: N, params: CallParams<N>): Promise<CallResults[N]>;
  /** The returned function ends it. Subscriptions outlive a lost link. */
  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void;
  /** Tells at once and at each change. */
  onState(listener: (state: BridgeState) => void): () => void;
  close(): void;
}

export type BridgeState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly hello: Hello }
  /** It tries again by itself after `retryInMs`; null when that makes no sense (a wrong token). */
  | {
      readonly kind: 'away';
      readonly code: string;
      /** Empty where nothing but the code is known. */
      readonly message: string;
      /** Where it is known as a kind. */
      readonly cause: CauseView | null;
      readonly retryInMs: number | null;
    };

/** What answers a bridge: the station, with the caller's role known. */
export interface InspectorService {
  call<N extends CallName>(name: N, params: CallParams<N>, caller: Caller): Promise<CallResults[N]>;
  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void;
  /** A smaller one for the live view of a reader whose link is thin. Without it readers get pictures as they are. */
  readonly preview?: MakePreview;
}

/** The picture's width and height stay those of the part that was taken. @throws {KerfError} IMAGE_INVALID. */
export type MakePreview = (picture: PictureView, size: PreviewSize) => Promise<PictureView>;

export interface Caller {
  readonly name: string;
  readonly role: Role;
}
