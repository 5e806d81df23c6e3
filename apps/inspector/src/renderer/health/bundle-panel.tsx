// The diagnostics as one file, shown whole before it is saved.
import type { BundleView } from '@kerf/bridge';
import { useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes } from '../shared/format.ts';
import { saveBlob } from '../shared/save-blob.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector } from '../shared/store.ts';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';

export function BundlePanel() {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const [bundle, setBundle] = useState<BundleView | null>(null);
  if (!may('engineer')) return null;
  return (
    <section className="panel bundle" aria-label={t('health.bundle')}>
      <h2>{t('health.bundle')}</h2>
      <p className="help">{t('health.bundleHelp')}</p>
      {bundle !== null && <Preview bundle={bundle} />}
      <FaultText fault={fault} />
      <div className="toolbar">
        <SteadyButton
          type="button"
          isOff={isBusy}
          onClick={() => void run(async () => setBundle(await bridge.call('health.bundle', {})))}
        >
          {t('health.bundleMake')}
        </SteadyButton>
        {bundle !== null && (
          <button
            type="button"
            className="primary"
            onClick={() => saveBlob(new Blob([bundle.text], { type: 'application/json' }), bundle.fileName)}
          >
            {t('health.bundleSave', { name: bundle.fileName })}
          </button>
        )}
      </div>
    </section>
  );
}

function Preview({ bundle: { text, hidden } }: { readonly bundle: BundleView }) {
  const { t, language } = useTexts();
  const label = t('health.bundlePreview', { size: formatBytes(new Blob([text]).size, language) });
  return (
    <>
      <p role="status">{t('health.bundleHidden', { hidden })}</p>
      <details open>
        <summary>{label}</summary>
        {/* Scrolled by keyboard too. */}
        <pre tabIndex={0} aria-label={label}>
          {text}
        </pre>
      </details>
    </>
  );
}
