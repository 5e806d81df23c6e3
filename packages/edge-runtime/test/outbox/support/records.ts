// Records, and sinks that remember what reached them.
import { KerfError } from '@kerf/protocol';
import type { Delivery, Sink } from '../../../src/sinks/sink.ts';
import type { ResultRecord, Verdict } from '../../../src/station/result-record.ts';

export function recordOf(id: string, given: Partial<ResultRecord> = {}): ResultRecord {
  return {
    format: 'kerf-result/1',
    resultId: id,
    revision: 0,
    station: 'test',
    frame: 0,
    partId: null,
    source: 'test',
    verdict: 'PASS',
    reason: null,
    isPartial: false,
    isSimulated: true,
    takenTime: '2026-11-26T10:00:00.000Z',
    creationTime: '2026-01-01T00:00:00.000Z',
    release: 'r1',
    thresholdsVersion: 't1',
    placement: 'edge',
    route: 'edge',
    fallbackReason: null,
    score: 0.5,
    scores: {},
    boxes: [],
    mask: null,
    imageSha256: null,
    spans: [],
    totalMs: 1,
    bytesUp: 0,
    bytesDown: 0,
    traceId: null,
    ...given,
  };
}

export const verdictRecord = (id: string, verdict: Verdict): ResultRecord => recordOf(id, { verdict });

export const textOf = ({ resultId, revision }: ResultRecord): string => `${resultId}#${revision}`;

/** A sink that does what it is told, and counts what it got twice as one, as sinks must. */
export class TestSink implements Sink {
  readonly name: string;
  /** Every delivery that was made, again ones as well. */
  readonly calls: string[] = [];
  /** What is committed, once each, in the order of its first coming. */
  readonly committed: string[] = [];
  readonly deliveries: Delivery[] = [];
  mode: 'take' | 'refuse' | 'hang' | 'commit-then-fail' = 'take';
  refusal = new KerfError('LINK_LOST', 'the test refuses');

  constructor(name = 'sink') {
    this.name = name;
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const text = textOf(delivery.record);
    this.calls.push(text);
    if (this.mode === 'hang')
      await new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(this.refusal)));
    if (this.mode === 'refuse') throw this.refusal;
    if (!this.committed.includes(text)) {
      this.committed.push(text);
      this.deliveries.push(delivery);
    }
    if (this.mode === 'commit-then-fail') throw this.refusal;
  }

  async close(): Promise<void> {}
}

/** One that keeps pictures: what it got for each record, in bytes; null for one that was gone, 'none' where there is none. */
export class PictureSink extends TestSink {
  readonly sizes: Record<string, number | null | 'none'> = {};

  constructor() {
    super('images');
  }

  override async deliver(delivery: Delivery, signal: AbortSignal): Promise<void> {
    await super.deliver(delivery, signal);
    const { record, picture } = delivery;
    const got = picture === null ? null : await picture.read();
    const bytes = got?.original.kind === 'encoded' ? got.original.bytes.byteLength : null;
    this.sizes[textOf(record)] = picture === null ? 'none' : bytes;
  }
}
