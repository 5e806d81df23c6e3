// A picture and a station file -> what the model says of it on this device alone and in the cloud alone, and what each costs.

import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import type { Picture } from '../../capture/capture.ts';
import type { Way, WayName } from '../../look/way.ts';
import type { Judges } from '../../station/answer.ts';
import { judgeAnswer } from '../../station/answer.ts';
import { prepareFor, type Reading } from '../../station/reading.ts';
import type { StationConfig } from '../../station/station-file.ts';
import { nodeBackend } from '../node-backend.ts';
import { openMainModel } from '../station/open-models.ts';
import type { StationFile } from '../station/read-station-file.ts';

/** For a first answer of a cloud that has to be reached. */
const DEADLINE_MS = 20_000;
/** The first run of a model warms it up; the next says what one costs. */
const RUNS = 2;

export interface WaysSetting {
  readonly reading: Reading;
  readonly judges: Judges;
  readonly picture: Picture;
  /** Ends it before the next run of a model, and while an answer of the cloud is waited for. */
  readonly signal?: AbortSignal;
}

/**
 * One after the other, with models of their own, so that the line's sessions stay as they are.
 * @throws the signal's reason; what goes wrong on a way is a part of the answer.
 */
export async function compareWays({ config, folder }: StationFile, setting: WaysSetting): Promise<readonly Way[]> {
  const ways: Way[] = [];
  for (const way of ['edge', 'cloud'] as const) {
    const wanted = configFor(config, folder, way);
    if (typeof wanted === 'string') ways.push({ kind: 'impossible', way, reason: wanted });
    else {
      ways.push(
        await runWay(way, wanted, folder, setting).catch((error: unknown) => {
          setting.signal?.throwIfAborted();
          const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
          return { kind: 'failed' as const, way, code, message };
        }),
      );
    }
  }
  return ways;
}

function configFor(config: StationConfig, folder: string, way: WayName): StationConfig | 'no-cloud' | 'tail-only' {
  if (way === 'edge') return { ...config, cloud: null, model: { ...config.model, route: null } };
  if (config.cloud === null) return 'no-cloud';
  if (extname(config.model.path).toLowerCase() === '.onnx') {
    return { ...config, model: { ...config.model, resident: false, route: null } };
  }
  // A split has one way to its cloud, which holds the tail; a chain's has every way.
  if (!existsSync(join(resolve(folder, config.model.path), 'chain.json'))) return 'tail-only';
  return { ...config, model: { ...config.model, route: 'cloud' } };
}

async function runWay(
  way: WayName,
  config: StationConfig,
  folder: string,
  { reading, judges, picture, signal }: WaysSetting,
): Promise<Way> {
  signal?.throwIfAborted();
  const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
  try {
    const model = await openMainModel(config, { folder, backend, clock: systemClock, random: Math.random });
    try {
      const { inferer } = model.main;
      const coded = { ...reading, send: way === 'edge' ? null : reading.send };
      const read = await prepareFor(inferer.inputs, picture, coded);
      if ('verdict' in read) throw new KerfError('IMAGE_INVALID', read.reason?.message ?? 'the picture cannot be read');
      const { inputs } = read;
      for (let run = 1; ; run++) {
        const result = await inferer.infer(inputs, {
          deadlineMs: DEADLINE_MS,
          ...(signal === undefined ? {} : { signal }),
        });
        signal?.throwIfAborted();
        if (result.kind === 'failed') return { kind: 'failed', way, code: result.code, message: result.message };
        if (run < RUNS) continue;
        const { verdict, score } = judgeAnswer({ by: 'main', result }, judges, read);
        const { bytesUp, bytesDown, spans } = result;
        return { kind: 'answered', way, verdict, score, ms: spans.totalMs, bytesUp, bytesDown };
      }
    } finally {
      await model.close();
    }
  } finally {
    await backend.dispose();
  }
}
