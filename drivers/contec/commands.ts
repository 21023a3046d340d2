/**
 * All that may be sent to the oximeter: begin and end of its realtime data, and that somebody still listens. Clock,
 * stored records and settings of the device have codes of their own; none of them can be built here.
 */
export const operations = { start: 0xa1, keepalive: 0xaf, stop: 0xa2 } as const;
export type Operation = keyof typeof operations;

export const command = (operation: Operation): Buffer =>
  Buffer.from([0x7d, 0x81, operations[operation], 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
