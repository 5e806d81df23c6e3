// This machine -> how a profile names it, and the versions of what ran on it.
import { createRequire } from 'node:module';
import { cpus, hostname, release, type } from 'node:os';
import process from 'node:process';
import type { DeviceProfile } from '@kerf/splitter';
import { VERSION } from '../command.ts';

/** @param name the host's name unless given. */
export function deviceOf(name?: string): DeviceProfile['device'] {
  const processors = cpus();
  return {
    name: name ?? hostname(),
    processor: processors[0]?.model ?? 'unknown',
    logicalCores: Math.max(1, processors.length),
    system: `${type()} ${release()}`,
  };
}

export function versionsOf(runtime: 'onnxruntime-node' | 'onnxruntime-web'): Record<string, string> {
  return { kerf: VERSION, node: process.versions.node, [runtime]: packageVersion(runtime) };
}

/** Both runtimes are dependencies of the edge, which may have them in a folder of its own. */
function packageVersion(name: string): string {
  const fromEdge = createRequire(import.meta.resolve('@kerf/edge-runtime'));
  const { version } = fromEdge(`${name}/package.json`) as { version: string };
  return version;
}
