// One part -> a zip with its whole record, its picture and its spans as a trace that timeline viewers open.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { fileNamePart } from '@kerf/protocol';
import { strToU8, zipSync } from 'fflate';
import { saveBlob } from '../shared/save-blob.ts';

export function exportPart(record: ResultRecord, picture: PictureView | null): void {
  const files = partFiles(record, picture);
  const name = fileNamePart(record.partId ?? record.resultId, 80);
  const zip = zipSync(files, { level: 0 }) as Uint8Array<ArrayBuffer>;
  saveBlob(new Blob([zip], { type: 'application/zip' }), `${name}.zip`);
}

/** The picture is the one on the screen: larger ones are made smaller for it. */
export function partFiles(record: ResultRecord, picture: PictureView | null): Record<string, Uint8Array> {
  return {
    'record.json': strToU8(`${JSON.stringify(record, null, 2)}\n`),
    'trace.json': strToU8(`${JSON.stringify(traceOf(record))}\n`),
    ...(picture === null ? {} : { [`picture.${picture.format}`]: picture.bytes }),
  };
}

/** Trace events as Chrome's and Perfetto's viewers read them: complete ones, in microseconds. */
function traceOf({ spans, resultId }: ResultRecord): object {
  return {
    displayTimeUnit: 'ms',
    traceEvents: spans.map(({ stage, startMs, durationMs }) => ({
      name: stage,
      cat: 'kerf',
      ph: 'X',
      ts: startMs * 1_000,
      dur: durationMs * 1_000,
      pid: 1,
      tid: 1,
      args: { resultId },
    })),
  };
}
