// The device and its software: what a technician asks first.
import type { HealthView, StationView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatNumber, formatSpan, shortHash } from '../shared/format.ts';
import { PairsPanel } from '../shared/pairs-panel.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { useCall } from '../shared/use-call.ts';

export function HealthScreen() {
  const { t } = useTexts();
  const station = useStore(useInspector().station);
  const { value, fault, again } = useCall('health.view', {});
  return (
    <section className="health" aria-label={t('health.title')}>
      <h2>{t('health.title')}</h2>
      <div className="toolbar">
        <button type="button" onClick={again}>
          {t('health.refresh')}
        </button>
      </div>
      {fault !== null && (
        <p className="fault" role="alert">
          {t('error.call', { message: fault })}
        </p>
      )}
      <div className="figures">
        {value !== null && <Device health={value} />}
        {value !== null && <Software health={value} station={station} />}
        {station !== null && <Pipeline station={station} />}
      </div>
    </section>
  );
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
        [t('health.cpu'), `${health.cpu}, ${t('health.cores', { cores: health.cores })}`],
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

function Software({ health, station }: { readonly health: HealthView; readonly station: StationView | null }) {
  const { t, language } = useTexts();
  return (
    <PairsPanel
      title={t('health.software')}
      rows={[
        [t('health.version'), health.version],
        [t('health.runtime'), `${health.node}, ${health.platform}`],
        [t('health.uptime'), formatSpan(health.uptimeMs, language)],
        [t('health.provider'), health.provider ?? '–'],
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
      <table>
        <thead>
          <tr>
            <th scope="col">{t('health.stage')}</th>
            <th scope="col">{t('health.waiting')}</th>
            <th scope="col">{t('health.done')}</th>
            <th scope="col">{t('health.dropped')}</th>
          </tr>
        </thead>
        <tbody>
          {station.stages.map(({ name, waiting, done, dropped }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="row-number">{formatNumber(waiting, language)}</td>
              <td className="row-number">{formatNumber(done, language)}</td>
              <td className="row-number">{formatNumber(dropped, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
