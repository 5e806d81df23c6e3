// What `kerf quantize` reports: as JSON has it, and as lines for a terminal.
import type { PairedLoss } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { formatBytes } from '../units.ts';
import type { FormDetails } from './make-form.ts';
import type { RunTimes } from './measure-time.ts';

export interface QuantizeReport extends FormDetails {
  readonly form: string;
  readonly model: { readonly file: string; readonly sha256: string; readonly bytes: number };
  /** Null where the limit of loss was not kept: nothing was written. External data counts in `bytes`. */
  readonly quantized: { readonly file: string; readonly sha256: string; readonly bytes: number } | null;
  /** Of the model's bytes. */
  readonly bytesRatio: number;
  readonly loss: PairedLoss & { readonly metric: string };
  /** 100 less the mean relative distance of all outputs in percent. */
  readonly closenessPoints: number;
  readonly samples: {
    readonly calibration: number;
    readonly test: number;
    readonly source: string;
    readonly madeUp: boolean;
  };
  readonly time: (RunTimes & { readonly backend: string; readonly threads: number }) | null;
}

/** Nodes that are named one by one. */
const SHOWN = 12;

export function quantizeText(report: QuantizeReport): string[] {
  const { model, quantized, loss, samples, time, details } = { ...report, details: report };
  const share = `${(100 * report.bytesRatio).toFixed(1)} % of ${formatBytes(model.bytes)}`;
  const lines = [
    `model      ${printable(model.file)}`,
    quantized === null
      ? 'written    nothing: no int8 form keeps the limit of loss'
      : `written    ${printable(quantized.file)}, ${formatBytes(quantized.bytes)}, ${share}`,
    ...whatRuns(details),
    `samples    ${samples.calibration} to calibrate, ${samples.test} to measure (${samples.source})`,
    `${loss.metric.padEnd(10)} ${loss.wholePoints.toFixed(2)} whole, ${loss.codedPoints.toFixed(2)} quantised`,
    `loss       ${loss.lossPoints.toFixed(2)} points (95 %: ${loss.lossInterval.low.toFixed(2)} to ${loss.lossInterval.high.toFixed(2)})`,
  ];
  if (loss.metric !== 'closeness of outputs') {
    lines.push(`outputs    ${(100 - report.closenessPoints).toFixed(2)} % apart on average`);
  }
  if (time !== null) {
    const { wholeMs, quantizedMs, ratio, backend, threads } = time;
    const change = ratio <= 1 ? `${(100 * (1 - ratio)).toFixed(0)} % less` : `${(100 * (ratio - 1)).toFixed(0)} % more`;
    const on = `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    lines.push(`time       ${quantizedMs.toFixed(2)} ms, whole ${wholeMs.toFixed(2)} ms: ${change} (${on})`);
  }
  if (samples.madeUp) lines.push('           the inputs were made up: --samples DIR measures what counts');
  lines.push(...leftInFloat32(report));
  if (report.at !== null && quantized !== null) {
    lines.push(
      `cut here:  kerf split ${printable(quantized.file)} --at ${report.at.map(printable).join(',')} --out DIR`,
    );
  }
  return lines;
}

function whatRuns({ form, nodes, storedWeights, method }: QuantizeReport): string[] {
  const lines: string[] = [];
  if (nodes !== null) {
    const type = form === 'fp16' ? 'float16' : 'int8';
    lines.push(`computes   ${nodes} nodes in ${type}${method === null ? '' : `, ranges by ${method}`}`);
  } else if (method !== null) lines.push(`ranges     ${method}`);
  if (storedWeights !== null && storedWeights > 0) {
    lines.push(`keeps      ${storedWeights} weights in int8, computed with in float32`);
  }
  return lines;
}

function leftInFloat32({ float32, form }: QuantizeReport): string[] {
  if (float32.length === 0) return [];
  const rest = float32.length - SHOWN;
  return [
    `float32    ${float32.length} ${float32.length === 1 ? 'node stays' : 'nodes stay'}${form === 'fp16' ? '' : ', the costliest first'}:`,
    ...float32.slice(0, SHOWN).map(({ node, reason }) => `           ${node}: ${reason}`),
    ...(rest > 0 ? [`           and ${rest} more (--json lists them)`] : []),
  ];
}
