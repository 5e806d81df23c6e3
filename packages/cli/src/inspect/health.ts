// This machine and this process -> what the Inspector shows of their health.
import { readdir, readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { HealthView } from '@kerf/bridge';
import { VERSION } from '../command.ts';

/** Where Linux tells temperatures. */
const THERMAL = '/sys/class/thermal';

/** @param thermal where temperatures are told: a folder of zones, as Linux has it */
export async function healthView(folder: string, provider: string | null, thermal = THERMAL): Promise<HealthView> {
  const cpus = os.cpus();
  return {
    version: VERSION,
    node: process.versions.node,
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: cpus[0]?.model.trim() ?? os.arch(),
    cores: cpus.length,
    memoryBytes: os.totalmem(),
    freeMemoryBytes: os.freemem(),
    processBytes: process.memoryUsage.rss(),
    uptimeMs: Math.round(process.uptime() * 1_000),
    // Windows has no such figure and says 0.
    loadAverage: os.platform() === 'win32' ? null : (os.loadavg()[0] ?? null),
    temperatureCelsius: await temperature(thermal),
    disk: await diskOf(folder),
    provider,
  };
}

async function diskOf(folder: string): Promise<HealthView['disk']> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}

/** The hottest zone. */
async function temperature(thermal: string): Promise<number | null> {
  const zones = (await readdir(thermal).catch(() => [])).filter((name) => name.startsWith('thermal_zone'));
  const degrees: number[] = [];
  for (const zone of zones) {
    const text = await readFile(join(thermal, zone, 'temp'), 'utf8').catch(() => '');
    const value = Number(text.trim()) / 1_000;
    if (text.trim() !== '' && value > 0) degrees.push(value);
  }
  return degrees.length === 0 ? null : Math.max(...degrees);
}
