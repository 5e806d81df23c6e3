// A station file -> what its model says of single pictures, with a runtime of its own, apart from the line.
import { type Clock, KerfError, messageOf, type Random, systemClock } from '@kerf/protocol';
import { formatOfBytes } from '../../capture/taken.ts';
import type { Judged } from '../../station/answer.ts';
import { isFrameAtFault, judgeAnswer, unanswered } from '../../station/answer.ts';
import { picturesWith } from '../../station/pictures-with.ts';
import { prepareFor, type Reading } from '../../station/reading.ts';
import { nodeBackend } from '../node-backend.ts';
import { nodeCodec } from '../picture/node-codec.ts';
import { judgesOf } from './judges-of.ts';
import { openMainModel } from './open-models.ts';
import type { StationFile } from './read-station-file.ts';

export interface PartAnswer extends Pick<Judged, 'verdict' | 'score' | 'reason'> {
  /** From the picture to the verdict. */
  readonly tookMs: number;
}

export interface PartJudge {
  /** Hex SHA-256 of the model's file. */
  readonly release: string;
  /** @param picture PNG, JPEG or WebP. Never rejects: what cannot be judged is `NO_READ` or `ERROR`, as at the line. */
  judge(picture: Uint8Array): Promise<PartAnswer>;
  close(): Promise<void>;
}

/** A part that nobody waits for may take its time. */
const PATIENCE_MS = 60_000;

/**
 * The whole model runs on this device: nothing is asked of a cloud, and of a small model neither.
 * @throws {KerfError} CONFIG_INVALID, FILE_NOT_FOUND where the device does not hold all of the model; what loading throws.
 */
export async function openPartJudge(
  { config: given, folder }: StationFile,
  { clock = systemClock, random = Math.random }: { readonly clock?: Clock; readonly random?: Random } = {},
): Promise<PartJudge> {
  const config = { ...given, cloud: null, fallback: null, deadline: PATIENCE_MS };
  const provider = config.model.provider === 'cpu' ? {} : { executionProvider: config.model.provider };
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', ...provider });
  try {
    const opened = await openMainModel(config, { folder, backend, clock, random });
    const { inferer, release } = opened.main;
    const judges = await judgesOf(config, opened.thresholds, null);
    const { picture: rule, readable, partId } = config;
    const pictures = picturesWith(nodeCodec);
    const reading: Reading = { pictures, picture: rule, readable, partId, send: null };
    const judged = async (bytes: Uint8Array): Promise<Judged> => {
      try {
        const none = { code: 'IMAGE_INVALID' as const, message: 'the picture is no PNG, JPEG or WebP' };
        const format = formatOfBytes(bytes);
        if (format === null) return { ...unanswered(none, judges), verdict: 'NO_READ' };
        const read = await prepareFor(inferer.inputs, { kind: 'encoded', format, bytes }, reading);
        if ('verdict' in read) {
          return { ...unanswered(none, judges), ...read, isPartial: false };
        }
        const { inputs } = read;
        const outcome = await inferer.infer(inputs, { deadlineMs: PATIENCE_MS });
        if (outcome.kind === 'result') return judgeAnswer({ by: 'main', result: outcome }, judges, read);
        return unanswered({ code: outcome.code, message: outcome.message }, judges);
      } catch (error) {
        const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
        return unanswered({ code: isFrameAtFault(code) ? code : 'INTERNAL', message }, judges);
      }
    };
    return {
      release,
      async judge(picture) {
        const startMs = clock.nowMs();
        const { verdict, score, reason } = await judged(picture);
        return { verdict, score, reason, tookMs: clock.nowMs() - startMs };
      },
      async close() {
        await opened.close();
        await backend.dispose();
      },
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}
