// Modbus addresses of a station file -> doors, one for each address, shared by a trigger and a sink.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@kerf/protocol';
import type { PlcConfig } from '../../plc/plc-config.ts';
import { PlcDoor } from '../modbus/plc-door.ts';

export class PlcDoors {
  private readonly doors: { readonly config: PlcConfig; readonly door: PlcDoor }[] = [];
  private readonly setup: { readonly clock: Clock; readonly wallClock: () => number };

  constructor(setup: { readonly clock: Clock; readonly wallClock: () => number }) {
    this.setup = setup;
  }

  /** @throws {KerfError} INVALID_ARGUMENT for an address that is none. */
  of(given: PlcConfig & { readonly kind: string; readonly name: string }): PlcDoor {
    const { kind: _kind, name: _name, ...config } = given;
    const known = this.doors.find((one) => isDeepStrictEqual(one.config, config));
    if (known !== undefined) return known.door;
    const door = new PlcDoor({ config, ...this.setup });
    this.doors.push({ config, door });
    return door;
  }
}
