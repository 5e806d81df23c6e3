// The device and its software: what a technician asks first.
import type { HealthView, StationView } from '@kerf/bridge';
import { FleetDevicesPanel } from '../fleet/fleet-devices-panel.tsx';
import { useFleet } from '../fleet/fleet-view.tsx';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes, formatNumber, formatSpan, joined, shortHash } from '../shared/format.ts';
import { PairsPanel } from '../shared/pairs-panel.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { TableHead } from '../shared/table-head.tsx';
import { Untold } from '../shared/untold.tsx';
import { useCall } from '../shared/use-call.ts';
import { Wide } from '../shared/wide.tsx';
import { AuditPanel } from './audit-panel.tsx';
import { BundlePanel } from './bundle-panel.tsx';
import { LinkTest } from './link-test.tsx';
import { SelfTest } from './self-test.tsx';

export function HealthScreen() {
  const { t } = useTexts();
  const { station: line, updates } = useInspector();
  const station = useStore(line);
  const release = useStore(updates)?.installed?.version ?? null;
  const { value, fault, again } = useCall('health.view', {});
  return (
    <section className="health" aria-label={t('health.title')}>
      <div className="screen-head">
        <h2>{t('health.title')}</h2>
        <button type="button" onClick={again}>
          {t('health.refresh')}
        </button>
      </div>
      <FaultText fault={fault} />
      <div className="figures">
        {value !== null && <Device health={value} />}
        {value !== null && <Software health={value} station={station} release={release} />}
        {station === null ? <Untold part="station" /> : <Pipeline station={station} />}
        <div className="health-tests">
          <LinkTest />
          <SelfTest />
        </div>
        <Fleet />
      </div>
      <AuditPanel />
      <BundlePanel />
    </section>
  );
}

/** Only where the station knows a registry. */
function Fleet() {
  const { t } = useTexts();
  const { value } = useFleet();
  return value === null ? null : <FleetDevicesPanel devices={value.devices} title={t('health.devices')} />;
}

function Device({ health }: { readonly health: HealthView }) {
  const { t, language } = useTexts();
  const { disk } = health;
  const free = (freeBytes: number, totalBytes: number): string =>
    t('health.memoryFree', { free: formatBytes(freeBytes, language), total: formatBytes(totalBytes, language) });
  const celsius = health.temperatureCelsius;
  return (
    <PairsPanel
      title={t('health.device')}
      rows={[
        [t('health.cpu'), joined([health.cpu, t('health.cores', { cores: health.cores })], language)],
        [
          t('health.load'),
          health.loadAverage === null ? t('health.unknown') : formatNumber(health.loadAverage, language, 2),
        ],
        [t('health.memory'), free(health.freeMemoryBytes, health.memoryBytes)],
        [t('health.process'), formatBytes(health.processBytes, language)],
        [t('health.disk'), disk === null ? t('health.unknown') : free(disk.freeBytes, disk.totalBytes)],
        [t('health.temperature'), celsius === null ? t('health.unknown') : `${formatNumber(celsius, language, 1)} °C`],
      ]}
    />
  );
}

interface SoftwareProps {
  readonly health: HealthView;
  readonly station: StationView | null;
  /** Version of the release; null where the model is a file. */
  readonly release: string | null;
}

function Software({ health, station, release }: SoftwareProps) {
  const { t, language } = useTexts();
  return (
    <PairsPanel
      title={t('health.software')}
      rows={[
        [t('health.version'), health.version],
        [t('health.runtime'), joined([health.node, health.platform], language)],
        [t('health.uptime'), formatSpan(health.uptimeMs, language)],
        [t('health.provider'), health.provider ?? '–'],
        ...(release === null ? [] : [[t('nav.updates'), t('updates.version', { version: release })] as const]),
        [t('health.release'), shortHash(station?.release ?? '–')],
      ]}
    />
  );
}

function Pipeline({ station }: { readonly station: StationView }) {
  const { t, language } = useTexts();
  return (
    <section className="panel" aria-label={t('health.stages')}>
      <h2>{t('health.stages')}</h2>
      <Wide label={t('health.stages')}>
        <table>
          <TableHead columns={[t('health.stage'), t('health.waiting'), t('health.done'), t('health.dropped')]} />
          <tbody>
            {station.stages.map(({ name, waiting, done, dropped }) => (
              <tr key={name}>
                <th scope="row">{t(`stage.${name}`)}</th>
                <td className="row-number">{formatNumber(waiting, language)}</td>
                <td className="row-number">{formatNumber(done, language)}</td>
                <td className="row-number">{formatNumber(dropped, language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}
