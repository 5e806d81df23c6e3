// What the page and its worker say to each other beside the bridge.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { Look, Painted } from './canvas-painter.ts';
import type { ShownPart } from './live-feed.ts';

export type ToWorker =
  /** First of all: where the station is (null where the page hands ports to it), and the page's end of the bridge. */
  | { readonly kind: 'start'; readonly page: string | null; readonly bridge: MessagePort }
  /** A port to the station; null when the one handed before is dead. */
  | { readonly kind: 'port'; readonly port: MessagePort | null }
  | { readonly kind: 'canvas'; readonly id: number; readonly canvas: OffscreenCanvas; readonly look: Look }
  | { readonly kind: 'look'; readonly id: number; readonly look: Look }
  | { readonly kind: 'still'; readonly id: number; readonly record: ResultRecord; readonly picture: PictureView }
  /** The canvas shows the live view from now on. */
  | { readonly kind: 'live'; readonly id: number }
  | { readonly kind: 'remove'; readonly id: number }
  /** Whether somebody can see the page. */
  | { readonly kind: 'visible'; readonly visible: boolean };

export type FromWorker =
  | { readonly kind: 'want-port' }
  | ({ readonly kind: 'painted'; readonly id: number } & Pick<Painted, 'ageMs' | 'isMarked' | 'holdsMs'>)
  | ({ readonly kind: 'shown' } & ShownPart);
