// What every Source must do; called by the test file of each implementation.
import type { Capture, Source, SourceHandler, SourceState } from '@kerf/edge-runtime';
import { afterEach, describe, expect, it } from 'vitest';

/** Takes captures as a station would: one at a time, with room for the next when `room` says so. */
export class CaptureListener implements SourceHandler {
  readonly captures: Capture[] = [];
  readonly states: SourceState[] = [];
  private held: (() => void)[] = [];
  private waiters: (() => void)[] = [];
  /** While true, the station has no room: captures are taken, and their promises wait. */
  full = false;

  onCapture(capture: Capture): Promise<void> {
    this.captures.push(capture);
    this.changed();
    if (!this.full) return Promise.resolve();
    return new Promise((resolve) => this.held.push(resolve));
  }

  onState(state: SourceState): void {
    this.states.push(state);
    this.changed();
  }

  release(): void {
    this.full = false;
    for (const resolve of this.held.splice(0)) resolve();
  }

  private changed(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** Waits until `condition` holds; a minute is a defect, however slow the machine. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const endAt = Date.now() + 50_000;
    while (!condition()) {
      if (Date.now() > endAt)
        throw new Error(`${what}: ${this.captures.length} captures, ${JSON.stringify(this.states.slice(-3))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

export interface SourceRig {
  /** Makes a source of the same device. */
  open(hasTrigger: boolean): Source;
  /** Makes the device deliver one more picture; the number makes it differ from the others. */
  picture(number: number): Promise<void>;
  /** Takes the device away, and brings it back. */
  readonly vanish?: { away(): Promise<void>; back(): Promise<void> };
  dispose(): Promise<void>;
}

export interface SourceTraits {
  /** The device waits for the station, so that no picture is ever dropped. */
  readonly neverDrops?: boolean;
  /** It can be taken away. */
  readonly vanishes?: boolean;
  /** It delivers when somebody asks for nothing (an upload is its own trigger): `trigger` is for nobody. */
  readonly ownTriggers?: boolean;
}

/** Registers the suite for `name`; `build` makes a fresh device. */
export function describeSource(name: string, traits: SourceTraits, build: () => Promise<SourceRig>): void {
  describe(`source: ${name}`, () => {
    const rigs: SourceRig[] = [];
    const sources: Source[] = [];
    afterEach(async () => {
      for (const source of sources.splice(0)) await source.stop();
      for (const rig of rigs.splice(0)) await rig.dispose();
    });
    const setUp = async (
      hasTrigger = false,
    ): Promise<{ rig: SourceRig; source: Source; listener: CaptureListener }> => {
      const rig = await build();
      rigs.push(rig);
      const source = rig.open(hasTrigger);
      sources.push(source);
      return { rig, source, listener: new CaptureListener() };
    };
    const balanced = ({ counters: { seen, missed, captured, dropped, skipped } }: Source): void =>
      expect(seen + missed).toBe(captured + dropped + skipped);

    it('hands over what the device gives, in order and counted', async () => {
      const { rig, source, listener } = await setUp();
      await source.start(listener);
      for (let number = 0; number < 3; number++) {
        await rig.picture(number);
        await listener.until(() => listener.captures.length > number, `picture ${number}`);
      }
      const captures = listener.captures.slice(0, 3);
      const sequences = captures.map(({ sequence }) => sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      expect(new Set(sequences).size).toBe(3);
      for (const capture of captures) {
        expect(capture.source).toBe(source.name);
        expect(capture.picture).not.toBeNull();
        expect(capture.fault).toBeNull();
        expect(Math.abs(capture.takenAt - Date.now())).toBeLessThan(600_000);
      }
      expect(listener.states[0]?.kind).toBe('starting');
      expect(listener.states.some(({ kind }) => kind === 'running')).toBe(true);
      balanced(source);
    });

    it('stops for good, and says so', async () => {
      const { rig, source, listener } = await setUp();
      await source.start(listener);
      await rig.picture(0);
      await listener.until(() => listener.captures.length > 0, 'a picture');
      await source.stop();
      const count = listener.captures.length;
      // Nobody may be there to take it.
      void rig.picture(1).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(listener.captures).toHaveLength(count);
      expect(listener.states.at(-1)?.kind).toBe('stopped');
      await source.stop();
      balanced(source);
    });

    it('refuses a second start, and a trigger where it has none', async () => {
      const { source, listener } = await setUp();
      await source.start(listener);
      await expect(async () => source.start(listener)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      const request = { partId: null, key: null, onResult: null };
      expect(() => source.trigger(request)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    });

    it('loses no count while the station has no room', async () => {
      const { rig, source, listener } = await setUp();
      listener.full = true;
      await source.start(listener);
      const pictures = Array.from({ length: 5 }, (_, number) => rig.picture(number));
      await listener.until(() => listener.captures.length > 0, 'the first picture');
      await new Promise((resolve) => setTimeout(resolve, 100));
      listener.release();
      await Promise.all(pictures);
      await listener.until(
        () => source.counters.captured + source.counters.dropped >= 5 && listener.captures.length >= 2,
        'all five',
      );
      if (traits.neverDrops) {
        await listener.until(() => listener.captures.length >= 5, 'every picture');
        expect(source.counters.dropped).toBe(0);
      }
      balanced(source);
    });

    const oneForEach = async (): Promise<void> => {
      const { rig, source, listener } = await setUp(true);
      await source.start(listener);
      for (const partId of ['A-1', 'A-2']) {
        const before = listener.captures.length;
        source.trigger({ partId, key: `key ${partId}`, onResult: null });
        await rig.picture(before);
        await listener.until(() => listener.captures.length > before, `the picture of ${partId}`);
        expect(listener.captures.at(-1)).toMatchObject({ partId, key: `key ${partId}` });
      }
      expect(listener.captures.map(({ partId }) => partId)).toEqual(['A-1', 'A-2']);
      balanced(source);
    };
    if (!traits.ownTriggers) it('makes one capture for each trigger, with its part id and key', oneForEach);

    const bounds = async (): Promise<void> => {
      const { source, listener } = await setUp(true);
      listener.full = true;
      await source.start(listener);
      const fire = (): void => {
        for (let count = 0; count < 1000; count++) source.trigger({ partId: null, key: null, onResult: null });
      };
      expect(fire).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
      listener.release();
    };
    if (!traits.ownTriggers) it('bounds the triggers that wait', bounds);

    const comesBack = async (): Promise<void> => {
      const { rig, source, listener } = await setUp();
      await source.start(listener);
      await rig.picture(0);
      await listener.until(() => listener.captures.length > 0, 'a picture');
      await rig.vanish?.away();
      await listener.until(() => listener.states.at(-1)?.kind === 'lost', 'the loss');
      await rig.vanish?.back();
      const before = listener.captures.length;
      await rig.picture(1);
      await listener.until(() => listener.states.at(-1)?.kind === 'running', 'the return');
      await listener.until(() => listener.captures.length > before, 'a picture after the loss');
      expect(source.counters.recoveries).toBeGreaterThan(0);
      balanced(source);
    };
    if (traits.vanishes) it('comes back when the device does', comesBack);
  });
}
