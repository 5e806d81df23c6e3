// A simulated run that has come to rest -> what it broke of what kerf promises.
import type { SimCloud } from './sim-cloud.ts';
import { CLOUD_LIMITS } from './sim-cloud.ts';
import type { SimDevice } from './sim-device.ts';
import type { World } from './world.ts';

/** While it runs: nothing grows beyond its bound. */
export function checkBounds(world: World, devices: readonly SimDevice[], gateways: readonly SimCloud[]): void {
  for (const { outbox, maxRecords } of devices) {
    if (outbox !== null && outbox.records > maxRecords) world.violate(`an outbox holds ${outbox.records} records`);
  }
  for (const gateway of gateways) {
    if (gateway.queued > CLOUD_LIMITS.maxQueuedFrames + CLOUD_LIMITS.credits)
      world.violate(`a queue holds ${gateway.queued} frames`);
    if (gateway.inFlight.used > CLOUD_LIMITS.maxInFlightBytes || gateway.inFlight.used < 0)
      world.violate(`${gateway.inFlight.used} bytes are in flight`);
    if (gateway.sessions.keptBytes > CLOUD_LIMITS.maxKeptBytes + CLOUD_LIMITS.maxKeptBytesPerSession)
      world.violate(`${gateway.sessions.keptBytes} bytes of answers are kept`);
  }
}

/** At the end: everything has come to rest, and every part left exactly one final record at every sink. */
export function checkEnd(world: World, devices: readonly SimDevice[], gateways: readonly SimCloud[]): void {
  for (const device of devices) {
    if (!device.isDone) world.violate(`device ${device.setup.number} did not come to rest: ${describe(device)}`);
    checkSinks(world, device);
  }
  for (const gateway of gateways) {
    if (gateway.isDead) continue;
    if (gateway.pending > 0) world.violate(`a gateway still has ${gateway.pending} frames`);
    if (gateway.inFlight.used !== 0) world.violate(`a gateway still counts ${gateway.inFlight.used} bytes in flight`);
  }
}

function describe(device: SimDevice): string {
  const box = device.outbox;
  if (box === null) return 'no outbox';
  const { records, unsettled, waiting, storage, sinks } = box;
  return JSON.stringify({ records, unsettled, waiting, storage, sinks, frames: device.unfinishedFrames });
}

function checkSinks(world: World, device: SimDevice): void {
  const { stored, dropped, setup } = device;
  for (const sink of device.sinks) {
    for (const key of stored) {
      if (!sink.committed.has(key) && !dropped.has(key)) world.violate(`${sink.name} lost ${key}`);
    }
    const finals = new Map<string, number>();
    let last = -1;
    for (const record of sink.committed.values()) {
      const { resultId, isPartial, revision } = record;
      const fault = device.judge(record);
      if (fault !== null) world.violate(fault);
      if (!isPartial) finals.set(resultId, (finals.get(resultId) ?? 0) + 1);
      if (revision > 0) continue;
      const part = device.partOf(record);
      if (part <= last) world.violate(`${sink.name} got part ${part} after part ${last}`);
      last = part;
    }
    for (let part = 0; part < setup.parts; part++) {
      const resultId = device.resultIdOf(part);
      const count = finals.get(resultId) ?? 0;
      if (count > 1) world.violate(`${sink.name} has ${count} final records of ${resultId}`);
      if (count === 0 && !dropped.has(resultId)) world.violate(`${sink.name} has no final record of ${resultId}`);
    }
  }
}
