// A part's picture with its mask and boxes, drawn outside React and outside of its thread: one renderer for live, still and replay.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { useEffect } from 'react';
import { usePaintedCanvas } from './use-painted-canvas.ts';

interface Props {
  readonly showOverlay: boolean;
  /** What the picture is, for those who cannot see it. */
  readonly label: string;
}

interface StillProps extends Props {
  readonly record: ResultRecord;
  readonly picture: PictureView;
}

export function PartPicture({ record, picture, showOverlay, label }: StillProps) {
  const { element, painted } = usePaintedCanvas(showOverlay);
  useEffect(() => painted.current?.still(record, picture), [painted, record, picture]);
  return <canvas ref={element} className="part-picture" role="img" aria-label={label} data-overlay={showOverlay} />;
}

/** The newest part, for as long as it is on the screen. */
export function LivePicture({ showOverlay, label }: Props) {
  const { element, painted } = usePaintedCanvas(showOverlay);
  useEffect(() => painted.current?.live(), [painted]);
  return <canvas ref={element} className="part-picture" role="img" aria-label={label} data-overlay={showOverlay} />;
}
