// A part that the station still holds -> its activation at the cut, and what other placements would say of it.
import type { PictureView, WhyLook, WhyWays } from '@kerf/bridge';
import { channelPictures, type ResultRecord } from '@kerf/edge-runtime';
import { compareWays, type Head, type OpenedStation, openHead, type StationFile } from '@kerf/edge-runtime/node';
import { decodePicture, resizePicture } from '../picture.ts';
import type { CallsOf } from './service-calls.ts';
import { Stoppable } from './stoppable.ts';

export interface WhyDeskParts {
  readonly opened: Pick<OpenedStation, 'station'>;
  /** As it is now. */
  readonly file: () => StationFile;
  readonly find: (resultId: string) => { readonly record: ResultRecord; readonly picture: PictureView } | null;
}

type Picture = Parameters<Head['run']>[0];

export class WhyDesk {
  private readonly parts: WhyDeskParts;
  private head: { readonly key: string; readonly opening: Promise<Head> } | null = null;
  /** One at a time: the line needs the processor more than a curious reader does. */
  private working: Promise<unknown> = Promise.resolve();
  private readonly asked = new Stoppable();

  constructor(parts: WhyDeskParts) {
    this.parts = parts;
  }

  readonly calls: CallsOf<'why'> = {
    'why.look': ({ resultId }) => this.turn(() => this.look(resultId)),
    'why.ways': ({ resultId }, { name }) =>
      this.asked.run(name, (signal) => this.turn(() => this.ways(resultId, signal))),
    'why.cancel': (_, { name }) => {
      this.asked.stop(name);
      return null;
    },
  };

  async close(): Promise<void> {
    await this.working;
    await this.closeHead();
  }

  private async look(resultId: string): Promise<WhyLook | null> {
    const found = this.parts.find(resultId);
    if (found === null) return null;
    const { record } = found;
    const at = Number(/^cut-(\d+)$/.exec(record.route)?.[1] ?? 1);
    const head = await this.headOf(record.release, at);
    const { picture, isNear } = await asTaken(found.picture);
    const tensors = (await head.run(picture)).map(({ name, tensor }) => ({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      pictures: channelPictures(tensor),
    }));
    return { hasCrossed: record.placement === 'split', isCut: head.isCut, isNear, tensors };
  }

  private async ways(resultId: string, signal: AbortSignal): Promise<WhyWays | null> {
    signal.throwIfAborted();
    const found = this.parts.find(resultId);
    if (found === null) return null;
    const { picture, isNear } = await asTaken(found.picture);
    const { reading, judges } = this.parts.opened.station;
    return { ways: await compareWays(this.parts.file(), { reading, judges, picture, signal }), isNear };
  }

  private async headOf(release: string, at: number): Promise<Head> {
    const key = `${release} ${at}`;
    if (this.head?.key !== key) {
      await this.closeHead();
      const { config, folder } = this.parts.file();
      this.head = { key, opening: openHead(config, folder, this.parts.opened.station.reading, at) };
    }
    try {
      return await this.head.opening;
    } catch (error) {
      // The next one who asks may have more luck.
      this.head = null;
      throw error;
    }
  }

  private async closeHead(): Promise<void> {
    const head = await this.head?.opening.catch(() => null);
    this.head = null;
    await head?.dispose();
  }

  private turn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.working.then(task);
    this.working = done.catch(() => {});
    return done;
  }
}

/** The screen's picture at the size that was taken, for whatever is placed by pixels. */
async function asTaken({ format, bytes, width, height }: PictureView): Promise<{ picture: Picture; isNear: boolean }> {
  const image = await decodePicture(bytes);
  if (image.width === width && image.height === height)
    return { picture: { kind: 'encoded', format, bytes }, isNear: false };
  return { picture: { kind: 'pixels', image: await resizePicture(image, width, height) }, isNear: true };
}
