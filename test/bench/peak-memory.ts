// A process and its children, watched by /proc -> how much memory they took at most. Linux only.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 10;

export interface Peak {
  /** The process with the highest resident size (VmHWM). */
  readonly largestBytes: number;
  /** Resident sizes of all processes at one moment, sampled. */
  readonly sumBytes: number;
}

/** Runs Node with arguments and watches it and its children. */
export async function peakOf(args: readonly string[]): Promise<Peak> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  let largestBytes = 0;
  let sumBytes = 0;
  const timer = setInterval(() => {
    const sizes = processTree(child.pid ?? 0).map(residentSize);
    largestBytes = Math.max(largestBytes, ...sizes.map(({ peakBytes }) => peakBytes));
    sumBytes = Math.max(
      sumBytes,
      sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }, SAMPLE_MS);
  const [status] = (await ended) as [number | null];
  clearInterval(timer);
  if (status !== 0) throw new Error(`${args.slice(0, 2).join(' ')} ended with status ${status}`);
  return { largestBytes, sumBytes };
}

function processTree(pid: number): number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function residentSize(pid: number): { bytes: number; peakBytes: number } {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  return { bytes: field('VmRSS'), peakBytes: field('VmHWM') };
}

/** Empty once the process is gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
