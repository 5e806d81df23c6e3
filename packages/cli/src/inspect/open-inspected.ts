// A station file -> the station with its device's release, and the service that the Inspector asks: for a browser and the
// desktop alike.
import { join } from 'node:path';
import type { OutboxEvent } from '@kerf/edge-runtime';
import { type MediaHost, type OpenedStation, openStation, readStationFile } from '@kerf/edge-runtime/node';
import { picturesOf } from '../update/shadow-run.ts';
import { deviceOf, withRelease } from '../update/station-release.ts';
import { UpdateDesk } from '../update/update-desk.ts';
import { FleetDesk } from './fleet-desk.ts';
import { StationAudit } from './station-audit.ts';
import { StationService } from './station-service.ts';

export interface InspectedStation {
  readonly opened: OpenedStation;
  readonly service: StationService;
  /** Stops what is under way, then the station. */
  readonly close: () => Promise<void>;
}

export interface InspectedOptions {
  readonly onOutbox: (event: OutboxEvent) => void;
  readonly onNotice?: (message: string) => void;
  readonly onFault: (error: unknown) => void;
  /** Opens cameras where ffmpeg is not installed. */
  readonly media?: MediaHost;
}

/**
 * @param onFault hears of errors in background work
 * @throws {KerfError} what reading the file, its device and opening the station throw.
 */
export async function openInspected(
  path: string,
  { onFault, ...options }: InspectedOptions,
): Promise<InspectedStation> {
  const written = await readStationFile(path);
  const device = deviceOf(written);
  let file = await withRelease(written, true);
  const audit = await StationAudit.open(join(file.folder, `${file.config.station}.audit.jsonl`));
  const opened = await openStation(file, options);
  try {
    let service: StationService | null = null;
    const updates =
      device === null
        ? null
        : await UpdateDesk.open({
            file: written,
            device,
            onPicture: (listener) => picturesOf(opened.station, listener),
            async reload(next) {
              await opened.reload(next);
              file = next;
            },
            onChange: (view) => service?.showUpdates(view),
            onFault,
          });
    const inspected = new StationService(opened, file, {
      fileNow: () => file,
      updates,
      fleet: new FleetDesk(written),
      audit,
    });
    service = inspected;
    return {
      opened,
      service: inspected,
      async close() {
        await inspected.close();
        await updates?.close();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
