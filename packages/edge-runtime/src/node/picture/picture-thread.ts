// Entry of the thread that works on a station's pictures.
import { parentPort } from 'node:worker_threads';
import { KerfError, messageOf } from '@kerf/protocol';
import { endWhenAsked } from '@kerf/protocol/node';
import { picturesWith } from '../../station/pictures-with.ts';
import { preparePicture } from '../../station/prepare-picture.ts';
import { DecodedPictures } from './decoded-pictures.ts';
import { imageLibrary } from './image-library.ts';
import { nodeCodec } from './node-codec.ts';
import {
  freeMemory,
  type JobReply,
  type JobRequest,
  type JobResults,
  type PictureJob,
  takenOver,
} from './picture-jobs.ts';

if (parentPort === null) throw new Error('picture-thread runs in a worker thread');
const port = parentPort;
endWhenAsked(port);
const decoded = new DecodedPictures();

try {
  // Not with the first picture, which has a deadline.
  imageLibrary();
} catch {
  // A platform without it is told so with each picture.
}

function work({ pictureId, picture, job }: JobRequest): Promise<JobResults[PictureJob['kind']]> {
  const codec = {
    ...nodeCodec,
    async decode() {
      const known = decoded.get(pictureId);
      if (known !== null) return known;
      const image = await nodeCodec.decode(picture);
      decoded.add(pictureId, image);
      return image;
    },
  };
  const pictures = picturesWith(codec);
  switch (job.kind) {
    case 'prepare':
      return preparePicture(picture, job.wanted, codec);
    case 'overlay':
      return pictures.overlay(picture, job.record);
    case 'shown':
      return pictures.shown(picture, job.size);
    case 'size':
      return pictures.sizeOf(picture);
  }
}

port.on('message', (message: JobRequest) => {
  const { id, job } = message;
  work({ ...message, picture: takenOver(message.picture) }).then(
    (result) => reply(job.kind, { id, kind: 'done', result }),
    (error: unknown) => {
      const { code, message: text } = KerfError.from(error, 'INTERNAL', messageOf(error));
      port.postMessage({ id, kind: 'failed', code, message: text } satisfies JobReply);
    },
  );
});

function reply(kind: PictureJob['kind'], done: Extract<JobReply, { kind: 'done' }>): void {
  try {
    port.postMessage(done, freeMemory(kind, done.result));
  } catch {
    // Some libraries give memory that cannot change hands: then it is copied.
    port.postMessage(done);
  }
}
