// A device's folder -> what it tells its registry of itself: what it runs on, where its model is cut, how its releases do.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Device, type GoldenReport, parseReleaseManifest, RELEASE_MARK } from '@kerf/delta-sync';
import { nodeBackend } from '@kerf/edge-runtime/node';
import { KerfError, parseSplitManifest } from '@kerf/protocol';
import type { DeviceFacts } from '@kerf/registry';
import { VERSION } from '../command.ts';

/** What happened last, kept over restarts: nobody's state depends on it. */
const NOTES = 'health.json';
const MAX_TEXT = 255;

/** Reports of the last installation and of the last shadow run; null before the first one. */
export interface HealthNotes {
  readonly golden: GoldenReport | null;
  /** What the health gate made of a release, in a station. */
  readonly gate: { readonly version: string; readonly decision: string; readonly reason: string } | null;
}

/** Remembers a report beside the device's settings. */
export async function noteHealth(folder: string, change: Partial<HealthNotes>): Promise<void> {
  const file = join(folder, NOTES);
  await writeFile(`${file}.part`, JSON.stringify({ ...(await readNotes(folder)), ...change }));
  await rename(`${file}.part`, file);
}

async function readNotes(folder: string): Promise<HealthNotes> {
  try {
    const { golden = null, gate = null } = JSON.parse(
      await readFile(join(folder, NOTES), 'utf8'),
    ) as Partial<HealthNotes>;
    return { golden, gate };
  } catch {
    // Not there yet, or cut short by a power cut: the next report writes it again.
    return { golden: null, gate: null };
  }
}

/** Runtime and execution provider that the device's sessions run on, such as `onnxruntime-node/cpu`. */
export async function providerOf(): Promise<string> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  try {
    // Where in the process it runs, which the name says too, is nobody's concern there.
    return backend.name.replace(/ \(.*\)$/, '');
  } finally {
    await backend.dispose();
  }
}

/** The same for the same state: a check-in that says nothing new costs the registry no commit. */
export async function deviceFacts(device: Device, folder: string, provider: string): Promise<DeviceFacts> {
  const { active, trialStarts, rejected } = device.state;
  const notes = await readNotes(folder);
  const left = rejected.at(-1) ?? null;
  const state = active === null ? 'empty' : trialStarts === null ? 'confirmed' : 'probation';
  return {
    agent: `kerf/${VERSION}`,
    provider,
    cut: await cutOf(device),
    health: {
      state,
      trialStarts,
      rejected: rejected.length,
      lastRejected: left === null ? null : { version: left.version, reason: left.reason },
      golden:
        notes.golden === null
          ? null
          : { backend: notes.golden.backend, samples: notes.golden.samples, worst: notes.golden.worst },
      gate: notes.gate,
    },
  };
}

/** Tensors of the cut of an installed split; null for anything else. */
async function cutOf({ activeSlot }: Device): Promise<string | null> {
  if (activeSlot === null) return null;
  try {
    const { kind, entry } = parseReleaseManifest(await activeSlot.read(RELEASE_MARK));
    if (kind !== 'split' || entry === null) return null;
    const split: unknown = JSON.parse(new TextDecoder().decode(await activeSlot.read(entry)));
    return parseSplitManifest(split).cut.join(', ').slice(0, MAX_TEXT);
  } catch (error) {
    // What is damaged is found when it is used; the registry should hear of the device all the same.
    if (KerfError.is(error) || error instanceof SyntaxError) return null;
    throw error;
  }
}
