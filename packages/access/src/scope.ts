// The claims of a token -> whether it covers a model id, and what it may do in the registry.

/**
 * Whether `scope` covers `model`: an entry is a model id, `*` for all, or a prefix that ends in `/*`
 * (`line1/*` covers `line1/top` and `line1/a/b`, not `line1`).
 */
export function coversModel(scope: readonly string[], model: string): boolean {
  return scope.some((entry) => {
    if (entry === '*' || entry === model) return true;
    return entry.endsWith('/*') && model.startsWith(entry.slice(0, -1)) && model.length > entry.length - 1;
  });
}

/** Whether a text may stand in the models claim: a star nowhere but alone or as the last part. */
export function isScopeEntry(entry: unknown): entry is string {
  if (typeof entry !== 'string' || entry === '') return false;
  const star = entry.indexOf('*');
  return star === -1 || entry === '*' || (star === entry.length - 1 && entry.endsWith('/*') && entry.length > 2);
}

/**
 * What a token may do in the registry: `read` all but the audit log; `publish` releases; `devices` enrol, label, assign
 * and retire them; `rollouts` create and steer them; `approve` them; `audit` read and export the log.
 */
export const REGISTRY_PERMISSIONS = ['read', 'publish', 'devices', 'rollouts', 'approve', 'audit'] as const;

export type RegistryPermission = (typeof REGISTRY_PERMISSIONS)[number];

/** Whether a text may stand in the registry claim: a permission, or `*` for all of them. */
export function isRegistryPermission(entry: unknown): entry is RegistryPermission | '*' {
  return entry === '*' || REGISTRY_PERMISSIONS.some((known) => known === entry);
}

/** What a token may do with a cloud beyond using models: `manage` loads and unloads them. */
export const CLOUD_PERMISSIONS = ['manage'] as const;

export type CloudPermission = (typeof CLOUD_PERMISSIONS)[number];

/** Whether a text may stand in the cloud claim: a permission, or `*` for all of them. */
export function isCloudPermission(entry: unknown): entry is CloudPermission | '*' {
  return entry === '*' || CLOUD_PERMISSIONS.some((known) => known === entry);
}

/** Whether a cloud claim holds `wanted`. */
export function mayInCloud(claim: readonly string[], wanted: CloudPermission): boolean {
  return claim.includes(wanted) || claim.includes('*');
}

/** Whether a registry claim holds `wanted`. */
export function mayInRegistry(claim: readonly string[], wanted: RegistryPermission): boolean {
  return claim.includes(wanted) || claim.includes('*');
}
