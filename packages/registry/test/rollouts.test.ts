// Rollouts with their devices, on both databases: who gets what when, and what stops them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ChainCheck } from '../src/audit/chain.ts';
import { auditEntries } from '../src/audit/log.ts';
import type { RegistryContext } from '../src/context.ts';
import { CheckDesk } from '../src/fleet/check.ts';
import { readDevice, retireDevice, setModel } from '../src/fleet/devices.ts';
import { createEnrolment, enrolDevice } from '../src/fleet/enrol.ts';
import { reportOutcome, retryDevice, tickRollouts } from '../src/rollout/offers.ts';
import { readRollout, rolloutDevices } from '../src/rollout/rollouts.ts';
import type { RolloutRequest } from '../src/rollout/spec.ts';
import { createRollout, type OperatorAction, steerRollout } from '../src/rollout/steer.ts';
import { StageTotals } from '../src/rollout/totals.ts';
import type { Database } from '../src/store/database.ts';
import { migrate } from '../src/store/migrations.ts';
import { TEST_ENGINES, type TestDatabase } from './databases.ts';
import { putDevices, putRelease, rowOf, type TestClock, testContext } from './registry-place.ts';

const all: RolloutRequest = { stages: [{ members: { kind: 'rest' } }], needsApproval: false };

describe.each(TEST_ENGINES)('$name', ({ missing, make }) => {
  const it = test.skipIf(missing !== null);
  const clock: TestClock = { nowMs: 1_000_000 };
  const installed = new Map<string, string | null>();
  let place: TestDatabase;
  let database: Database;
  let context: RegistryContext;
  let desk: CheckDesk;
  let totals: StageTotals;
  let old: string;
  let next: string;
  let round = 0;

  beforeAll(async () => {
    if (missing !== null) return;
    place = await make();
    database = await place.open();
    await migrate(database);
    context = testContext(database, clock);
    desk = new CheckDesk(context);
    totals = new StageTotals();
  });

  /** Each test has a model and devices of its own. */
  let devices: string[];
  beforeEach(async () => {
    if (missing !== null) return;
    round += 1;
    old = await putRelease(database, `m${round}`, '1');
    next = await putRelease(database, `m${round}`, '2');
    devices = Array.from({ length: 6 }, (_, at) => `t${round}-d${at}`);
    await putDevices(database, devices, { groups: [`g${round}`] });
    for (const id of devices) installed.set(id, old);
  });

  afterAll(async () => {
    if (missing !== null) return;
    const chain = new ChainCheck();
    for (const entry of await auditEntries(database, 0, 100_000)) chain.take(entry);
    expect(chain.last?.number).toBeGreaterThan(20);
    await database.close();
    await place.remove();
  });

  const own = (request: RolloutRequest): RolloutRequest => ({ target: { groups: [`g${round}`] }, ...request });
  const start = async (request: RolloutRequest, release = next): Promise<string> => {
    const { id } = await createRollout(context, 'ann', release, own(request));
    await tick();
    return id;
  };
  const tick = async (passedMs = 0): Promise<void> => {
    clock.nowMs += passedMs;
    await tickRollouts(context, totals);
    desk.forget();
  };
  const wish = async (id: string): Promise<string | null> => {
    const request = {
      agent: null,
      provider: null,
      cut: null,
      health: null,
      models: [{ name: `m${round}`, installed: installed.get(id) ?? null }],
    };
    const { wishes } = await desk.check(await rowOf(database, id), request);
    return wishes.find(({ name }) => name === `m${round}`)?.release ?? null;
  };
  const report = async (id: string, outcome: 'succeeded' | 'failed', release = next): Promise<void> => {
    if (outcome === 'succeeded') installed.set(id, release);
    await reportOutcome(context, id, { release, outcome, reason: null });
    desk.forget();
  };
  const steer = async (id: string, what: OperatorAction, actor = 'bob'): Promise<void> => {
    await steerRollout(context, actor, id, what);
    await tick();
  };
  const statusOf = async (id: string): Promise<string> => (await readRollout(database, id)).state.status;

  it('goes to listed devices first, then to the rest, and ends', async () => {
    const [first, ...others] = devices as [string, ...string[]];
    const id = await start({
      ...all,
      stages: [{ members: { kind: 'devices', devices: [first] }, soakMs: 1000 }, { members: { kind: 'rest' } }],
    });
    expect(await wish(others[0]!)).toBeNull();
    expect(await wish(first)).toBe(next);
    await report(first, 'succeeded');
    await tick();
    expect(await wish(others[0]!)).toBeNull();
    await tick(1000);
    for (const other of others) {
      expect(await wish(other)).toBe(next);
      await report(other, 'succeeded');
      await report(other, 'succeeded');
    }
    await tick();
    expect(await statusOf(id)).toBe('finished');
    expect((await readRollout(database, id)).state.stages).toEqual([
      { offered: 1, succeeded: 1, failed: 0 },
      { offered: 5, succeeded: 5, failed: 0 },
    ]);
    // One that enrols later still gets it, and one that the rollout does not concern does not.
    await putDevices(database, [`late${round}`], { groups: [`g${round}`] }, clock.nowMs);
    await putDevices(database, [`other${round}`], { groups: ['elsewhere'] }, clock.nowMs);
    expect(await wish(`late${round}`)).toBe(next);
    expect(await wish(`other${round}`)).toBeNull();
  });

  it('leaves late devices out when told so', async () => {
    await start({ ...all, lateDevices: 'skip' });
    await putDevices(database, [`late${round}`], { groups: [`g${round}`] }, clock.nowMs + 1);
    expect(await wish(`late${round}`)).toBeNull();
    expect(await wish(devices[0]!)).toBe(next);
  });

  it('starts when somebody else than its author approves', async () => {
    const id = await start({ ...all, needsApproval: true });
    expect(await wish(devices[0]!)).toBeNull();
    await expect(steer(id, { action: 'approve' }, 'ann')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await steer(id, { action: 'approve' });
    expect(await wish(devices[0]!)).toBe(next);
    await expect(steer(id, { action: 'approve' })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('stops by itself; what had not begun does not begin, and the failed keep what they had', async () => {
    const id = await start({ ...all, errors: { count: 1, share: null } });
    for (const device of devices.slice(0, 4)) expect(await wish(device)).toBe(next);
    await report(devices[0]!, 'succeeded');
    await report(devices[1]!, 'failed');
    expect(await statusOf(id)).toBe('running');
    await report(devices[2]!, 'failed');
    expect(await statusOf(id)).toBe('stopped');
    expect(await wish(devices[0]!)).toBe(next);
    expect(await wish(devices[1]!)).toBe(old);
    expect(await wish(devices[3]!)).toBe(old);
    expect(await wish(devices[4]!)).toBeNull();
    await report(devices[3]!, 'succeeded');
    expect(await wish(devices[3]!)).toBe(next);
  });

  it('goes back by itself where that is wanted, device by device', async () => {
    const id = await start({ ...all, errors: { count: 0 }, onStop: 'roll-back' });
    for (const device of devices.slice(0, 3)) await wish(device);
    await report(devices[0]!, 'succeeded');
    await report(devices[1]!, 'failed');
    expect(await statusOf(id)).toBe('rolling-back');
    expect(await wish(devices[0]!)).toBe(old);
    installed.set(devices[0]!, old);
    expect(await wish(devices[0]!)).toBe(old);
    // The third had been offered it and is still where it was.
    expect(await wish(devices[2]!)).toBe(old);
    await report(devices[2]!, 'succeeded', old);
    expect(await statusOf(id)).toBe('rolled-back');
    const parts = await rolloutDevices(database, id, null, '', 10);
    expect(parts.map(({ state }) => state)).toEqual(['went-back', 'failed', 'went-back']);
  });

  it('counts a device that never reports, but not one that was retired or pinned', async () => {
    const id = await start({ ...all, reportTimeoutMs: 5000, errors: { count: 10, share: null } });
    for (const device of devices.slice(0, 3)) await wish(device);
    await retireDevice(context, 'ann', devices[1]!);
    await setModel(context, 'ann', devices[2]!, `m${round}`, { pinned: old });
    await tick(5001);
    expect((await readRollout(database, id)).state.stages[0]).toEqual({ offered: 1, succeeded: 0, failed: 1 });
    expect(await wish(devices[2]!)).toBe(old);
    await retryDevice(context, 'ann', id, devices[0]!);
    desk.forget();
    expect(await wish(devices[0]!)).toBe(next);
  });

  it('takes a device that was retired back under its name, without what was set for the one before', async () => {
    const [id] = devices as [string];
    const invite = { groups: ['spare'], labels: {}, expiresInSeconds: 60, deviceId: id };
    await setModel(context, 'ann', id, `m${round}`, { pinned: next });
    const { token } = await createEnrolment(context, 'ann', invite);
    await expect(enrolDevice(context, token, id, 'b'.repeat(64))).rejects.toThrow(/retire it first/);
    await retireDevice(context, 'ann', id);
    expect(await enrolDevice(context, token, id, 'b'.repeat(64))).toEqual({ created: true });
    expect(await rowOf(database, id)).toMatchObject({ credential_sha256: 'b'.repeat(64), retired: 0 });
    expect(await readDevice(database, id)).toMatchObject({ groups: ['spare'], models: [], lastSeenAt: null });
    installed.set(id, null);
    expect(await wish(id)).toBe(null);
  });

  it('has no more in flight than allowed, however many ask at once', async () => {
    const id = await start({ ...all, maxInFlight: 2 });
    const wishes = await Promise.all(devices.map((device) => wish(device)));
    expect(wishes.filter((release) => release === next)).toHaveLength(2);
    expect((await readRollout(database, id)).state.stages[0]?.offered).toBe(2);
    const taken = devices[wishes.indexOf(next)]!;
    await report(taken, 'succeeded');
    const waiting = devices[wishes.indexOf(null)]!;
    expect(await wish(waiting)).toBe(next);
  });

  it('pauses without losing what is in flight, and is aborted for good', async () => {
    const id = await start(all);
    await wish(devices[0]!);
    await steer(id, { action: 'pause', reason: 'audit' });
    expect(await wish(devices[0]!)).toBe(next);
    expect(await wish(devices[1]!)).toBeNull();
    await steer(id, { action: 'resume' });
    expect(await wish(devices[1]!)).toBe(next);
    await steer(id, { action: 'abort', reason: 'enough' });
    expect(await wish(devices[2]!)).toBeNull();
    await expect(steer(id, { action: 'resume' })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('gives way to a later one, and to what is set by hand', async () => {
    const third = await putRelease(database, `m${round}`, '3');
    const first = await start(all);
    expect(await wish(devices[0]!)).toBe(next);
    await start(all, third);
    expect(await wish(devices[1]!)).toBe(third);
    const { offered } = (await readRollout(database, first)).state.stages[0]!;
    expect(offered).toBe(1);
    await setModel(context, 'ann', devices[2]!, `m${round}`, { assigned: old });
    expect(await wish(devices[2]!)).toBe(third);
    await setModel(context, 'ann', devices[2]!, `m${round}`, { pinned: next });
    expect(await wish(devices[2]!)).toBe(next);
    await setModel(context, 'ann', devices[2]!, `m${round}`, { pinned: null });
    expect(await wish(devices[2]!)).toBe(third);
    await expect(setModel(context, 'ann', devices[2]!, 'other', { pinned: next })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('counts a device that has the release already as done', async () => {
    const id = await start(all);
    installed.set(devices[0]!, next);
    expect(await wish(devices[0]!)).toBe(next);
    expect((await readRollout(database, id)).state.stages[0]).toEqual({ offered: 1, succeeded: 1, failed: 0 });
  });

  it('writes sightings together', async () => {
    await wish(devices[0]!);
    expect((await rowOf(database, devices[0]!)).last_seen_at).toBeNull();
    await desk.flush();
    expect((await rowOf(database, devices[0]!)).last_seen_at).toBe(clock.nowMs);
  });
});
