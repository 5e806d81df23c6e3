// The model that a station runs now, whichever that is -> one model that lasts as long as the station.
import type { RouteSwitch } from '../../placement/pilot.ts';
import type { SessionStatus } from '../../session/status.ts';
import type { MainModel } from '../../station/inferer.ts';
import type { OpenedModel } from './open-models.ts';

type Listener<T> = (value: T) => void;

export class ModelHolder implements OpenedModel {
  readonly main: MainModel;
  #current: OpenedModel;
  readonly #statuses = new Set<Listener<SessionStatus>>();
  readonly #switches = new Set<Listener<RouteSwitch>>();
  #ends: (() => void)[] = [];

  constructor(first: OpenedModel) {
    this.#current = first;
    const now = (): MainModel => this.#current.main;
    this.main = {
      inferer: {
        get inputs() {
          return now().inferer.inputs;
        },
        infer: (inputs, options) => now().inferer.infer(inputs, options),
      },
      get release() {
        return now().release;
      },
      isReady: () => now().isReady(),
      roundTripMs: () => now().roundTripMs(),
      link: () => now().link(),
    };
    this.#follow();
  }

  get thresholds(): OpenedModel['thresholds'] {
    return this.#current.thresholds;
  }

  get placement(): OpenedModel['placement'] {
    return this.#current.placement;
  }

  onStatus(listener: Listener<SessionStatus>): () => void {
    this.#statuses.add(listener);
    return () => this.#statuses.delete(listener);
  }

  onSwitch(listener: Listener<RouteSwitch>): () => void {
    this.#switches.add(listener);
    return () => this.#switches.delete(listener);
  }

  close(): Promise<void> {
    return this.#current.close();
  }

  /** Between two frames only. @returns the one before, for the caller to close */
  replace(next: OpenedModel): OpenedModel {
    for (const end of this.#ends) end();
    const before = this.#current;
    this.#current = next;
    this.#follow();
    return before;
  }

  #follow(): void {
    this.#ends = [
      this.#current.onStatus((status) => {
        for (const listener of this.#statuses) listener(status);
      }),
      this.#current.onSwitch((change) => {
        for (const listener of this.#switches) listener(change);
      }),
    ];
  }
}
