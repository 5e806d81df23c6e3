// The link comes and goes -> whether the cloud is away, and for longer than a blink.
import type { LinkEnd } from '../link/link-connection.ts';
import type { EdgeSessionOptions } from './options.ts';

/** Why the cloud is away. */
export interface Away {
  readonly end: LinkEnd;
  /** It will not come back by itself. */
  readonly lasting: boolean;
}

export class AwayWatch {
  private readonly options: Pick<EdgeSessionOptions, 'awayGraceMs' | 'clock'>;
  private readonly onGraceOver: () => void;
  private away: Away | null = null;
  private isGraceOver = false;
  private cancelGrace: () => void = () => {};

  /** @param onGraceOver the cloud has been away for `awayGraceMs`. */
  constructor(options: Pick<EdgeSessionOptions, 'awayGraceMs' | 'clock'>, onGraceOver: () => void) {
    this.options = options;
    this.onGraceOver = onGraceOver;
  }

  /** Null while the cloud is there. */
  get end(): LinkEnd | null {
    return this.away?.end ?? null;
  }

  /** Null while the cloud is there, or may be back in a moment. */
  get beyondGrace(): Away | null {
    return this.away !== null && (this.away.lasting || this.isGraceOver) ? this.away : null;
  }

  went(away: Away): void {
    const isOther = this.away === null || this.away.lasting !== away.lasting;
    this.away = away;
    if (!isOther || this.isGraceOver) return;
    this.cancelGrace();
    this.cancelGrace = this.options.clock.after(this.options.awayGraceMs, () => {
      this.isGraceOver = true;
      this.onGraceOver();
    });
  }

  came(): void {
    this.away = null;
    this.isGraceOver = false;
    this.cancelGrace();
  }

  close(): void {
    this.cancelGrace();
  }
}
