// Parts of the line, the release on probation and the one before -> the same parts through both, until the health gate has decided.
import { HealthGate, type HealthVerdict, type ShadowAnswer } from '@kerf/delta-sync';
import type { DeliveredPicture, Station } from '@kerf/edge-runtime';
import type { PartAnswer, PartJudge, StationFile } from '@kerf/edge-runtime/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { encodePng } from '../picture.ts';
import { openTrialJudge } from './trial/trial-judge.ts';

export interface ShadowSetup {
  /** The station file with the release before, and with the one on probation. */
  readonly before: StationFile;
  readonly fresh: StationFile;
  /** One part of so many. */
  readonly every: number;
  /** Parts before it can be kept. */
  readonly frames: number;
  /** Once: `keep` or `rollBack`. */
  readonly onVerdict: (verdict: HealthVerdict) => void;
  readonly onFault: (error: KerfError) => void;
}

/** Both run on this device, in processes of their own: the line does not wait for them, and what they take is compared like with like. */
export class ShadowRun {
  readonly #setup: ShadowSetup;
  readonly #gate: HealthGate;
  readonly #judges: Promise<{ before: PartJudge; fresh: PartJudge }>;
  #seen = 0;
  #compared = 0;
  #work: Promise<void> | null = null;
  #isOver = false;

  constructor(setup: ShadowSetup) {
    this.#setup = setup;
    this.#gate = new HealthGate({ minFrames: setup.frames });
    this.#judges = openBoth(setup);
    this.#judges.catch((error: unknown) => this.#fail(error));
  }

  /** A part that the line has judged. It is passed over while another one is compared. */
  offer(picture: DeliveredPicture): void {
    if (this.#isOver || this.#seen++ % this.#setup.every !== 0 || this.#work !== null) return;
    this.#work = this.#compare(picture)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#work = null;
      });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#work;
    const judges = await this.#judges.catch(() => null);
    await judges?.before.close();
    await judges?.fresh.close();
  }

  async #compare({ original }: DeliveredPicture): Promise<void> {
    const { before, fresh } = await this.#judges;
    const picture = original.kind === 'encoded' ? original.bytes : await encodePng(original.image);
    // In turn, so that neither always finds the picture in the processor's cache.
    const isFirst = this.#compared++ % 2 === 0;
    const early = isFirst ? null : await fresh.judge(picture);
    const old = await before.judge(picture);
    this.#gate.add(answerOf(old), answerOf(early ?? (await fresh.judge(picture))));
    const verdict = this.#gate.judge();
    if (verdict.decision === 'wait' || this.#isOver) return;
    this.#isOver = true;
    this.#setup.onVerdict(verdict);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#setup.onFault(
      KerfError.from(error, 'INTERNAL', `releases cannot be compared on this device: ${messageOf(error)}`),
    );
  }
}

async function openBoth({
  before,
  fresh,
}: Pick<ShadowSetup, 'before' | 'fresh'>): Promise<{ before: PartJudge; fresh: PartJudge }> {
  const old = await openTrialJudge(before);
  try {
    return { before: old, fresh: await openTrialJudge(fresh) };
  } catch (error) {
    await old.close();
    throw error;
  }
}

function answerOf({ verdict, tookMs }: PartAnswer): ShadowAnswer {
  return { verdict, latencyMs: tookMs };
}

/** Pictures of parts at their first record. @returns what ends it */
export function picturesOf(station: Station, listener: (picture: DeliveredPicture) => void): () => void {
  return station.onEvent((event) => {
    if (event.kind === 'record' && event.picture !== null) listener(event.picture);
  });
}
