// What a long measurement is doing -> lines on standard error with the seconds since it began.
import process from 'node:process';

export function progressTo(isWanted: boolean): (text: string) => void {
  const startedMs = performance.now();
  return (text) => {
    if (!isWanted) return;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0).padStart(3);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
}
