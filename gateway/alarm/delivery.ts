import type { Delivery } from '../../model/alarm.ts';
import type { Table } from './presence.ts';

export const deliveries = ['queued', 'sent', 'received', 'shown', 'failed'] as const;

// One axis of CLINICAL 4, once for each recipient. `received`: the handheld has it. `shown`: it says that it shows it and
// can ring. `timeOver`: no word in time, or it cannot ring. `changed`: the alarm is another one now (it rose, rings again)
// and must be shown anew.
export const deliveryEvents = ['sent', 'received', 'shown', 'timeOver', 'changed'] as const;
export type DeliveryEvent = (typeof deliveryEvents)[number];
export type DeliveryEffect = 'markSent' | 'markReceived' | 'markShown' | 'passOn' | 'send';

/** The way of one alarm to one recipient. What comes late is still believed. */
export const delivery: Table<Delivery, DeliveryEvent, DeliveryEffect> = {
  queued: { sent: ['sent', 'markSent'], timeOver: ['failed', 'passOn'] },
  sent: {
    received: ['received', 'markReceived'],
    shown: ['shown', 'markReceived', 'markShown'],
    timeOver: ['failed', 'passOn'],
    changed: ['queued', 'send'],
  },
  received: { shown: ['shown', 'markShown'], timeOver: ['failed', 'passOn'], changed: ['queued', 'send'] },
  shown: { changed: ['queued', 'send'] },
  failed: {
    sent: ['sent', 'markSent'],
    received: ['received', 'markReceived'],
    shown: ['shown', 'markReceived', 'markShown'],
    changed: ['queued', 'send'],
  },
};
