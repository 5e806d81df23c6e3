// A device with a whole station: source, line, placed session over a chain, small model, reconciler and outbox, all real.
import { EdgeSession, type Outbox, PLAIN_PICTURES, PlacedSession, Station } from '@kerf/edge-runtime';
import type { Source, SourceHandler } from '../../packages/edge-runtime/src/capture/source.ts';
import { mainModel } from '../../packages/edge-runtime/src/station/inferer.ts';
import { makeJudge } from '../../packages/edge-runtime/src/station/judge/judge.ts';
import { STAGES } from '../../packages/edge-runtime/src/station/options.ts';
import { READABLE } from '../../packages/edge-runtime/src/station/picture-check.ts';
import { picturesWith } from '../../packages/edge-runtime/src/station/pictures-with.ts';
import type { Reading } from '../../packages/edge-runtime/src/station/reading.ts';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import {
  CHAIN_MODEL,
  openSimChain,
  partScore,
  pixelsOf,
  SEGMENTS,
  SIDE,
  SimSmallModel,
  THRESHOLDS,
} from './sim-chain.ts';
import { keyOf, type Life, SESSION_LIMITS, SESSION_TIMES, SimDevice } from './sim-device.ts';

/** Hashing leaves the simulated time, so that it is done before. */
const judge = await makeJudge({ kind: 'anomaly', score: null, mask: null }, THRESHOLDS);

const READING: Reading = {
  pictures: picturesWith({
    decode: (picture) =>
      picture.kind === 'pixels' ? Promise.resolve(picture.image) : Promise.reject(new Error('it was kept as pixels')),
    resize: (image) => Promise.resolve(image),
    encode: (image) => Promise.resolve(image.data),
    sha256: () => Promise.resolve('0'.repeat(64)),
  }),
  picture: { ...PLAIN_PICTURES, crop: null },
  readable: READABLE.read({}, ''),
  partId: { pattern: null, required: false },
  send: null,
};

/** A line is faster than the small program around a session. */
const HASTE = 12;
/** Longer than any run. */
const RECONCILE_FOR_MS = 3_600_000;
/** An update needs a moment. */
const UPDATE_MS = 100;
const COUNTERS = {
  seen: 0,
  captured: 0,
  dropped: 0,
  late: 0,
  repeated: 0,
  unreadable: 0,
  skipped: 0,
  missed: 0,
  recoveries: 0,
};

/** What the cloud says of a frame that more than one worker died under. */
const POISONED = 'this frame stopped the runtime before';

export class StationDevice extends SimDevice {
  #session: PlacedSession | null = null;
  #lives = 0;

  get unfinishedFrames(): number {
    return this.isAlive ? (this.#session?.snapshot.unfinishedFrames ?? 0) : 0;
  }

  partOf({ resultId }: ResultRecord): number {
    return Number(resultId.split('/').at(-1));
  }

  resultIdOf(part: number): string {
    return `sim-${this.setup.number}/cam/${part}`;
  }

  /** No verdict without its score, no score but the part's own, and times that add up. */
  judge(record: ResultRecord): string | null {
    const { score, verdict, isPartial, reason, placement, spans, totalMs, revision } = record;
    const part = this.partOf(record);
    const wanted = partScore(this.setup.number, part);
    if (placement !== 'small' && score !== null && Math.abs(score - wanted) > 1e-6) {
      return `${keyOf(record)} has the score ${score} of another picture or pair; its own is ${wanted}`;
    }
    if (score === null && reason === null) return `${keyOf(record)} has neither a score nor a reason`;
    if (verdict === 'PASS' && (score === null || isPartial)) return `${keyOf(record)} passes without a result`;
    // Two workers died under it: it is tried neither in the cloud nor here, where it might stop the line.
    const isPoison = reason?.code === 'BACKEND_FAILED' && reason.message.startsWith(POISONED);
    if ((verdict === 'ERROR' && !isPoison) || verdict === 'NO_READ')
      return `${keyOf(record)} is ${verdict}: ${reason?.message}`;
    if (reason?.code === 'INTERNAL') return `${keyOf(record)}: INTERNAL: ${reason.message}`;
    if (score !== null && placement !== 'small' && verdict !== (part % 3 === 0 ? 'NG' : 'PASS')) {
      return `${keyOf(record)} is ${verdict} with the score ${score}`;
    }
    const sum = spans.reduce((total, { durationMs }) => total + durationMs, 0);
    if (revision === 0 && Math.abs(sum - totalMs) > 1e-6)
      return `the spans of ${keyOf(record)} make ${sum} of ${totalMs}`;
    if (revision === 0 && totalMs > this.setup.deadlineMs + 0.001) {
      return `${keyOf(record)} took ${totalMs} ms of ${this.setup.deadlineMs}`;
    }
    return null;
  }

  protected async program(life: Life, outbox: Outbox): Promise<void> {
    const { clock, version } = life;
    const { world, setup } = this;
    // Slow enough for the cloud to gain something, or not.
    const slowestMs = world.chance(0.5) ? 8 : 60;
    const runMs = (): number => world.between(0.5, slowestMs);
    const session = await this.#openSession(life, runMs);
    this.#session = session;
    const model = { release: `release-${version}`, hasCloud: true, canRunHere: setup.hasTail };
    const small = await EdgeSession.open({
      split: null,
      head: null,
      local: { whole: new SimSmallModel(clock) },
      cloud: null,
      options: { clock, random: world.random },
    });
    const station = new Station({
      station: `sim-${setup.number}`,
      run: String(this.#lives++),
      source: this.#source(life),
      trigger: null,
      reading: READING,
      main: mainModel(session, model),
      small: setup.number === 0 ? { inferer: small, cascade: null } : null,
      judges: { main: judge, small: judge },
      store: outbox,
      isStoreLasting: true,
      stages: STAGES.read(world.chance(0.5) ? {} : { infer: { workers: 6 } }, ''),
      deadlineMs: setup.deadlineMs,
      reconcileForMs: RECONCILE_FOR_MS,
      clock,
      random: world.random,
      wallNow: () => world.wallMs(),
    });
    station.onEvent((event) => {
      if (clock.isDead) return;
      if (event.kind === 'fault') world.violate(`device ${setup.number}: ${event.code}: ${event.message}`);
      if (event.kind !== 'record') return;
      world.note(`stored ${keyOf(event.record)} ${event.record.verdict} by ${event.record.route}`);
      this.stored.add(keyOf(event.record));
    });
    void this.#choose(life, session);
    await station.start();
    await station.ended;
  }

  /** A person who cannot leave it alone: pins routes, and lets go again. */
  async #choose({ clock }: Life, session: PlacedSession): Promise<void> {
    const { world } = this;
    const allowed = session.routes.filter(({ refusal }) => refusal === null).map(({ name }) => name);
    for (;;) {
      await clock.sleep(world.between(50, 800));
      session.pin(world.chance(0.5) ? null : world.pick(allowed));
    }
  }

  /** Parts that have no safe record yet, one after the other, as fast as the station takes them. */
  #source({ clock }: Life): Source {
    const { world, setup, captured } = this;
    const feed = async (handler: SourceHandler): Promise<void> => {
      handler.onState({ kind: 'running' });
      for (let part = 0; part < setup.parts; part++) {
        if (captured[part] === true) continue;
        await handler.onCapture({
          source: 'cam',
          sequence: part,
          key: String(part),
          takenAt: world.wallMs(),
          partId: `P-${part}`,
          picture: { kind: 'pixels', image: { width: SIDE, height: SIDE, data: pixelsOf(setup.number, part) } },
          fault: null,
          isRepeat: false,
          isSimulated: true,
          onResult: () => {
            captured[part] = true;
          },
        });
        await clock.sleep((setup.periodMs / HASTE) * world.between(0.5, 1.5));
      }
    };
    return {
      name: 'cam',
      counters: COUNTERS,
      start: (handler) => {
        void feed(handler);
        return Promise.resolve();
      },
      trigger: () => {},
      stop: () => Promise.resolve(),
    };
  }

  async #openSession(life: Life, runMs: () => number): Promise<PlacedSession> {
    const { clock, version } = life;
    const { world, setup } = this;
    const session = await PlacedSession.open({
      chain: openSimChain(version, setup.hasTail ? SEGMENTS : SEGMENTS - 1, clock, runMs),
      cloud: { model: CHAIN_MODEL, connect: (signal) => this.connect(life, signal), token: () => world.issueToken() },
      // Short, as the run is: what takes minutes at a line has to befall it here too.
      placement: { dwellMs: 50, holdBaseMs: 60, holdMaxMs: 1000, trialAgeMs: 400, trialShare: 0.2, idleCloseMs: 500 },
      options: { clock, random: world.random, ...SESSION_LIMITS, ...SESSION_TIMES, deadlineMs: setup.deadlineMs },
    });
    session.onSwitch(({ from, to, cause }) => {
      if (clock.isDead) return;
      world.switches++;
      world.note(`device ${setup.number} goes ${from} -> ${to}: ${cause}`);
    });
    session.onStatus((status) => {
      if (clock.isDead) return;
      world.note(`link ${setup.number} ${status.kind}`);
      // What an update does: the station starts again with the model that the cloud serves.
      if (status.kind !== 'faulted' || status.code !== 'PAIR_MISMATCH') return;
      clock.after(UPDATE_MS, () => this.#restart());
    });
    return session;
  }

  #restart(): void {
    this.stop('kill');
    this.start();
  }
}
