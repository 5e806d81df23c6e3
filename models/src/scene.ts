// A seed -> everything that a picture shows but its defect: part, pose, light, ground, dust.
import type { Defect } from './defects.ts';
import { Draws } from './draw.ts';
import { type PartShape, type Print, partPrint, partShape } from './part.ts';
import { SURFACES, type Surface, type SurfaceLook, surfaceLook, type Textures } from './surface.ts';

/** Pixels of a side. */
export const PICTURE_SIZE = 384;

export interface PartRequest {
  /** Everything that is drawn follows from it. */
  readonly seed: number;
  /** @default drawn */
  readonly surface?: Surface;
  /** Null for a good part. */
  readonly defect: Defect | null;
  /**
   * A fixture: parts of one kind in one pose and light, with the small play that a fixture has. Parts of one fixture
   * share this seed. @default null: every part lies and is lit as it comes
   */
  readonly fixture?: number | null;
}

/** Streams of draws, so that a defect changes nothing of the part that it is on. */
export const STREAM = {
  part: 1,
  surface: 2,
  print: 3,
  pose: 4,
  light: 5,
  defect: 6,
  camera: 7,
  dust: 8,
  play: 9,
} as const;

export interface Scene {
  readonly surface: Surface;
  readonly look: SurfaceLook;
  readonly shape: PartShape;
  readonly print: Print;
  readonly pose: { readonly x: number; readonly y: number; readonly angle: number; readonly scale: number };
  readonly light: Light;
  readonly ground: readonly [number, number, number];
  readonly groundSeed: number;
  /** Where the part's origin lies on a ground that moves with it, in the picture's units. Null: the ground is the part's own. */
  readonly groundPlace: { readonly x: number; readonly y: number } | null;
  readonly dust: readonly { readonly u: number; readonly v: number; readonly radius: number; readonly tone: number }[];
}

export interface Light {
  /** Direction towards it, radians in the picture. */
  readonly angle: number;
  readonly gain: readonly [number, number, number];
  readonly slope: number;
  readonly vignette: number;
  readonly spot: { readonly x: number; readonly y: number; readonly size: number; readonly strength: number };
  readonly blur: number;
  readonly noise: number;
}

export function sceneOf(textures: Textures, { seed, surface: wanted, fixture = null }: PartRequest): Scene {
  const shared = fixture ?? seed;
  const surfaceDraws = new Draws(shared, STREAM.surface);
  const drawn = surfaceDraws.pick(SURFACES);
  const surface = wanted ?? drawn;
  const ground = new Draws(shared, STREAM.camera);
  const level = ground.between(0.1, 0.22);
  const shape = partShape(new Draws(shared, STREAM.part));
  return {
    surface,
    // The same batch, another piece of material: only a fixture keeps even that.
    look: surfaceLook(surface, textures, surfaceDraws),
    shape,
    print: partPrint(new Draws(fixture === null ? seed : shared, STREAM.print), shape),
    pose: poseOf(new Draws(shared, STREAM.pose), fixture === null ? null : new Draws(seed, STREAM.play)),
    light: lightOf(new Draws(shared, STREAM.light)),
    ground: [level, level * ground.between(0.95, 1.08), level * ground.between(0.95, 1.15)],
    groundSeed: ground.whole(0, 1e9),
    groundPlace: null,
    dust: dustOf(new Draws(seed, STREAM.dust)),
  };
}

function poseOf(draws: Draws, play: Draws | null): Scene['pose'] {
  const middle = PICTURE_SIZE / 2;
  const pose = {
    x: middle + draws.between(-22, 22),
    y: middle + draws.between(-22, 22),
    angle: draws.between(-Math.PI, Math.PI),
    scale: draws.between(0.92, 1.14),
  };
  if (play === null) return pose;
  return {
    ...pose,
    x: pose.x + 0.5 * play.normal(),
    y: pose.y + 0.5 * play.normal(),
    angle: pose.angle + 0.002 * play.normal(),
  };
}

function lightOf(draws: Draws): Light {
  const exposure = draws.between(0.82, 1.2);
  return {
    angle: draws.between(-Math.PI, Math.PI),
    gain: [exposure * draws.between(0.95, 1.05), exposure, exposure * draws.between(0.94, 1.06)],
    slope: draws.between(0.05, 0.3),
    vignette: draws.between(0.05, 0.3),
    spot: {
      x: draws.between(90, 294),
      y: draws.between(90, 294),
      size: draws.between(50, 110),
      strength: draws.between(0.3, 1),
    },
    blur: draws.between(0.45, 0.95),
    noise: draws.between(0.8, 1.5),
  };
}

/** Harmless specks: what a station must not call a defect. */
function dustOf(draws: Draws): Scene['dust'] {
  return Array.from({ length: draws.whole(0, 9) }, () => ({
    u: draws.between(-120, 120),
    v: draws.between(-120, 120),
    radius: draws.between(0.6, 1.5),
    tone: draws.chance(0.5) ? draws.between(0.1, 0.25) : -draws.between(0.1, 0.25),
  }));
}
