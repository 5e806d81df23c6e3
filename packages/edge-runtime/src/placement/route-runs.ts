// A frame and the route that it takes -> its outcome there; the pilot is told what it took.
import type { Clock } from '@kerf/protocol';
import type { InferOptions } from '../session/edge-session.ts';
import { type FrameInputs, isImage, tensorsOf } from '../session/inputs.ts';
import type { Outcome } from '../session/outcome.ts';
import type { Assignment, Pilot } from './pilot.ts';
import type { RouteSessions } from './route-sessions.ts';
import { isRemote, type Route } from './routes.ts';

export class RouteRuns {
  readonly #pilot: Pilot;
  readonly #sessions: RouteSessions;
  readonly #clock: Clock;
  /** Counts what happened to links, so that frames know whether one was lost meanwhile. */
  #disturbances = 0;

  constructor(pilot: Pilot, sessions: RouteSessions, clock: Clock) {
    this.#pilot = pilot;
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /** A link was lost or made again: times of the frames under way say nothing of it. */
  disturb(): void {
    this.#disturbances++;
  }

  async run(
    route: Route,
    { isTrial, patienceMs }: Pick<Assignment, 'isTrial' | 'patienceMs'>,
    inputs: FrameInputs,
    options: InferOptions,
  ): Promise<Outcome> {
    const startMs = this.#clock.nowMs();
    const before = this.#disturbances;
    const crosses = isRemote({ route });
    const free = crosses ? this.#pilot.occupy(startMs) : null;
    const { name } = route;
    let wasLate = false;
    const onLate = (): void => {
      wasLate = crosses;
      if (crosses) this.#pilot.onLate({ route: name, isTrial });
    };
    try {
      // Sessions number their frames themselves.
      const { frame: _, ...given } = options;
      const rest = { ...given, onLate, ...(patienceMs === null ? {} : { patienceMs }) };
      const outcome = await this.#sessions.use(route, async (session) =>
        session.infer(await inputsFor(route, inputs), rest),
      );
      const failure = outcome.kind === 'failed' ? outcome.code : outcome.fallbackReason;
      const { spans, bytesUp, bytesDown } = outcome;
      const account = { route: name, isTrial, startMs, spans, bytesUp, bytesDown, wasLate };
      this.#pilot.onOutcome({ ...account, failure, isDisturbed: before !== this.#disturbances }, this.#clock.nowMs());
      return outcome;
    } finally {
      free?.(this.#clock.nowMs());
    }
  }
}

/** A head needs pixels; a cloud takes the picture as it is. */
async function inputsFor(route: Route, inputs: FrameInputs): Promise<FrameInputs> {
  const isEncoded = [...inputs.values()].some(isImage);
  return route.kind === 'split' && isEncoded ? tensorsOf(inputs) : inputs;
}
