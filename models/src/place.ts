// A scene, a defect's marks and a place on the part -> its colour, relief and gloss.
import type { DefectMarks } from './defects.ts';
import { cloudNoise, gridNoise } from './draw.ts';
import type { Scene } from './scene.ts';

/** The colour, relief and gloss of one place; fields are set anew by every `visit`. */
export class Place {
  red = 0;
  green = 0;
  blue = 0;
  shade = 1;
  gloss = 0;
  private readonly scene: Scene;
  private readonly lightX: number;
  private readonly lightY: number;
  private readonly cos: number;
  private readonly sin: number;

  constructor(scene: Scene, lightX: number, lightY: number) {
    this.scene = scene;
    this.lightX = lightX;
    this.lightY = lightY;
    this.cos = Math.cos(scene.pose.angle);
    this.sin = Math.sin(scene.pose.angle);
  }

  /** @param u, v place in the part's units. */
  visit(u: number, v: number, marks: DefectMarks | null): void {
    const { shape, look } = this.scene;
    const distance = shape.distance(u, v);
    const present = Math.min(1, Math.max(0, 0.5 - distance)) * (1 - (marks?.missing?.at(u, v) ?? 0));
    this.shade = 1;
    this.gloss = 0;
    this.red = this.green = this.blue = 0;
    if (present > 0) {
      this.material(u, v);
      this.bevel(u, v, distance);
      this.printed(u, v, marks);
      if (marks !== null) this.damaged(u, v, marks);
      this.gloss = look.gloss * present;
    }
    if (present < 1) this.onGround(u, v, distance, present);
  }

  private material(u: number, v: number): void {
    const { look, dust } = this.scene;
    let grey = Math.max(0.08, 1 + 2 * look.contrast * (look.grey(u, v) - 0.5));
    for (const speck of dust) {
      const away = (u - speck.u) ** 2 + (v - speck.v) ** 2;
      if (away < 9) grey += speck.tone * Math.exp(-away / (speck.radius * speck.radius));
    }
    this.red = look.tint[0] * grey;
    this.green = look.tint[1] * grey;
    this.blue = look.tint[2] * grey;
  }

  private bevel(u: number, v: number, distance: number): void {
    if (distance < -5) return;
    const { shape } = this.scene;
    const slopeX = shape.distance(u + 0.5, v) - shape.distance(u - 0.5, v);
    const slopeY = shape.distance(u, v + 0.5) - shape.distance(u, v - 0.5);
    this.shade *= 1 + 0.32 * (1 + Math.min(0, distance) / 5) * (slopeX * this.lightX + slopeY * this.lightY);
  }

  private printed(u: number, v: number, marks: DefectMarks | null): void {
    const { print } = this.scene;
    const ink = 0.9 * print.ink.at(u, v) * (1 - (marks?.erased?.at(u, v) ?? 0));
    if (ink > 0) this.blend(print.colour, ink);
  }

  private damaged(u: number, v: number, { cover, colour, tints, relief, shadow }: DefectMarks): void {
    if (shadow !== null) this.shade *= 1 - shadow.at(u, v);
    const covered = cover?.at(u, v) ?? 0;
    if (covered > 0) {
      const target = [colour[0] * this.red * 1.4, colour[1] * this.green * 1.4, colour[2] * this.blue * 1.4] as const;
      this.blend(tints ? target : colour, covered);
      // What casts a shadow does not lie in it.
      if (shadow !== null) this.shade += (1 - this.shade) * covered;
    }
    if (relief === null) return;
    const slopeX = relief.at(u + 0.7, v) - relief.at(u - 0.7, v);
    const slopeY = relief.at(u, v + 0.7) - relief.at(u, v - 0.7);
    if (slopeX === 0 && slopeY === 0) return;
    const towards = -(slopeX * this.lightX + slopeY * this.lightY) / 1.4;
    this.shade *= 1 + Math.max(-0.6, Math.min(0.8, 0.9 * towards));
  }

  private onGround(u: number, v: number, distance: number, present: number): void {
    const { ground, groundSeed, groundPlace, pose } = this.scene;
    const x = groundPlace === null ? u : groundPlace.x + pose.scale * (u * this.cos - v * this.sin);
    const y = groundPlace === null ? v : groundPlace.y + pose.scale * (u * this.sin + v * this.cos);
    const grain =
      0.8 + 0.4 * cloudNoise(x / 23, y / 23, groundSeed, 2) + 0.12 * (gridNoise(x * 1.3, y * 1.3, groundSeed) - 0.5);
    const tone = (grain * this.shadow(u, v, distance)) / (present > 0 ? this.shade : 1);
    this.red = this.red * present + ground[0] * tone * (1 - present);
    this.green = this.green * present + ground[1] * tone * (1 - present);
    this.blue = this.blue * present + ground[2] * tone * (1 - present);
  }

  /** The part's own shadow falls away from the light, a few units far. */
  private shadow(u: number, v: number, distance: number): number {
    if (distance >= 14) return 1;
    const fall = this.scene.shape.distance(u + this.lightX * 6, v + this.lightY * 6);
    return 1 - 0.45 * Math.min(1, Math.max(0, (3 - fall) / 6));
  }

  private blend([red, green, blue]: readonly [number, number, number], share: number): void {
    this.red += (red - this.red) * share;
    this.green += (green - this.green) * share;
    this.blue += (blue - this.blue) * share;
  }
}
