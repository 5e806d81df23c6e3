// The fleet of a registry: who is in touch, what runs, and the rollouts under way.
import type { FleetView as Fleet } from '@kerf/bridge';
import { useEffect } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { Breakable } from '../shared/breakable.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatNumber } from '../shared/format.ts';
import { Loading } from '../shared/loading.tsx';
import { useCall } from '../shared/use-call.ts';
import { useRole } from '../shared/use-role.ts';
import { FleetDevicesPanel } from './fleet-devices-panel.tsx';
import { RolloutCard } from './rollout-card.tsx';

/** Between two looks at the registry, while somebody watches. */
const LOOK_MS = 5_000;

export function useFleet() {
  const asked = useCall('fleet.view', {});
  const { again } = asked;
  useEffect(() => {
    const timer = setInterval(again, LOOK_MS);
    return () => clearInterval(timer);
  }, [again]);
  return asked;
}

export function FleetView() {
  const { t } = useTexts();
  const { value, fault, again } = useFleet();
  const { role, may } = useRole();
  if (fault?.code === 'CONFIG_INVALID') return <p className="panel empty">{t('fleet.none')}</p>;
  return (
    <>
      <FaultText fault={fault} />
      {value === null && fault === null && <Loading />}
      {!may('engineer') && <p className="note">{t('fleet.role', { role: t(`role.${role}`) })}</p>}
      {value !== null && <Known fleet={value} onChanged={again} />}
    </>
  );
}

function Known({ fleet, onChanged }: { readonly fleet: Fleet; readonly onChanged: () => void }) {
  const { t, language } = useTexts();
  const { devices, rollouts } = fleet;
  return (
    <div className="updates-columns">
      <div className="updates-main">
        <h3 className="visually-hidden">{t('fleet.title')}</h3>
        {rollouts.length === 0 && <p className="panel empty">{t('fleet.noRollouts')}</p>}
        {rollouts.map((rollout) => (
          <RolloutCard key={rollout.id} rollout={rollout} onChanged={onChanged} />
        ))}
      </div>
      <div className="updates-side">
        <section className="panel" aria-label={t('fleet.registry')}>
          <h3>{t('fleet.registry')}</h3>
          <p className="address">
            <Breakable text={fleet.registry} />
          </p>
          <p>
            {t('fleet.inTouch', {
              seen: formatNumber(devices.seen, language),
              all: formatNumber(devices.all, language),
            })}
          </p>
          <div className="toolbar">
            <button type="button" onClick={onChanged}>
              {t('fleet.refresh')}
            </button>
          </div>
        </section>
        <FleetDevicesPanel devices={devices} title={t('fleet.versions')} />
      </div>
    </div>
  );
}
