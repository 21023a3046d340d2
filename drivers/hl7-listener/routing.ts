import type { Report } from './report.ts';
import type { Key } from './settings.ts';

export interface Member {
  readonly key: Key;
}

export interface Routing<M extends Member> {
  /** False: the key is another's. */
  add(member: M): boolean;
  remove(member: M): void;
  /** Whose part of a message this is; undefined for a sender nobody registered. */
  find(part: Pick<Report, 'header' | 'equipment' | 'location'>): M | undefined;
}

/**
 * Who is who behind one port: sending application and equipment, else application and place. A part that tells its
 * equipment never goes to a device registered by place alone: the monitor may have been moved. Who the patient is decides
 * nothing.
 */
export function createRouting<M extends Member>(): Routing<M> {
  const members = new Map<string, M>();
  const nameOf = ({ application, equipment, location }: Key): string =>
    equipment === undefined ? placed(application, location ?? '') : equipped(application, equipment);

  return {
    add: (member) => {
      const name = nameOf(member.key);
      if (members.has(name)) return false;
      members.set(name, member);
      return true;
    },
    remove: (member) => {
      if (members.get(nameOf(member.key)) === member) members.delete(nameOf(member.key));
    },
    find: ({ header, equipment, location }) => {
      for (const application of forms(header.application)) {
        const found =
          equipment === ''
            ? forms(location).map((place) => members.get(placed(application, place)))
            : forms(equipment).map((id) => members.get(equipped(application, id)));
        const first = found.find((member) => member !== undefined);
        if (first) return first;
      }
      return undefined;
    },
  };
}

const equipped = (application: string, equipment: string): string => key('equipment', application, equipment);
const placed = (application: string, location: string): string => key('location', application, location);
const key = (...parts: string[]): string => parts.map((part) => part.trim().toLowerCase()).join('\u0000');

/** Whole, and its first component alone. */
const forms = (id: string): string[] => {
  const first = id.split('^')[0] ?? '';
  return first === id ? [id] : [id, first];
};
