// The seam to whatever runs a station's model: a session, or routes that a controller chooses among.
import type { TensorSpec } from '@kerf/protocol';
import type { InferOptions } from '../session/edge-session.ts';
import type { FrameInputs } from '../session/inputs.ts';
import type { Outcome } from '../session/outcome.ts';
import type { SessionStatus } from '../session/status.ts';

export interface Inferer {
  /** What `infer` takes; null while only the cloud could know and has not said. */
  readonly inputs: readonly TensorSpec[] | null;
  /** Runs a frame; exactly one outcome, at its deadline at the latest. `route` names the way it went, where there are several. */
  infer(inputs: FrameInputs, options?: InferOptions): Promise<Outcome & { readonly route?: string }>;
}

/** The model that is to judge parts, and what is known of its way to the cloud. */
export interface MainModel {
  readonly inferer: Inferer;
  /** Hex SHA-256 of the model's file, or the release's name. */
  readonly release: string;
  /** True while a frame without an answer is worth running again. */
  isReady(): boolean;
  /** Of the link; null where there is none or nothing was measured. */
  roundTripMs(): number | null;
  /** Null where there is no cloud. */
  link(): SessionStatus | null;
}

/** What is known of a session's status, as both kinds of session tell it. */
interface Linked extends Inferer {
  readonly snapshot: { readonly status: SessionStatus; readonly roundTripMs: number | null };
}

/** A session as the model of a station. */
export function mainModel(
  session: Linked,
  {
    release,
    hasCloud,
    canRunHere,
  }: {
    readonly release: string;
    readonly hasCloud: boolean;
    /** The device holds all of the model. */
    readonly canRunHere: boolean;
  },
): MainModel {
  return {
    inferer: session,
    release,
    isReady: () => canRunHere || session.snapshot.status.kind === 'connected',
    roundTripMs: () => session.snapshot.roundTripMs,
    link: () => (hasCloud ? session.snapshot.status : null),
  };
}
