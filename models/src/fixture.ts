// Parts that are put into one place and taken out again -> what the camera above it sees at each frame.
import { expose } from './expose.ts';
import { damage } from './render.ts';
import { type PartRequest, PICTURE_SIZE, type Scene, sceneOf } from './scene.ts';
import { isWhole, marked, type Seen, type View, type ViewOptions } from './view.ts';

/** A part lies still for so long, and then the fixture is empty. */
const DWELL_MS = 1200;
const EMPTY_MS = 300;

export function fixtureView(options: ViewOptions): View {
  const { textures, seeds, framesPerSecond } = options;
  const fixture = seeds[0] as number;
  const empty = emptied(sceneOf(textures, { seed: fixture, defect: null, fixture }));
  let current = -1;
  let seen: Seen = empty;
  return (frame) => {
    const timeMs = (1000 * frame) / framesPerSecond;
    const part = Math.floor(timeMs / (DWELL_MS + EMPTY_MS));
    if (timeMs - part * (DWELL_MS + EMPTY_MS) >= DWELL_MS) return empty;
    // Nothing moves while a part lies there: one exposure does for all its frames.
    if (part !== current) seen = withPart(options, part, fixture);
    current = part;
    return seen;
  };
}

function withPart({ textures, seeds, defectAt }: ViewOptions, part: number, fixture: number): Seen {
  const request: PartRequest = { seed: seeds[part % seeds.length] as number, defect: defectAt(part), fixture };
  const scene = sceneOf(textures, request);
  const clean = expose(scene);
  const damaged = request.defect === null ? null : damage(scene, clean, request.defect, request.seed);
  const found = damaged === null ? { defectPixels: 0, defectBox: null } : marked(damaged.mask, 0, PICTURE_SIZE);
  const { x, y } = scene.pose;
  const place = { x: Math.round(x), y: Math.round(y), isWhole: isWhole(scene) };
  return {
    exposure: damaged?.exposure ?? clean,
    noise: scene.light.noise,
    parts: [{ part, text: scene.print.text, defect: request.defect, ...place, ...found }],
  };
}

/** The ground alone. */
function emptied(scene: Scene): Seen {
  const nowhere = { ...scene.shape, distance: () => 1000 };
  return { exposure: expose({ ...scene, shape: nowhere }), noise: scene.light.noise, parts: [] };
}
