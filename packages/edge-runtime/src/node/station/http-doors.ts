// HTTP addresses of a station file -> doors, one for each address, shared by uploads and a trigger.
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { KerfError } from '@kerf/protocol';
import type { HttpDoorConfig } from '../../capture/http-config.ts';
import { type DoorWatch, HttpDoor } from '../http/http-door.ts';

export class HttpDoors {
  private readonly doors: { readonly config: HttpDoorConfig; readonly door: HttpDoor }[] = [];
  private readonly folder: string;
  private readonly secret: (name: string) => string | null;
  private readonly watch: DoorWatch;

  /** @param folder what relative paths are relative to. */
  constructor(folder: string, secret: (name: string) => string | null, watch: DoorWatch) {
    this.folder = folder;
    this.secret = secret;
    this.watch = watch;
  }

  /** @throws {KerfError} INVALID_ARGUMENT for an address that is none, a token that is not set, or doors that differ. */
  of({ listen, tokenFrom, allowAnyone, certificate, key }: HttpDoorConfig): HttpDoor {
    const at = (path: string | null): string | null => (path === null ? null : resolve(this.folder, path));
    const config = { listen, tokenFrom, allowAnyone, certificate: at(certificate), key: at(key) };
    const known = this.doors.find((one) => one.config.listen === listen);
    if (known !== undefined) {
      if (isDeepStrictEqual(known.config, config)) return known.door;
      throw new KerfError(
        'INVALID_ARGUMENT',
        `source and trigger at ${listen} share a door: give both the same token and certificate`,
      );
    }
    const door = new HttpDoor(config, tokenFrom === null ? null : this.tokenOf(tokenFrom), this.watch);
    this.doors.push({ config, door });
    return door;
  }

  private tokenOf(name: string): string {
    const token = this.secret(name);
    if (token !== null && token !== '') return token;
    throw new KerfError(
      'INVALID_ARGUMENT',
      `the environment variable ${name} is not set: it should hold the token of uploads`,
    );
  }
}
