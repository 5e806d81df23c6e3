// The parent's death -> this process's end, also while a run blocks the main thread.
import process from 'node:process';
import { Worker } from 'node:worker_threads';

/**
 * A run blocks the event loop, so a closed channel may go unseen for as long as a run hangs: a thread looks whether
 * the process has been handed to another parent. On Windows the parent's id never changes; there the channel's end decides.
 */
export function watchParent(intervalMs = 1000): void {
  if (process.platform === 'win32') return;
  const source = `
    const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, ${intervalMs});
  `;
  new Worker(source, { eval: true, stdout: false, stderr: false }).unref();
}
