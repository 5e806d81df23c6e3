// A fault -> what happened and what to do in the user's language, with the station's own words behind it.
import type { FaultView } from '@kerf/bridge';
import { en, type MessageKey } from '../i18n/en.ts';
import { useTexts } from '../i18n/messages.tsx';

export function FaultText({ fault, lead }: { readonly fault: FaultView | null; readonly lead?: string }) {
  const { t } = useTexts();
  if (fault === null) return null;
  return (
    <div className="fault" role="alert">
      {lead === undefined ? '' : `${lead} `}
      {t(keyOf(fault.code))} <span className="fault-detail">{fault.message}</span>
    </div>
  );
}

function keyOf(code: string): MessageKey {
  const key = `fault.${code}`;
  return Object.hasOwn(en, key) ? (key as MessageKey) : 'fault.other';
}
