import type { Grant, GuardHouse } from './guard-house.ts';
import { topicName } from './packets.ts';

/** What a topic of a PUBLISH is: granted, refused by name, or no topic name at all. */
export type GrantAnswer = Grant | { readonly refused: string } | 'no topic name';

export interface Grants {
  /** The right to the topic at bytes `from` to `to`. */
  of(bytes: Buffer, from: number, to: number): GrantAnswer;
}

const most = 1_024;

/** Rights of one connection, found again by the topic's bytes: a sender uses few topics and many messages. */
export function createGrants(house: Pick<GuardHouse, 'grant' | 'stillGranted'>): Grants {
  const known = new Map<number, Grant>();
  const ask = (bytes: Buffer, hash: number): GrantAnswer => {
    const name = topicName(bytes);
    if (name === undefined) return 'no topic name';
    const grant = house.grant(name, Buffer.from(bytes));
    if (!grant) return { refused: name };
    if (known.size >= most) known.clear();
    known.set(hash, grant);
    return grant;
  };
  return {
    of: (bytes, from, to) => {
      let hash = to - from;
      for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
      const grant = known.get(hash);
      if (!grant || !sameBytes(grant.bytes, bytes, from, to)) return ask(bytes.subarray(from, to), hash);
      return house.stillGranted(grant) ? grant : { refused: grant.name };
    },
  };
}

function sameBytes(known: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}
