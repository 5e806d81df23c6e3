// Frames of a station -> a .y4m file, and beside it what is true of each, one JSON object a line.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { PICTURE_SIZE } from './scene.ts';
import { type VideoOptions, videoFrames } from './video.ts';
import { y4mFrame, y4mHeader } from './y4m.ts';

/**
 * Writes `NAME.y4m` and `NAME.jsonl`, whose lines are `{frame, timeMs, parts}`; 221 kB a frame.
 * @returns frames and parts written.
 * @throws {KerfError} INVALID_ARGUMENT, before anything is written.
 */
export async function writeVideo(path: string, options: VideoOptions): Promise<{ frames: number; parts: number }> {
  if (!path.endsWith('.y4m')) throw new KerfError('INVALID_ARGUMENT', `the file must end in .y4m, got ${path}`);
  const frames = videoFrames(options);
  const { value: first } = await frames.next();
  const opened: FileHandle[] = [];
  const parts = new Set<number>();
  let count = 0;
  await mkdir(dirname(path), { recursive: true });
  try {
    const video = await open(path, 'w');
    opened.push(video);
    const list = await open(path.replace(/y4m$/, 'jsonl'), 'w');
    opened.push(list);
    await video.write(y4mHeader(PICTURE_SIZE, PICTURE_SIZE, options.framesPerSecond ?? 10));
    for (let frame = first; frame !== undefined; { value: frame } = await frames.next()) {
      const { image, ...truth } = frame;
      await video.write(y4mFrame(image));
      await list.write(`${JSON.stringify(truth)}\n`);
      for (const { part } of truth.parts) parts.add(part);
      count++;
    }
  } finally {
    for (const file of opened) await file.close();
  }
  return { frames: count, parts: parts.size };
}
