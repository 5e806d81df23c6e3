// A page with a camera source and a keyboard scanner, for a test that watches both.
import { type Capture, cameraShape, type SourceState } from '@kerf/edge-runtime';
import { cameraSource, keyboardScanner } from '@kerf/edge-runtime/browser';
import { systemClock } from '@kerf/protocol';

export interface CameraReport {
  readonly sizes: readonly (readonly [width: number, height: number])[];
  /** Mean brightness of the first picture. */
  readonly brightness: number;
  readonly states: readonly string[];
  readonly counters: Record<string, number>;
  readonly partIds: readonly (string | null)[];
}

const streams: MediaStream[] = [];
const media = {
  enumerateDevices: () => navigator.mediaDevices.enumerateDevices(),
  getUserMedia: async (wanted?: MediaStreamConstraints) => {
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    streams.push(stream);
    return stream;
  },
};

function open(hasTrigger: boolean): {
  captures: Capture[];
  states: SourceState[];
  source: ReturnType<typeof cameraSource>;
  started: Promise<void>;
} {
  const setup = { name: 'camera', hasTrigger, clock: systemClock, random: Math.random, wallClock: Date.now };
  const config = cameraShape.read({ width: 384, height: 384, stall: '20 s' }, 'camera');
  const source = cameraSource(config, setup, media);
  const captures: Capture[] = [];
  const states: SourceState[] = [];
  const started = source.start({
    onCapture: async (capture) => void captures.push(capture),
    onState: (state) => states.push(state),
  });
  return { captures, states, source, started };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 3000) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function report({ captures, states, source }: ReturnType<typeof open>): CameraReport {
  const images = captures.flatMap(({ picture }) => (picture?.kind === 'pixels' ? [picture.image] : []));
  const first = images[0]?.data ?? new Uint8Array(0);
  return {
    sizes: images.slice(0, 3).map(({ width, height }) => [width, height]),
    brightness: first.reduce((sum, value) => sum + value, 0) / first.length,
    states: states.map(({ kind }) => kind),
    counters: { ...source.counters },
    partIds: captures.map(({ partId }) => partId),
  };
}

/** Three pictures; then the camera is pulled out, and comes back by itself; then it is stopped. */
export async function watchCamera(): Promise<CameraReport> {
  const opened = open(false);
  await opened.started;
  await until(() => opened.captures.length >= 3);
  const [track] = streams.at(-1)?.getVideoTracks() ?? [];
  track?.stop();
  track?.dispatchEvent(new Event('ended'));
  await until(() => opened.states.some(({ kind }) => kind === 'lost'));
  await until(() => opened.states.at(-1)?.kind === 'running');
  const before = opened.captures.length;
  await until(() => opened.captures.length > before);
  await opened.source.stop();
  return report(opened);
}

/** Each scanned code takes one picture. The test types the codes. */
export async function scanParts(count: number): Promise<CameraReport> {
  const opened = open(true);
  const scanner = keyboardScanner(globalThis, { name: 'keys', clock: systemClock }, { maxPauseMs: 1000 });
  await scanner.start((request) => opened.source.trigger(request));
  await opened.started;
  await until(() => opened.states.at(-1)?.kind === 'running');
  document.title = 'ready';
  await until(() => opened.captures.length >= count);
  await scanner.stop();
  await opened.source.stop();
  return report(opened);
}

Object.assign(globalThis, { watchCamera, scanParts });
