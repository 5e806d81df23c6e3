// What the registry itself paused or stopped a rollout for: its kind and values, for screens in their user's language, and English.

/** Counts are of devices; stages count from 1. */
export type RolloutCause =
  | { readonly kind: 'after-stage'; readonly stage: number }
  | { readonly kind: 'failed-count'; readonly failed: number; readonly allowed: number }
  | {
      readonly kind: 'failed-share';
      readonly failed: number;
      readonly ended: number;
      readonly stage: number;
      /** 0 to 1. */
      readonly allowedShare: number;
    };

export function rolloutReason(cause: RolloutCause): string {
  switch (cause.kind) {
    case 'after-stage':
      return `after stage ${cause.stage}`;
    case 'failed-count':
      return `${cause.failed} ${cause.failed === 1 ? 'device' : 'devices'} failed, more than ${cause.allowed}`;
    case 'failed-share': {
      const { failed, ended, stage, allowedShare } = cause;
      return `${failed} of ${ended} devices of stage ${stage} failed, more than ${allowedShare * 100} %`;
    }
  }
}
