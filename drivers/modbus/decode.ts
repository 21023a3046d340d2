import type { DecodedItem } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import type { DecodeOptions } from '../driver.ts';
import {
  exceptionName,
  mismatch,
  readRequest,
  tables,
  type Reply,
  type RequestFrame,
  type Table,
} from './frame.ts';
import { createFramer } from './framer.ts';
import { readMap } from './map.ts';
import type { ModbusMap } from './map-schema.ts';
import { alertsOf, canaryHolds, observe } from './observe.ts';
import { createRegisters } from './registers.ts';

/** What one reply says, read against the request that caused it: a reply alone carries no address. */
export function decodeReply(bytes: Buffer, { map: content, request: asked }: DecodeOptions): DecodedItem[] {
  const refused = (cause: string): DecodedItem[] => [
    { kind: 'refused', cause, rawHex: bytes.toString('hex') },
  ];
  if (content === undefined) return refused('a Modbus reply needs --map F to be read');
  if (!asked) return refused('a Modbus reply carries no address: --request HEX is needed');
  const map = checkedMap(content);
  if (typeof map === 'string') return refused(map);
  const frame = readRequest(asked);
  if (typeof frame === 'string') return refused(frame);
  const reply = oneReply(bytes, frame);
  if (typeof reply === 'string') return refused(reply);
  const table = tableOf(frame.request.fc);
  const { address, count } = frame.request;
  const registers = createRegisters([{ table, address, count, data: reply.data ?? Buffer.alloc(0) }]);
  if (!canaryHolds(map, registers)) return refused('the canary register holds another value');
  const values = map.values.flatMap((value): DecodedItem[] => {
    const seen = observe(map, value, registers, 0);
    if (!seen) return [];
    // How long ago it was taken can be told from the bytes only relative to now, which a decoder does not know.
    const { takenAtMs: _, ...rest } = seen;
    return [{ kind: 'observation', ...rest } as DecodedItem];
  });
  const alerts = alertsOf(map, registers, new Set()).map((alert): DecodedItem => ({ kind: 'alert', alert }));
  return values.length + alerts.length > 0
    ? [...values, ...alerts]
    : refused('the map names nothing at these addresses');
}

function checkedMap(content: unknown): ModbusMap | string {
  try {
    return readMap('--map', content);
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** The one reply in the bytes, or in words why there is none that answers the request. */
function oneReply(bytes: Buffer, { framing, request, transaction }: RequestFrame): Reply | string {
  const { replies, broken } = createFramer(framing).push(bytes, undefined);
  const [first] = replies;
  if (!first || broken)
    return framing === 'rtu' ? 'no frame with a right checksum' : (broken ?? 'no whole frame');
  const answers = replies.filter((reply) => mismatch(request, reply, transaction) === undefined);
  if (answers.length > 1) return 'more than one reply to the request';
  const [answer] = answers;
  if (!answer) return mismatch(request, first, transaction) ?? 'no reply to the request';
  if (answer.exception === undefined) return answer;
  return `exception ${answer.exception} (${exceptionName(answer.exception)})`;
}

function tableOf(fc: number): Table {
  const found = Object.entries(tables).find(([, code]) => code === fc);
  return (found?.[0] ?? 'holding') as Table;
}
