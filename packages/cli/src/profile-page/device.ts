// What a browser tells of itself -> the device of a profile. Nothing of it is exact; all of it is for people.
import type { DeviceProfile } from '@kerf/splitter';

/** The part of `navigator` that is used; all of it may be missing. */
export interface BrowserFacts {
  readonly userAgent: string;
  readonly hardwareConcurrency?: number;
  readonly userAgentData?: {
    readonly brands?: readonly Brand[];
    getHighEntropyValues(hints: readonly string[]): Promise<HighEntropyValues>;
  };
}

interface Brand {
  readonly brand: string;
  readonly version: string;
}

interface HighEntropyValues {
  readonly model?: string;
  readonly platform?: string;
  readonly platformVersion?: string;
  readonly architecture?: string;
  readonly bitness?: string;
  readonly fullVersionList?: readonly Brand[];
}

/** `GPUAdapterInfo`: empty texts where the browser does not tell. */
export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
}

const HINTS = ['model', 'platform', 'platformVersion', 'architecture', 'bitness', 'fullVersionList'];
/** Longer texts are cut: a browser may claim anything. */
const MAX_TEXT = 200;

export interface BrowserDevice {
  readonly device: DeviceProfile['device'];
  /** Name and version of the browser, such as `['Chromium', '156.0.7000.1']`. */
  readonly browser: readonly [name: string, version: string];
}

/** @param adapter of the GPU that runs the model; null where the CPU does */
export async function describeDevice(facts: BrowserFacts, adapter: AdapterInfo | null): Promise<BrowserDevice> {
  const hints = (await facts.userAgentData?.getHighEntropyValues(HINTS).catch(() => null)) ?? {};
  const system = systemOf(hints) ?? systemOfAgent(facts.userAgent);
  const browser = browserOf(hints, facts);
  const cpu = [hints.architecture, hints.bitness === undefined ? undefined : `${hints.bitness} bit`];
  const processor = adapter === null ? joined(cpu) : gpuName(adapter);
  return {
    device: {
      name: clip(joined([hints.model]) || `${browser[0]} on ${system}`),
      processor: clip(
        processor || (adapter === null ? 'CPU, not told by the browser' : 'GPU, not told by the browser'),
      ),
      logicalCores: Math.max(1, facts.hardwareConcurrency ?? 1),
      system: clip(`${system}, ${browser.join(' ')}`),
    },
    browser,
  };
}

/** A browser gives the vendor's own description, or only family names. */
export function gpuName({ vendor, architecture, device, description }: AdapterInfo): string {
  return joined([description]) || joined([vendor, architecture, device]);
}

function systemOf({ platform, platformVersion }: HighEntropyValues): string | null {
  return joined([platform]) === '' ? null : joined([platform, platformVersion]);
}

/** In the order of trust: an iPad calls itself a Mac, Android calls itself Linux. */
const AGENT_SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android ([\d.]+)/, 'Android'],
  [/(?:iPhone|CPU) OS ([\d_]+)/, 'iOS'],
  [/Windows NT ([\d.]+)/, 'Windows'],
  [/CrOS \S+ ([\d.]+)/, 'ChromeOS'],
  [/Mac OS X ([\d_.]+)/, 'macOS'],
  [/Linux()/, 'Linux'],
];

function systemOfAgent(userAgent: string): string {
  for (const [pattern, name] of AGENT_SYSTEMS) {
    const match = pattern.exec(userAgent);
    if (match !== null) return joined([name, match[1]?.replaceAll('_', '.')]);
  }
  return 'an unknown system';
}

const AGENT_BROWSERS = [/(Firefox)\/([\d.]+)/, /(Edg)\/([\d.]+)/, /(Chrome)\/([\d.]+)/, /Version\/([\d.]+).*(Safari)/];

function browserOf(hints: HighEntropyValues, facts: BrowserFacts): readonly [string, string] {
  const brands = hints.fullVersionList ?? facts.userAgentData?.brands ?? [];
  // `Not A Brand` and its like are there to keep pages from relying on the list.
  const real = brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand));
  const named = real.find(({ brand }) => brand !== 'Chromium') ?? real[0];
  if (named !== undefined) return [clip(named.brand), clip(named.version)];
  for (const pattern of AGENT_BROWSERS) {
    const match = pattern.exec(facts.userAgent);
    if (match === null) continue;
    const [first = '', second = ''] = match.slice(1);
    return /^\d/.test(first) ? [second, first] : [first === 'Edg' ? 'Edge' : first, second];
  }
  return ['a browser', 'unknown'];
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}

function clip(text: string): string {
  return text.slice(0, MAX_TEXT);
}
