// Whether hands are in gloves -> how large what they touch has to be.
import { createContext } from 'react';

export const targetPx = (gloves: boolean): number => (gloves ? 64 : 48);

/** CSS pixels, as `--target` of the stylesheet. */
export const TargetContext = createContext(targetPx(false));
