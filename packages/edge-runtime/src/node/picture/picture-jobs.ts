// What crosses between a station and the thread that works on its pictures.
import type { ErrorCode } from '@kerf/protocol';
import type { Picture } from '../../capture/capture.ts';
import { adoptPixels, copyOfPixels } from '../../capture/rgb-pixels.ts';
import type { Judgement } from '../../station/judge/judgement.ts';
import type { ShownPicture, ShownSize } from '../../station/pictures.ts';
import type { PlainInputs, PreparedPicture } from '../../station/prepare-picture.ts';
import type { WantedInputs } from '../../station/reading-rules.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import { copyOf } from '../../worker/worker-messages.ts';

export type PictureJob =
  | { readonly kind: 'prepare'; readonly wanted: WantedInputs }
  | { readonly kind: 'overlay'; readonly record: ResultRecord }
  | { readonly kind: 'shown'; readonly size: ShownSize }
  | { readonly kind: 'size' };

export interface JobResults {
  readonly prepare: PreparedPicture<PlainInputs> | Judgement;
  readonly overlay: Uint8Array;
  readonly shown: ShownPicture;
  readonly size: { readonly width: number; readonly height: number };
}

export interface JobRequest {
  readonly id: number;
  /** The same for each job on the same picture. */
  readonly pictureId: number;
  readonly picture: Picture;
  readonly job: PictureJob;
}

export type JobReply =
  | { readonly id: number; readonly kind: 'done'; readonly result: JobResults[PictureJob['kind']] }
  | { readonly id: number; readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** A copy that can be handed over, and its memory: the picture stays with who asks. */
export function handedOver(picture: Picture): [Picture, ArrayBuffer[]] {
  if (picture.kind === 'encoded') {
    const bytes = copyOf(picture.bytes);
    return [{ ...picture, bytes }, [bytes.buffer]];
  }
  const image = copyOfPixels(picture.image);
  return [{ kind: 'pixels', image }, [image.data.buffer]];
}

/** The other end of {@link handedOver}. */
export function takenOver(picture: Picture): Picture {
  if (picture.kind === 'pixels') adoptPixels(picture.image);
  return picture;
}

/** The memory of a result that nothing else needs, so that it moves instead of being copied. */
export function freeMemory(kind: PictureJob['kind'], result: JobResults[PictureJob['kind']]): ArrayBuffer[] {
  if (kind === 'overlay') return whole([result as JobResults['overlay']]);
  if (kind !== 'prepare') return [];
  const { prepared } = result as PreparedPicture<PlainInputs>;
  if (prepared === null || prepared === undefined) return [];
  const inputs = [...prepared.inputs.values(), ...(prepared.small?.inputs.values() ?? [])];
  return whole(inputs.map((input) => ('image' in input ? input.bytes : input.data)));
}

function whole(values: readonly Uint8Array[]): ArrayBuffer[] {
  const owned = values.filter(
    ({ buffer, byteLength }) => buffer instanceof ArrayBuffer && buffer.byteLength === byteLength,
  );
  return [...new Set(owned.map(({ buffer }) => buffer as ArrayBuffer))];
}
