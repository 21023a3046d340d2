import type { Alarm } from '../../model/alarm.ts';

/** One kind of technical alarm as a person reads of it; the watchers themselves decide. */
export interface TechnicalCondition {
  readonly condition: string;
  readonly when: string;
  readonly owner: NonNullable<Alarm['owner']>;
  readonly priority: string;
  readonly ends: string;
}

const risesWhenCritical = 'low; medium after 60 s on a critical metric';

/** Every technical condition this room raises, and those the rooms beside it do (CLINICAL 1, 2, 4 and 6). */
export const technicalConditions: readonly TechnicalCondition[] = [
  {
    condition: 'device-silent',
    when:
      'an associated device in use on a bed that is on sends nothing for the larger of 6 s and 3 of its periods, ' +
      'or its link is dead; silences within 2 s of each other on one host are one alarm that lists its beds',
    owner: 'nurse',
    priority: risesWhenCritical,
    ends: 'with its next message',
  },
  {
    condition: 'value-missing',
    when:
      'a metric with a limit, seen since the association began, gives no usable value for the larger of 10 s and ' +
      '3 periods while its device talks; one alarm a device',
    owner: 'nurse',
    priority: risesWhenCritical,
    ends: 'with a usable value',
  },
  {
    condition: 'value-invalid',
    when: 'values outside the span of the instrument for 10 s; one alarm a device',
    owner: 'nurse',
    priority: 'medium',
    ends: 'with a value inside the span, or one that is missing',
  },
  {
    condition: 'source-lost',
    when: 'none of the sources of a limit that is alarming gives a sample for longer than its maximum gap',
    owner: 'nurse',
    priority: risesWhenCritical,
    ends: 'with a sample, or with the alarm',
  },
  {
    condition: 'sources-disagree',
    when: 'two live sources of one quantity are apart by more than 20 % of the preferred for 60 s',
    owner: 'nurse',
    priority: 'low',
    ends: 'when they agree',
  },
  {
    condition: 'device-in-demo-mode',
    when: 'an associated device says that it is in demo or test mode; its values are not judged',
    owner: 'nurse',
    priority: 'medium',
    ends: 'when it operates, or with the association',
  },
  {
    condition: 'unregistered-patient',
    when:
      'a device in use without an association gives valid values for 30 s without a gap; the default limits of its ' +
      'ward apply from then on',
    owner: 'nurse',
    priority: 'low',
    ends: 'when a person associates it or ends it',
  },
  {
    condition: 'device-alert',
    when: 'an associated device says so of itself (leads, battery, pump …); code and text are as it sent them',
    owner: 'nurse',
    priority: "the device's own; medium where its code is unknown",
    ends: 'when the device says so',
  },
  {
    condition: 'alarm-source-lost',
    when: 'a device that alarms says nothing of it for the larger of 6 s and 3 of its intervals; its alarms are kept',
    owner: 'nurse',
    priority: 'low',
    ends: 'with its next list of alerts',
  },
  {
    condition: 'absence',
    when: 'a rule of the ward: a metric seen since the association gives no usable value for as long as the rule says',
    owner: 'nurse',
    priority: "the rule's",
    ends: 'with a usable value',
  },
  {
    condition: 'overdue',
    when: 'a rule of the ward: a metric that is measured now and then was not measured for twice its interval',
    owner: 'nurse',
    priority: 'low',
    ends: 'with the next measurement',
  },
  {
    condition: 'return-overdue',
    when: 'a patient who is away is not back at the expected time',
    owner: 'nurse',
    priority: 'low',
    ends: 'when the bed is on again',
  },
  {
    condition: 'nobody-assigned',
    when: 'a bed with an open association is in nobody’s care; one alarm a ward, at the charge nurse',
    owner: 'nurse',
    priority: 'medium',
    ends: 'when a nurse takes the bed',
  },
  {
    condition: 'alarm-unreached',
    when: 'an alarm of the ward rings at no handheld and no board; at everybody of the ward at once',
    owner: 'nurse',
    priority: 'medium; high when a high one is among them',
    ends: 'when each rings somewhere, or rests',
  },
  {
    condition: 'handheld-cannot-ring',
    when: 'a handheld on shift is hidden, locked, without sound or silent for 30 s; at the charge nurse',
    owner: 'nurse',
    priority: 'low',
    ends: 'when it can ring, or with the shift',
  },
  {
    condition: 'board-cannot-sound',
    when: 'a wall board has lost its sound, is hidden or silent for 5 s; at the charge nurse',
    owner: 'nurse',
    priority: 'medium',
    ends: 'when it can sound',
  },
  {
    condition: 'test',
    when: 'test mode of a named bed at a named handheld, half an hour at most; marked TEST, passed on to nobody',
    owner: 'nurse',
    priority: 'as asked for',
    ends: 'with its time, or by a person',
  },
  {
    condition: 'delivery-overflow',
    when: 'more low alarms wait for one handheld than its queue holds: the oldest is given up, never a high one',
    owner: 'biomed',
    priority: 'low',
    ends: 'when the queue is empty',
  },
  {
    condition: 'journal-unrecorded',
    when: 'values are judged but not recorded, because the disk is full or hangs',
    owner: 'biomed',
    priority: 'medium',
    ends: 'when the disk answers',
  },
  {
    condition: 'journal-filling',
    when: 'the journal has used so much of one of its bounds (journal.alarmAtPercent), because a sink does not take what waits',
    owner: 'biomed',
    priority: 'low',
    ends: 'when what waits is delivered',
  },
  {
    condition: 'journal-losing',
    when: 'the journal is at a bound and gives up what a sink has not had; the loss ledger says whose and when',
    owner: 'biomed',
    priority: 'medium',
    ends: 'after ten minutes without a loss',
  },
  {
    condition: 'part-fault',
    when: 'a part of the gateway says that it has a fault',
    owner: 'biomed',
    priority: 'low',
    ends: 'when the part is well',
  },
  {
    condition: 'sink-stopped',
    when:
      'a time-series server refuses what it is sent (medium), or has been away for 10 s (low); what it lacks is kept ' +
      'and delivered later',
    owner: 'biomed',
    priority: 'low or medium',
    ends: 'when it takes observations again',
  },
  {
    condition: 'sink-refusing',
    when: 'a time-series server refused observations for good; they stand in the loss ledger and in the historian',
    owner: 'biomed',
    priority: 'low',
    ends: 'when it has refused none for 10 minutes',
  },
  {
    condition: 'sink-lagging',
    when: 'a time-series server is behind by more than its lagAlarmMs',
    owner: 'biomed',
    priority: 'low',
    ends: 'when it is behind by less than half of that',
  },
  {
    condition: 'clock-stepped',
    when: "the machine's clock is apart from the gateway's by more than 2 s",
    owner: 'biomed',
    priority: 'low',
    ends: 'when they agree',
  },
];
