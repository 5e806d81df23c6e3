// How many devices of a fleet run which release.
import type { FleetDevices } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { formatNumber, formatShare } from '../shared/format.ts';
import { TableHead } from '../shared/table-head.tsx';

export function FleetDevicesPanel({ devices, title }: { readonly devices: FleetDevices; readonly title: string }) {
  const { t, language } = useTexts();
  return (
    <section className="panel" aria-label={title}>
      <h3>{title}</h3>
      {devices.versions.length === 0 ? (
        <p className="empty">{t('updates.nothing')}</p>
      ) : (
        <table>
          <TableHead columns={[t('updates.release'), t('fleet.count')]} />
          <tbody>
            {devices.versions.map(({ release, devices: count }) => (
              <tr key={release}>
                <th scope="row">{release}</th>
                <td className="row-number">
                  {`${formatNumber(count, language)} (${formatShare(count / Math.max(1, devices.all), language)})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
