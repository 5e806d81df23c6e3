// Keys that are pressed outside of fields -> what they do.
import { useEffect } from 'react';

export function useKeys(onPress: (key: string) => void): void {
  useEffect(() => {
    const onKey = ({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): void => {
      if (ctrlKey || metaKey || altKey || /^(INPUT|SELECT|TEXTAREA)$/.test((target as HTMLElement).tagName)) return;
      onPress(key);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}
