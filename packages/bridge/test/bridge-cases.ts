// What every carrier of the bridge must do: run over memory, over a real WebSocket, and by the desktop over its own ports.
import type { ResultRecord } from '@kerf/edge-runtime';
import { type Connect, errorWithWhy, type KerfError, systemClock, type Transport } from '@kerf/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { BridgeState, Caller, InspectorBridge, InspectorService, Topics } from '../src/contract.ts';
import { openBridge } from '../src/open-bridge.ts';
import { serveBridge } from '../src/serve-bridge.ts';

export interface Carrier {
  /** Connects to a station that serves `service`; each call is another link. */
  readonly connect: Connect;
  /** What the screens use, where it is not the bridge itself. */
  readonly share?: (bridge: InspectorBridge) => InspectorBridge;
  /** Breaks every link that is up, as a network does. */
  breakLinks(): void;
  dispose(): Promise<void>;
}

/** Makes a carrier whose far end hands each new transport to `accept`. */
export type MakeCarrier = (accept: (transport: Transport) => void) => Promise<Carrier>;

const RECORD = { resultId: 'line-1/7/3', frame: 3, verdict: 'NG' } as unknown as ResultRecord;

class TestService implements InspectorService {
  readonly calls: { name: string; params: unknown; caller: Caller }[] = [];
  readonly listeners = new Map<string, Set<(value: never) => void>>();

  call: InspectorService['call'] = async (name, params, caller) => {
    this.calls.push({ name, params, caller });
    await Promise.resolve();
    if (name === 'session.hello') return { version: '1', station: 'line-1', role: caller.role, wallMs: 5 } as never;
    if (name === 'results.picture') {
      return { format: 'png', bytes: Uint8Array.of(1, 2, 3), width: 3, height: 1 } as never;
    }
    if (name === 'results.get') return RECORD as never;
    if (name === 'cut.state') return { route: 'cut-2', pinned: null } as never;
    if (name === 'health.view') throw new Error('a disk at /secret/path broke');
    if (name === 'station.pause') {
      const why = { kind: 'not-running', file: '/secret/line.yaml', bytes: 3 };
      throw errorWithWhy('INVALID_ARGUMENT', 'the line is not running', why);
    }
    return null as never;
  };

  subscribe: InspectorService['subscribe'] = (topic, listener) => {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener as (value: never) => void));
    return () => set.delete(listener as (value: never) => void);
  };

  tell<T extends keyof Topics>(topic: T, value: Topics[T]): void {
    for (const listener of this.listeners.get(topic) ?? []) listener(value as never);
  }

  readers(topic: keyof Topics): number {
    return this.listeners.get(topic)?.size ?? 0;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 2_000) throw new Error('it never came to that');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export function describeBridge(name: string, makeCarrier: MakeCarrier): void {
  describe(`the bridge over ${name}`, () => {
    const ends: (() => Promise<void> | void)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });

    async function start(role: Caller['role'] = 'engineer'): Promise<{
      service: TestService;
      bridge: InspectorBridge;
      carrier: Carrier;
      states: BridgeState[];
    }> {
      const service = new TestService();
      const carrier = await makeCarrier((transport) => serveBridge(transport, service, { name: 'ann', role }));
      ends.push(() => carrier.dispose());
      const owned = openBridge({ connect: carrier.connect, clock: systemClock, random: () => 0 });
      const bridge = carrier.share?.(owned) ?? owned;
      ends.push(() => bridge.close());
      const states: BridgeState[] = [];
      bridge.onState((state) => states.push(state));
      return { service, bridge, carrier, states };
    }

    const connected = (states: BridgeState[]) => until(() => states.at(-1)?.kind === 'connected');

    test('greets, and tells role and station', async () => {
      const { states, service } = await start('viewer');
      await connected(states);
      expect(states.at(-1)).toMatchObject({ kind: 'connected', hello: { station: 'line-1', role: 'viewer' } });
      expect(service.calls[0]).toEqual({
        name: 'session.hello',
        params: { bridge: 1 },
        caller: { name: 'ann', role: 'viewer' },
      });
    });

    test('carries calls, answers in any order, and bytes', async () => {
      const { bridge, states } = await start();
      await connected(states);
      const [record, picture, none] = await Promise.all([
        bridge.call('results.get', { resultId: 'a' }),
        bridge.call('results.picture', { resultId: 'a' }),
        bridge.call('thresholds.history', {}),
      ]);
      expect(record).toEqual(RECORD);
      expect([...(picture?.bytes ?? [])]).toEqual([1, 2, 3]);
      expect(none).toBeNull();
    });

    test('faults keep their code and their cause, and say nothing of the inside', async () => {
      const { bridge, states } = await start();
      await connected(states);
      await expect(bridge.call('station.pause', {})).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'the line is not running',
        details: { why: { kind: 'not-running', file: 'line.yaml', bytes: 3 } },
      });
      const fault = await bridge.call('health.view', {}).catch((error: unknown) => error as KerfError);
      expect(fault).toMatchObject({ code: 'INTERNAL' });
      expect((fault as KerfError).message).not.toContain('/secret');
    });

    test('a role that is too low, and parameters of the wrong shape, never reach the service', async () => {
      const { bridge, service, states } = await start('viewer');
      await connected(states);
      await expect(bridge.call('station.pause', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
      for (const limit of [0, 501, 1.5, '7' as unknown as number]) {
        await expect(bridge.call('results.list', { before: null, limit, verdicts: null })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
      const surplus = { resultId: 'a', path: '/etc/passwd' };
      await expect(bridge.call('results.get', surplus)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(service.calls.map(({ name }) => name)).toEqual(['session.hello']);
    });

    test('calls of updates and fleet go through, each with its role and its shape', async () => {
      const operator = await start('operator');
      await connected(operator.states);
      await operator.bridge.call('updates.look', { from: null });
      for (const refused of [
        operator.bridge.call('updates.apply', { version: '1.1', note: '' }),
        operator.bridge.call('updates.fetch', { version: '1.1', from: null, allowOlder: false }),
        operator.bridge.call('fleet.steer', { rollout: 'r', action: 'stop', reason: '' }),
        operator.bridge.call('health.bundle', {}),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
      }
      const { bridge, service, states } = await start('engineer');
      await connected(states);
      await bridge.call('updates.apply', { version: '1.1', note: 'ann has seen it' });
      await bridge.call('fleet.steer', { rollout: 'r', action: 'roll-back', reason: '' });
      await bridge.call('updates.settings', { automatic: false, pinned: null, window: null });
      for (const refused of [
        bridge.call('fleet.steer', { rollout: 'r', action: 'delete' as 'stop', reason: '' }),
        bridge.call('updates.apply', { version: '', note: '' }),
        bridge.call('health.audit', { limit: 501 }),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
      expect(service.calls.slice(1).map(({ name: call, caller }) => [call, caller.name])).toEqual([
        ['updates.apply', 'ann'],
        ['fleet.steer', 'ann'],
        ['updates.settings', 'ann'],
      ]);
      const seen: (string | undefined)[] = [];
      bridge.subscribe('updates', ({ installed }) => seen.push(installed?.version));
      await until(() => service.readers('updates') === 1);
      service.tell('updates', { installed: { id: 'a', version: '1.1' } } as Topics['updates']);
      await until(() => seen.length === 1);
      expect(seen).toEqual(['1.1']);
    });

    test('the cut: a viewer asks, an engineer moves it, and nonsense reaches nobody', async () => {
      const viewer = await start('operator');
      await connected(viewer.states);
      expect(await viewer.bridge.call('cut.state', {})).toEqual({ route: 'cut-2', pinned: null });
      const question = { uplinkBitsPerSecond: 2e7, roundTripMs: 40, edgeSpeed: 1, maxLoss: null };
      await viewer.bridge.call('cut.plan', question);
      for (const wrong of [
        { ...question, edgeSpeed: 0 },
        { ...question, uplinkBitsPerSecond: Number.NaN },
        { ...question, roundTripMs: -1 },
        { uplinkBitsPerSecond: 2e7, roundTripMs: 40 } as typeof question,
      ]) {
        await expect(viewer.bridge.call('cut.plan', wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
      for (const name of ['cut.measure', 'cut.cancelMeasure'] as const)
        await expect(viewer.bridge.call(name, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(viewer.bridge.call('cut.apply', { route: 'edge', from: null })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(viewer.service.calls.map(({ name }) => name)).toEqual(['session.hello', 'cut.state', 'cut.plan']);

      const engineer = await start('engineer');
      await connected(engineer.states);
      await engineer.bridge.call('cut.apply', { route: 'cut-2', from: null });
      await engineer.bridge.call('cut.apply', { route: null, from: 'cut-2' });
      await expect(engineer.bridge.call('cut.apply', { route: '../cut', from: null })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      expect(engineer.service.calls.slice(1).map(({ params }) => params)).toEqual([
        { route: 'cut-2', from: null },
        { route: null, from: 'cut-2' },
      ]);
      const seen: unknown[] = [];
      engineer.bridge.subscribe('cut', ({ route }) => seen.push(route));
      await until(() => engineer.service.readers('cut') === 1);
      engineer.service.tell('cut', { route: 'edge' } as never);
      await until(() => seen.length === 1);
      expect(seen).toEqual(['edge']);
    });

    test('topics arrive in order, end when nobody listens, and outlive a lost link', async () => {
      const { bridge, service, carrier, states } = await start();
      await connected(states);
      const seen: number[] = [];
      const end = bridge.subscribe('result', ({ frame }) => seen.push(frame));
      await until(() => service.readers('result') === 1);
      for (let frame = 0; frame < 50; frame++) service.tell('result', { ...RECORD, frame });
      await until(() => seen.length === 50);
      expect(seen).toEqual(Array.from({ length: 50 }, (_, frame) => frame));

      carrier.breakLinks();
      await until(() => states.some(({ kind }) => kind === 'away'));
      await connected(states);
      await until(() => service.readers('result') === 1);
      service.tell('result', { ...RECORD, frame: 99 });
      await until(() => seen.at(-1) === 99);
      end();
      await until(() => service.readers('result') === 0);
    });

    test('calls under way end when the link breaks, and later ones say that it is away', async () => {
      const { bridge, service, carrier, states } = await start();
      await connected(states);
      service.call = () => new Promise(() => {});
      const hanging = bridge.call('results.get', { resultId: 'a' });
      hanging.catch(() => {});
      carrier.breakLinks();
      await expect(hanging).rejects.toMatchObject({ code: 'LINK_LOST' });
      await expect(bridge.call('results.get', { resultId: 'a' })).rejects.toMatchObject({ code: 'LINK_LOST' });
    });

    test('samples: labels need an engineer, ids and formats are checked, whole pictures cross, changes are told', async () => {
      const viewer = await start('viewer');
      await connected(viewer.states);
      const id = '20261126T100000000-0123456789ab';
      await expect(viewer.bridge.call('samples.label', { id, label: 'good' })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
      await expect(viewer.bridge.call('samples.undo', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const { bridge, service, states } = await start();
      await connected(states);
      await bridge.call('samples.label', { id, label: null });
      expect(service.calls.at(-1)).toMatchObject({ name: 'samples.label', params: { id, label: null } });
      for (const wrong of ['../etc', '', 'a'.repeat(65)]) {
        await expect(bridge.call('samples.picture', { id: wrong, full: true })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
      await expect(bridge.call('samples.export', { format: 'yolo' as 'coco' })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      const told: number[] = [];
      bridge.subscribe('samples', ({ kept }) => told.push(kept));
      await until(() => service.readers('samples') === 1);
      service.tell('samples', { kept: 7 } as never);
      await until(() => told[0] === 7);
    });

    test('sessions and why: roles, names that are files of the folder and nothing else, pages', async () => {
      const operator = await start('operator');
      await connected(operator.states);
      const session = 'line-1-2026-11-26T10-00-00-000Z.mcap';
      for (const refused of [
        operator.bridge.call('sessions.start', {}),
        operator.bridge.call('sessions.replay', { session, judgeBy: 'recorded' }),
        operator.bridge.call('sessions.cancel', {}),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
      }
      await operator.bridge.call('why.ways', { resultId: 'a' });
      const viewer = await start('viewer');
      await connected(viewer.states);
      await viewer.bridge.call('why.look', { resultId: 'a' });
      await expect(viewer.bridge.call('why.ways', { resultId: 'a' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const { bridge, service, states } = await start();
      await connected(states);
      await bridge.call('sessions.replay', { session, judgeBy: 'station' });
      for (const name of ['../line.mcap', 'a/b.mcap', '.hidden.mcap', 'line.yaml', '']) {
        await expect(bridge.call('sessions.part', { session: name, resultId: 'a' })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
      await expect(
        bridge.call('sessions.compare', { left: session, right: session, offset: 0, limit: 501 }),
      ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      const told: (string | undefined)[] = [];
      bridge.subscribe('sessions', ({ recording }) => told.push(recording?.name));
      await until(() => service.readers('sessions') === 1);
      service.tell('sessions', { recording: { name: session, parts: 1, bytes: 9 } } as Topics['sessions']);
      await until(() => told[0] === session);
    });

    test('a reader that draws slowly gets the newest part, not all of them', async () => {
      const { bridge, service, states } = await start();
      await connected(states);
      const seen: number[] = [];
      bridge.subscribe('live', ({ record }) => seen.push(record.frame));
      await until(() => service.readers('live') === 1);
      for (let frame = 0; frame < 1_000; frame++)
        service.tell('live', { record: { ...RECORD, frame }, picture: null, takenMs: 0 });
      await until(() => seen.at(-1) === 999);
      expect(seen.length).toBeLessThan(20);
    });

    test('garbage ends that link and no other', async () => {
      const { carrier, bridge, states } = await start();
      await connected(states);
      for (const bytes of [
        Uint8Array.of(),
        Uint8Array.of(255, 255, 255, 255),
        new TextEncoder().encode('....{"value":1}'),
      ]) {
        const stranger = await carrier.connect(new AbortController().signal);
        const closed = new Promise<void>((resolve) => {
          stranger.start({ onMessage: () => {}, onClose: () => resolve() });
        });
        stranger.send(bytes);
        await closed;
      }
      expect(await bridge.call('results.get', { resultId: 'a' })).toEqual(RECORD);
    });
  });
}
