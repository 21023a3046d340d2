/** One OBX segment as it stands, its fields named (HL7 2.6 7.4.2, IHE DEV TF-2). */
import {
  componentOf,
  componentsOf,
  fieldOf,
  repetitionsOf,
  type Delimiters,
  type Segment,
} from '../../model/hl7/message.ts';
import { readTime, type Hl7Time } from '../../model/hl7/time.ts';

export interface Code {
  readonly code: string;
  readonly refId: string;
  readonly system: string;
}
export interface Row {
  /** OBX-2; empty on rows that tell of the device. */
  readonly type: string;
  readonly code: Code;
  /** OBX-3.4 to 3.6. */
  readonly alternate: Code;
  /** OBX-4. */
  readonly subId: string;
  /** OBX-5, repetitions and escapes as sent. */
  readonly raw: string;
  readonly unit: readonly string[];
  /** OBX-8. */
  readonly flags: readonly string[];
  /** OBX-11. */
  readonly status: string;
  /** OBX-14: its own time, of something measured once. */
  readonly time: Hl7Time | undefined;
  /** Told as measured once, in whichever field the sender has for it. */
  readonly aperiodic: boolean;
  /** OBX-18, its first repetition. */
  readonly equipment: string;
  readonly delimiters: Delimiters;
}

export function readRow(segment: Segment, delimiters: Delimiters, zone: string | undefined): Row {
  const field = (number: number): string => fieldOf(segment, number);
  const coded = (from: number): Code => ({
    code: componentOf(field(3), from, delimiters).trim(),
    refId: componentOf(field(3), from + 1, delimiters).trim(),
    system: componentOf(field(3), from + 2, delimiters).trim(),
  });
  const time = readTime(componentOf(field(14), 1, delimiters), zone);
  return {
    type: field(2).trim().toUpperCase(),
    code: coded(1),
    alternate: coded(4),
    subId: field(4).trim(),
    raw: field(5),
    unit: componentsOf(field(6), delimiters).map((each) => each.trim()),
    flags: repetitionsOf(field(8), delimiters).map((flag) =>
      componentOf(flag, 1, delimiters).trim().toUpperCase(),
    ),
    status: field(11).trim().toUpperCase(),
    time,
    // Three captures have the word in three different fields; the standard has the time of OBX-14 alone.
    aperiodic: time !== undefined || [12, 13, 17].some((number) => /\bAPERIODIC\b/i.test(field(number))),
    equipment: plainId(repetitionsOf(field(18), delimiters)[0] ?? '', delimiters),
    delimiters,
  };
}

/** An identifier of several components in one line, without the empty ones at its end. */
export const plainId = (raw: string, delimiters: Delimiters): string =>
  componentsOf(raw, delimiters).join('^').replace(/\^+$/, '').trim();

/** `1.3.1.150456` → MDS, VMD and channel; undefined for a sub-id of another form. */
export function treeOf(subId: string): { mds: string; vmd: string; channel: string } | undefined {
  const [mds, vmd, channel] = /^(\d+)\.(\d+)\.(\d+)(\.|$)/.exec(subId)?.slice(1, 4) ?? [];
  return mds !== undefined && vmd !== undefined && channel !== undefined ? { mds, vmd, channel } : undefined;
}

/** What a row is about, for the health of the device: never its value, which may hold a name. */
export const aboutOf = ({ code }: Row): string =>
  `${code.code} ${code.refId}`.replace(/[^ -~]/g, '·').slice(0, 80);
