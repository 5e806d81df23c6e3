// What ffmpeg 5.1 says of cameras that do not answer, refuse or are not there -> why they are lost.
import { whyOfError } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { ffmpegFault } from '../../src/node/capture/ffmpeg-fault.ts';

const SAID = {
  'source-login': `[rtsp @ 0x55] method OPTIONS failed: 401 Unauthorized
rtsp://cam/x: Server returned 401 Unauthorized (authorization failed)`,
  'source-no-stream': `[rtsp @ 0x55] method OPTIONS failed: 404 Not Found
rtsp://cam/x: Server returned 404 Not Found`,
  'source-unreachable': `[tcp @ 0x55] Failed to resolve hostname cam: Name or service not known
rtsp://cam/x: Input/output error`,
  'source-forbidden': `[video4linux2,v4l2 @ 0x55] Cannot open video device /dev/video0: Permission denied
/dev/video0: Permission denied`,
  'source-busy': `[video4linux2,v4l2 @ 0x55] ioctl(VIDIOC_STREAMON): Device or resource busy
/dev/video0: Device or resource busy`,
};

test.each(Object.entries(SAID))('%s', (kind, said) => {
  const fault = ffmpegFault(said, 'ffmpeg ended with 1', null);
  expect(fault.code).toBe('SOURCE_LOST');
  expect(whyOfError(fault)).toEqual({ kind, message: `ffmpeg: ${said.split('\n').at(-1)}` });
});

test('what it does not know is left to ffmpeg, without the password', () => {
  const said = 'rtsp://line:p%40ss@cam/x: Server returned 5XX Server Error reply';
  const fault = ffmpegFault(said, 'ffmpeg ended with 1', 'p@ss');
  expect(whyOfError(fault)).toBeUndefined();
  expect(fault.message).toBe('ffmpeg: rtsp://line:***@cam/x: Server returned 5XX Server Error reply');
  expect(ffmpegFault('', 'ffmpeg ended with SIGSEGV', null).message).toBe('ffmpeg ended with SIGSEGV');
});
