import type { Alarm } from '../../model/alarm.ts';
import { standingAlarms, type AlarmEntry, type AlarmLog } from './alarm-log.ts';

/** Transitions that wait for a disk that fails; beyond it the oldest are given up (the alarm itself never). */
const unrecordedBound = 20_000;
/** A checkpoint stands after this many transitions, so that a start reads little. */
const checkpointEvery = 2_000;

/** Brings the book's transitions to the log in the tick they happen, again and again while the disk fails. */
export class AlarmRecorder {
  private readonly log: AlarmLog;
  private readonly recorded: (written: Alarm) => void;
  private readonly standing: () => readonly AlarmEntry[];
  private unrecorded: AlarmEntry[] = [];
  private sinceCheckpoint = 0;
  /** Number of the newest log entry known to be on disk. */
  private onDisk = 0;

  constructor(with_: {
    log: AlarmLog;
    /** The transition with that version of the alarm is on disk. */
    recorded: (written: Alarm) => void;
    /** All present alarms, for the checkpoint. */
    standing: () => readonly AlarmEntry[];
  }) {
    this.log = with_.log;
    this.recorded = with_.recorded;
    this.standing = with_.standing;
  }

  /** What was present when the log ended. */
  async readBack(): Promise<readonly AlarmEntry[]> {
    const { number, standing } = await standingAlarms(this.log);
    this.onDisk = number;
    return standing;
  }

  add(entry: AlarmEntry): void {
    this.write(entry);
    this.sinceCheckpoint += 1;
    if (this.sinceCheckpoint >= checkpointEvery) this.checkpoint();
  }

  /** Tries again what was refused. */
  retry(): void {
    if (this.unrecorded.length === 0) return;
    const waiting = this.unrecorded;
    this.unrecorded = [];
    for (const entry of waiting) this.write(entry);
  }

  checkpoint(): void {
    this.sinceCheckpoint = 0;
    // One that fails only makes the next start read further back.
    this.log
      .checkpoint({ version: 1, number: this.onDisk, standing: this.standing() })
      .catch(() => undefined);
  }

  private write(entry: AlarmEntry): void {
    this.log.append(entry).then(
      (number) => {
        this.onDisk = Math.max(this.onDisk, number);
        this.recorded(entry.alarm);
      },
      () => {
        // The log's own owner raises the technical alarm; here the alarm goes on, marked as not recorded.
        if (this.unrecorded.length >= unrecordedBound) this.unrecorded.shift();
        this.unrecorded.push(entry);
      },
    );
  }
}
