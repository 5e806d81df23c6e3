// Who the station says that this page is.
import { mayAct, type Role } from '@kerf/bridge';
import { useInspector, useStore } from './store.ts';

export function useRole(): { readonly role: Role; readonly may: (needed: Role) => boolean } {
  const link = useStore(useInspector().link);
  const role = link.kind === 'connected' ? link.hello.role : 'viewer';
  return { role, may: (needed) => mayAct(role, needed) };
}
