// A route as the controller sees it at one moment.
import type { Price } from './price.ts';
import type { Route } from './routes.ts';

export interface RouteView {
  readonly route: Route;
  /** Null while something that it depends on is unknown. */
  readonly price: Price | null;
  /** Frames can go there at once: its session is connected, or it needs none. */
  readonly isReady: boolean;
  /** The cloud refuses it: the model is not there, or another. */
  readonly isBroken: boolean;
}
