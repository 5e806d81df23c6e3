// A frame that the cloud will not answer in time -> a result made on the device.
import { type ErrorCode, KerfError, messageOf } from '@kerf/protocol';
import type { DevicePlan } from './device-plan.ts';
import type { FrameTask } from './frame-task.ts';
import { Lane } from './lane.ts';
import type { EdgeSessionOptions } from './options.ts';

/** However slow the device is, the cloud has the rest of the deadline for its answer. */
const LARGEST_RESERVE = 0.8;
/** For a processor that is busy with other things as well: this part of the deadline, within bounds. */
const SLACK = { share: 0.05, leastMs: 5, mostMs: 50 };
/** Until a local run was measured, this part of a frame's deadline is kept for it. */
const UNMEASURED_RESERVE = 0.25;

export class LocalFinisher {
  private readonly plan: DevicePlan;
  private readonly options: EdgeSessionOptions;
  private readonly lane = new Lane();
  private typicalMs: number | null = null;
  private queued = 0;

  constructor(plan: DevicePlan, options: EdgeSessionOptions) {
    this.plan = plan;
    this.options = options;
  }

  /** Time to keep before a deadline: one and a half typical runs for each frame that is in the lane, and this one, and some slack. */
  reserveMs(deadlineMs: number): number {
    const { localReserveMs } = this.options;
    if (localReserveMs !== null) return Math.min(localReserveMs, deadlineMs);
    const slackMs = Math.min(SLACK.mostMs, Math.max(SLACK.leastMs, deadlineMs * SLACK.share));
    const wanted =
      this.typicalMs === null ? deadlineMs * UNMEASURED_RESERVE : this.typicalMs * 1.5 * (this.queued + 1) + slackMs;
    return Math.min(wanted, deadlineMs * LARGEST_RESERVE);
  }

  /** Runs what is left of the frame; `reason` is null where the device is the frame's place. */
  finish(task: FrameTask, reason: ErrorCode | null): void {
    task.ledger.mark(task.stage === 'sent' ? 'networkMs' : task.stage === 'heading' ? 'headMs' : 'queueMs');
    task.stage = 'local';
    // A run that never ends must not gather frames behind it for ever.
    if (this.queued >= this.options.maxQueuedFrames) {
      task.fail('OVERLOADED', `${this.queued} frames wait for a run on the device`);
      return;
    }
    this.queued++;
    this.lane.push(async () => {
      if (!task.settled) await this.run(task, reason);
      this.queued--;
    });
  }

  private async run(task: FrameTask, reason: ErrorCode | null): Promise<void> {
    task.ledger.mark('queueMs');
    const { clock } = this.options;
    const startMs = clock.nowMs();
    try {
      const outputs = await this.plan.finish(task.inputs, task.headOutputs);
      const tookMs = clock.nowMs() - startMs;
      this.typicalMs = this.typicalMs === null ? tookMs : this.typicalMs * 0.75 + tookMs * 0.25;
      if (task.settled) return;
      task.ledger.mark('localMs');
      task.succeed({ outputs, placement: 'edge', fallbackReason: reason });
    } catch (error) {
      const fault = KerfError.from(error, 'BACKEND_FAILED', `the device could not run the frame: ${messageOf(error)}`);
      task.fail(fault.code, fault.message);
    }
  }
}
