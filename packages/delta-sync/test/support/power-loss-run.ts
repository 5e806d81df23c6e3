// Installation, switch and roll-back, cut at one operation after the other -> how many states were bad.
import { Device } from '@kerf/delta-sync';
import { seededRandom } from '@kerf/protocol';
import { noise, runningOf, World } from './device-world.ts';
import { PowerLost, PowerSupply } from './power-loss-disk.ts';

export interface PowerLossReport {
  /** Power cuts that happened, each at another operation or with other bytes lost. */
  readonly cuts: number;
  /** Operations of one uncut run: the places where a cut can be. */
  readonly operations: number;
  /** What was wrong; empty when every cut left the old or the new release. */
  readonly bad: readonly string[];
}

/** 1.0 installed; the steps below go to 1.1 and back. */
async function prepared(
  world: World,
  seed: number,
): Promise<PowerSupply & { readonly device: ReturnType<World['device']> }> {
  const supply = new PowerSupply(seededRandom(seed));
  const storage = supply.storage();
  await world.ship(storage);
  const device = world.device(storage);
  await (await Device.open(device)).update({ version: '1.0' });
  return Object.assign(supply, { device });
}

type Step = (options: ReturnType<World['device']>) => Promise<void>;

/** Update, a start on probation, confirm; update again, roll back. */
const STEPS: readonly {
  readonly name: string;
  readonly allowed: readonly string[];
  readonly after: string;
  readonly run: Step;
}[] = [
  {
    name: 'update',
    allowed: ['1.0', '1.1'],
    after: '1.1',
    run: async (options) => void (await (await Device.open(options)).update({ version: '1.1' })),
  },
  {
    name: 'confirm',
    allowed: ['1.1'],
    after: '1.1',
    run: async (options) => (await Device.start(options)).confirm(),
  },
  {
    name: 'update',
    allowed: ['1.1', '1.2'],
    after: '1.2',
    run: async (options) => void (await (await Device.open(options)).update({ version: '1.2' })),
  },
  {
    name: 'roll back',
    allowed: ['1.2', '1.1'],
    after: '1.1',
    run: async (options) => {
      const device = await Device.open(options);
      if (device.state.active?.version === '1.2') await device.rollBack('the test says so');
    },
  },
];

export async function powerLossWorld(): Promise<World> {
  const world = await World.create();
  const base = noise(5200, 1);
  const small = new TextEncoder().encode('{"passBelow":0.3}');
  const changed = base.slice();
  changed.set(noise(600, 2), 2000);
  await world.publish('1.0', { 'model.onnx': base, 'labels.txt': small });
  await world.publish('1.1', { 'model.onnx': changed, 'labels.txt': small, 'more.bin': noise(2500, 3) });
  // No delta: a blob, fetched in pieces.
  await world.publish('1.2', { 'model.onnx': noise(4100, 4), 'labels.txt': noise(30, 5) }, {}, false);
  return world;
}

/**
 * Cuts every operation of every step, `rounds` times with other losses; after half of the cuts a second one hits the
 * recovery.
 */
export async function runPowerLoss(world: World, rounds: number, seed = 1): Promise<PowerLossReport> {
  const bad: string[] = [];
  let cuts = 0;
  const operations = await countOperations(world);
  for (let round = 0; round < rounds; round++) {
    for (const [at, step] of STEPS.entries()) {
      for (let cut = 0; cut < (operations[at] as number); cut++) {
        const random = seededRandom(seed + round * 7919 + at * 104729 + cut * 31);
        const supply = await prepared(world, Math.floor(random() * 2 ** 31));
        for (const before of STEPS.slice(0, at)) await before.run(supply.device);
        const label = `round ${round}, step ${at} (${step.name}), operation ${cut}`;
        const second = random() < 0.5 ? Math.floor(random() * (operations[at] as number)) : null;
        for (const after of second === null ? [cut] : [cut, second]) {
          if (!(await cutOff(supply, step, after))) continue;
          cuts++;
          const wrong = await stateFault(supply.device, step.allowed);
          if (wrong !== null) bad.push(`${label}: ${wrong}`);
        }
        const wrong = await finishFault(supply.device, step);
        if (wrong !== null) bad.push(`${label}: ${wrong}`);
      }
    }
  }
  return { cuts, operations: operations.reduce((sum, count) => sum + count, 0), bad };
}

async function countOperations(world: World): Promise<number[]> {
  const supply = await prepared(world, 1);
  const counts: number[] = [];
  for (const { run } of STEPS) {
    const before = supply.operations;
    await run(supply.device);
    counts.push(supply.operations - before);
  }
  return counts;
}

/** @returns false when the step was over before */
async function cutOff(
  supply: PowerSupply & { readonly device: ReturnType<World['device']> },
  step: { readonly run: Step },
  after: number,
): Promise<boolean> {
  supply.cutAfter(after);
  let isCut = false;
  try {
    await step.run(supply.device);
  } catch (error) {
    if (!(error instanceof PowerLost)) throw error;
    isCut = true;
  }
  supply.restore();
  return isCut;
}

/** One of the releases that may run, every byte of it. */
async function stateFault(options: ReturnType<World['device']>, allowed: readonly string[]): Promise<string | null> {
  try {
    const { version } = await runningOf(options);
    return version !== null && allowed.includes(version) ? null : `${version} runs`;
  } catch (error) {
    return String(error);
  }
}

/** With the power on, the step ends as if nothing had been. */
async function finishFault(
  options: ReturnType<World['device']>,
  step: { readonly run: Step; readonly after: string },
): Promise<string | null> {
  try {
    await step.run(options);
    const { version } = await runningOf(options);
    return version === step.after ? null : `${version} runs after all, not ${step.after}`;
  } catch (error) {
    return `it does not go on: ${String(error)}`;
  }
}
