// A station's figures -> one line that replaces itself on a terminal.
import type { StationSnapshot } from '@kerf/edge-runtime';

/** Begins with what goes back to the start of the line and clears it. */
export function liveLine(snapshot: StationSnapshot): string {
  return `\r\u001B[2K${figuresText(snapshot)}`;
}

/** `PASS 12  REVIEW 3  NG 1 | 4.2/s | p50 80 ms p99 120 ms | link connected | waiting 2`. */
export function figuresText(snapshot: StationSnapshot): string {
  const { verdicts, framesPerSecond, p50Ms, p99Ms, link, stages, source } = snapshot;
  const counts = Object.entries(verdicts).filter(([name, count]) => count > 0 || name === 'PASS' || name === 'NG');
  const waiting = Object.values(stages).reduce((sum, stage) => sum + stage.waiting, 0);
  const dropped = Object.values(stages).reduce((sum, stage) => sum + stage.dropped, 0) + source.dropped;
  return [
    counts.map(([name, count]) => `${name} ${count}`).join('  '),
    `${framesPerSecond.toFixed(1)}/s`,
    `p50 ${ms(p50Ms)} p99 ${ms(p99Ms)}`,
    ...(snapshot.state === 'stopped' ? [] : [link === null ? 'all here' : `link ${link}`]),
    routes(snapshot),
    `waiting ${waiting}${snapshot.unsettled > 0 ? `, ${snapshot.unsettled} provisional` : ''}`,
    ...(dropped > 0 ? [`dropped ${dropped}`] : []),
    ...(snapshot.state === 'running' ? [] : [snapshot.state]),
    ...(source.state === 'running' ? [] : [`source ${source.state}`]),
  ].join(' | ');
}

function routes({ placements }: StationSnapshot): string {
  const used = Object.entries(placements).filter(([, count]) => count > 0);
  return used.length === 0 ? 'no frame yet' : used.map(([name, count]) => `${name} ${count}`).join(' ');
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(0)} ms`;
}
