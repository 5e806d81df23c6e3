// A station file and two thresholds -> the file with just these changed: comments, order and everything else stay.
import type { Thresholds } from '@kerf/splitter';
import { editedText, editStationFile, type StationFileEdit } from './edit-station-file.ts';

/** The new text. @throws {KerfError} CONFIG_INVALID. */
export function withThresholds(text: string, thresholds: Thresholds): string {
  return editedText(text, thresholdsEdit(thresholds));
}

/** Either the old file or the new one is there, whatever happens. */
export function writeThresholds(path: string, thresholds: Thresholds): Promise<void> {
  return editStationFile(path, thresholdsEdit(thresholds));
}

function thresholdsEdit({ passBelow, ngAbove }: Thresholds): StationFileEdit {
  return (document) => {
    document.setIn(['thresholds', 'passBelow'], passBelow);
    document.setIn(['thresholds', 'ngAbove'], ngAbove);
  };
}
