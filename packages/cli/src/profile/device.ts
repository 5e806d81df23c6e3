// This machine -> how a profile names it, and the versions of what ran on it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, hostname, release, type } from 'node:os';
import { join } from 'node:path';
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

/** Both runtimes are dependencies of the edge; not every package gives its package.json away, so it is read beside its code. */
function packageVersion(name: string): string {
  // By require: Node 18, which older Electrons bring, has no import.meta.resolve.
  const code = createRequire(createRequire(import.meta.url).resolve('@kerf/edge-runtime')).resolve(name);
  const folder = code.slice(0, code.lastIndexOf(join('node_modules', name)));
  const text = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
