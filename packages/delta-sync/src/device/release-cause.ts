// Why a release was left, refused, kept or switched to where no person said why: its kind and values, for screens in their user's
// language, and English.
import type { ErrorCode } from '@kerf/protocol';
import { type GateCause, gateReason } from './gate-cause.ts';

export type ReleaseCause =
  | GateCause
  /** Starts on probation, all that it gets. */
  | { readonly kind: 'never-proved'; readonly starts: number }
  /** `times`: how often the difference is what is allowed; `sample` counts from 0. */
  | {
      readonly kind: 'golden-differs';
      readonly backend: string;
      readonly madeBy: string;
      readonly times: number;
      readonly sample: number;
      readonly output: string;
    }
  /** Another shape, another type, or no number where there was one. */
  | {
      readonly kind: 'golden-incomparable';
      readonly backend: string;
      readonly madeBy: string;
      readonly sample: number;
      readonly output: string;
    }
  /** `ending`: what the process that ran them did, in English. */
  | { readonly kind: 'golden-crashed'; readonly ending: string }
  | { readonly kind: 'golden-no-runtime' }
  /** The station could not load it. */
  | { readonly kind: 'cannot-run'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'trial-load-crashed'; readonly ending: string }
  | { readonly kind: 'trial-part-crashed'; readonly ending: string; readonly part: string }
  | { readonly kind: 'window-opened' }
  | { readonly kind: 'by-hand' };

/** What a person wrote, or what was found. */
export type ReleaseWhy = string | ReleaseCause;

export function releaseReason(why: ReleaseWhy): string {
  if (typeof why === 'string') return why;
  switch (why.kind) {
    case 'never-proved':
      return `it was started ${why.starts} times and never proved itself`;
    case 'golden-differs':
      return `on ${why.backend} this release differs from what ${why.madeBy} gave by ${why.times.toPrecision(3)} times what it allows (${placeText(why)}): it is not used on this device`;
    case 'golden-incomparable':
      return `on ${why.backend} this release gives no numbers, or another shape or type, where ${why.madeBy} gave some (${placeText(why)}): it is not used on this device`;
    case 'golden-crashed':
      return `golden samples: ${why.ending}: it is not used on this device`;
    case 'golden-no-runtime':
      return 'this device has no runtime to run golden samples with';
    case 'cannot-run':
      return `it cannot be run here: ${why.message}`;
    case 'trial-load-crashed':
      return `the trial on known parts: ${why.ending}, while its model was loaded`;
    case 'trial-part-crashed':
      return `the trial on known parts: ${why.ending}, on '${why.part}'`;
    case 'window-opened':
      return 'the maintenance window has opened';
    case 'by-hand':
      return 'rolled back by hand';
    case 'gate-answers':
    case 'gate-moved':
    case 'gate-escaped':
    case 'gate-slower':
    case 'gate-unclear':
    case 'gate-healthy':
      return `the health gate: ${gateReason(why)}`;
  }
}

/** As it is kept with a state, a history and an event: none for what a person wrote. */
export function causeOf(why: ReleaseWhy): { readonly cause?: ReleaseCause } {
  return typeof why === 'string' ? {} : { cause: why };
}

/** Of a golden sample, and which of its outputs. */
export function placeText({ sample, output }: { readonly sample: number; readonly output: string }): string {
  return `sample ${sample}, output '${output}'`;
}
