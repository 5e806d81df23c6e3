// Codes that a scanner types as a keyboard -> triggers with the part's id.
import { KerfError } from '@kerf/protocol';
import type { SourceSetup } from '../../capture/options.ts';
import { KeyCodes } from '../../capture/scanned-codes.ts';
import type { Trigger } from '../../capture/trigger.ts';

export interface KeyboardScannerOptions {
  /** People type slower than this. @default 50 */
  readonly maxPauseMs?: number;
  /** Shorter ones are somebody's typing. @default 3 */
  readonly minLength?: number;
}

/**
 * Listens on the page's keyboard; the Enter or Tab that ends a code is kept from the page, so that no button is pressed by it.
 * @param target where keys are heard, `window` say.
 */
export function keyboardScanner(
  target: EventTarget,
  setup: Pick<SourceSetup, 'name' | 'clock'>,
  { maxPauseMs = 50, minLength = 3 }: KeyboardScannerOptions = {},
): Trigger {
  const counters = { fired: 0, refused: 0, late: 0 };
  let listener: ((event: Event) => void) | null = null;
  return {
    name: setup.name,
    counters,
    start: async (fire) => {
      if (listener !== null) throw new KerfError('INVALID_ARGUMENT', `trigger '${setup.name}' was started before`);
      const codes = new KeyCodes({ clock: setup.clock, maxPauseMs, minLength }, (partId) => {
        try {
          fire({ partId, key: null, onResult: null });
          counters.fired++;
        } catch {
          counters.refused++;
        }
      });
      listener = (event) => {
        if (codes.press((event as KeyboardEvent).key)) event.preventDefault();
      };
      target.addEventListener('keydown', listener, { capture: true });
    },
    stop: async () => {
      if (listener !== null) target.removeEventListener('keydown', listener, { capture: true });
    },
  };
}
