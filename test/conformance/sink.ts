// What every Sink must do; called by the test file of each implementation.
import type { Delivery, Sink } from '@kerf/edge-runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { deliveryOf } from './sink-records.ts';

export interface SinkRig {
  /** Makes a sink for the same receiver; a second one stands for the station after a restart. */
  open(): Sink;
  /** What the receiver has, in order, as it would count it: by `resultId` and `revision`. */
  received(): Promise<readonly (readonly [resultId: string, revision: number])[]>;
  /** Takes the receiver away and brings it back. */
  readonly outage?: { away(): Promise<void>; back(): Promise<void> };
  /** Makes the receiver take a record and never say so. */
  readonly silence?: () => Promise<void>;
  dispose(): Promise<void>;
}

/** What the receiver can be made to do. */
export interface SinkTraits {
  readonly outage?: boolean;
  readonly silence?: boolean;
  /** True where later revisions are of no use to the receiver: a PLC has let the part go. */
  readonly onlyFirstRevision?: boolean;
}

const never = new AbortController().signal;

/** Registers the suite for `name`; `build` makes a fresh receiver. */
export function describeSink(name: string, traits: SinkTraits, build: () => Promise<SinkRig>): void {
  describe(`sink: ${name}`, () => {
    const rigs: SinkRig[] = [];
    const sinks: Sink[] = [];
    afterEach(async () => {
      for (const sink of sinks.splice(0)) await sink.close();
      for (const rig of rigs.splice(0)) await rig.dispose();
    });
    const setUp = async (): Promise<{ rig: SinkRig; open: () => Sink }> => {
      const rig = await build();
      rigs.push(rig);
      const open = (): Sink => {
        const sink = rig.open();
        sinks.push(sink);
        return sink;
      };
      return { rig, open };
    };
    /** As the outbox does: again and again, until the sink takes it. */
    const insist = async (sink: Sink, delivery: Delivery): Promise<void> => {
      for (let attempt = 0; ; attempt++) {
        try {
          return await sink.deliver(delivery, never);
        } catch (error) {
          if (attempt > 400) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };

    it('delivers records in order', async () => {
      const { rig, open } = await setUp();
      const sink = open();
      for (let frame = 0; frame < 5; frame++) await insist(sink, deliveryOf(frame));
      expect(await rig.received()).toEqual([0, 1, 2, 3, 4].map((frame) => [`line-1:run:${frame}`, 0]));
    });

    it('leaves one trace of a record that comes again, also after a restart', async () => {
      const { rig, open } = await setUp();
      const sink = open();
      await insist(sink, deliveryOf(1));
      await insist(sink, deliveryOf(1));
      await sink.close();
      const again = open();
      await insist(again, deliveryOf(1));
      await insist(again, deliveryOf(2));
      expect(await rig.received()).toEqual([
        ['line-1:run:1', 0],
        ['line-1:run:2', 0],
      ]);
    });

    it('delivers the final record after the provisional one', async () => {
      const { rig, open } = await setUp();
      const sink = open();
      await insist(sink, deliveryOf(1, { isPartial: true, verdict: 'REVIEW' }));
      await insist(sink, deliveryOf(1, { revision: 1 }));
      const first = [['line-1:run:1', 0]];
      expect(await rig.received()).toEqual(traits.onlyFirstRevision ? first : [...first, ['line-1:run:1', 1]]);
    });

    it('takes any text in the part id', async () => {
      const { rig, open } = await setUp();
      const sink = open();
      const ids = ['../../x', 'a/b\\c', 'Teil Ä 零件 \u{1F529}', 'q\'"`$(x)\n', '+/#', 'x'.repeat(200)];
      for (const [frame, partId] of ids.entries()) await insist(sink, deliveryOf(frame, { partId }));
      expect(await rig.received()).toHaveLength(ids.length);
    });

    const goesAway = async (): Promise<void> => {
      const { rig, open } = await setUp();
      const sink = open();
      await insist(sink, deliveryOf(0));
      await rig.outage?.away();
      await expect(sink.deliver(deliveryOf(1), never)).rejects.toMatchObject({
        code: 'SINK_UNREACHABLE',
        retryable: true,
      });
      await rig.outage?.back();
      await insist(sink, deliveryOf(1));
      expect(await rig.received()).toEqual([
        ['line-1:run:0', 0],
        ['line-1:run:1', 0],
      ]);
    };
    if (traits.outage) it('says that the receiver is away, and delivers when it is back', goesAway);

    const letsGo = async (): Promise<void> => {
      const { rig, open } = await setUp();
      const sink = open();
      await rig.silence?.();
      const ended = new AbortController();
      const blocked = sink.deliver(deliveryOf(0), ended.signal);
      blocked.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 60));
      const startedAt = performance.now();
      ended.abort();
      await expect(blocked).rejects.toThrow();
      // A blocked receiver blocks for minutes; this only tells "at once" from "in the end".
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    };
    if (traits.silence) it('lets go at once when it is told to', letsGo);

    it('can be closed while it is blocked, and twice', async () => {
      const { rig, open } = await setUp();
      const sink = open();
      await rig.silence?.();
      const blocked = traits.silence !== true ? null : sink.deliver(deliveryOf(0), never);
      const outcome = blocked?.then(
        () => 'delivered',
        () => 'refused',
      );
      await sink.close();
      await sink.close();
      if (outcome !== undefined) expect(await outcome).toBe('refused');
    });

    it('refuses a signal that is aborted before', async () => {
      const { rig, open } = await setUp();
      await expect(open().deliver(deliveryOf(0), AbortSignal.abort())).rejects.toThrow();
      expect(await rig.received()).toEqual([]);
    });
  });
}
