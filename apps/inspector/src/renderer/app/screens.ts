// The screens, in the order of their tabs and number keys.

export const SCREENS = ['line', 'results', 'thresholds', 'cut', 'samples', 'sessions', 'updates', 'health'] as const;
export type Screen = (typeof SCREENS)[number];
