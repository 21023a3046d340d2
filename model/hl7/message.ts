/** HL7 version 2 messages as text: delimiters, segments, fields, escapes (HL7 2.6 chapter 2). No meaning of any segment. */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}
export const usualDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

export interface Segment {
  /** `OBX`. */
  readonly name: string;
  /** As sent, escapes included; `fields[3]` is OBX-3, and MSH counts its field separator as MSH-1. */
  readonly fields: readonly string[];
}
export interface Hl7Message {
  readonly delimiters: Delimiters;
  readonly segments: readonly Segment[];
}

/** A message of a bedside has far fewer; more is no message. */
const mostSegments = 20_000;

/** Undefined for what does not begin with an MSH segment that names its delimiters. */
export function parseMessage(text: string): Hl7Message | undefined {
  // Segments end with CR (2.6, 2.7); senders also send LF and CR LF.
  const lines = text.split(/[\r\n]+/).filter((line) => line !== '');
  const head = lines[0] ?? '';
  if (!/^MSH[^\w\s]/.test(head) || head.length < 8 || lines.length > mostSegments) return undefined;
  const field = head.charAt(3);
  const [component = '^', repetition = '~', escape = '\\', subcomponent = '&'] = head.slice(
    4,
    head.indexOf(field, 4) < 0 ? undefined : head.indexOf(field, 4),
  );
  const delimiters = { field, component, repetition, escape, subcomponent };
  const segments = lines.map((line): Segment => {
    const parts = line.split(field);
    const name = parts[0] ?? '';
    return { name, fields: name === 'MSH' ? ['MSH', field, ...parts.slice(1)] : parts };
  });
  return { delimiters, segments };
}

/** A field as sent, empty where it is not there; `""` (delete the value) is told as it is. */
export const fieldOf = (segment: Segment | undefined, number: number): string =>
  segment?.fields[number] ?? '';

export const repetitionsOf = (raw: string, { repetition }: Delimiters): string[] =>
  raw === '' ? [] : raw.split(repetition);

/** One component (from 1) of one repetition, its escapes read; a subcomponent beside others is the first. */
export function componentOf(raw: string, number: number, delimiters: Delimiters): string {
  const component = raw.split(delimiters.component)[number - 1] ?? '';
  return unescape(component.split(delimiters.subcomponent)[0] ?? '', delimiters);
}

/** All components with their escapes read. */
export const componentsOf = (raw: string, delimiters: Delimiters): string[] =>
  raw.split(delimiters.component).map((each) => unescape(each, delimiters));

/** \F\ \S\ \T\ \R\ \E\ and \X..\ (2.6, 2.7); formatting escapes (\.br\) become a space; others stand as sent. */
export function unescape(
  text: string,
  { field, component, repetition, escape, subcomponent }: Delimiters,
): string {
  if (!text.includes(escape)) return text;
  const meanings: Readonly<Record<string, string>> = {
    F: field,
    S: component,
    T: subcomponent,
    R: repetition,
    E: escape,
  };
  const parts = text.split(escape);
  let read = parts[0] ?? '';
  for (let at = 1; at < parts.length; at++) {
    const part = parts[at] ?? '';
    // An escape without its end is a character like others.
    if (at === parts.length - 1) {
      read += escape + part;
      break;
    }
    const plain =
      meanings[part] ?? hexOf(part) ?? (part.startsWith('.') || /^[HN]$/.test(part) ? ' ' : undefined);
    if (plain === undefined) read += escape + part;
    else {
      read += plain + (parts[at + 1] ?? '');
      at += 1;
    }
  }
  return read;
}

const hexOf = (part: string): string | undefined =>
  /^X([0-9A-Fa-f]{2})+$/.test(part) ? Buffer.from(part.slice(1), 'hex').toString('latin1') : undefined;

/** Text as it may stand in a component: no delimiter, no segment end. */
export function escapeText(
  text: string,
  { field, component, repetition, escape, subcomponent }: Delimiters,
): string {
  const letters = new Map([
    [field, 'F'],
    [component, 'S'],
    [subcomponent, 'T'],
    [repetition, 'R'],
    [escape, 'E'],
  ]);
  let written = '';
  for (const character of text) {
    const letter = letters.get(character);
    if (letter !== undefined) written += escape + letter + escape;
    else if (character < ' ') written += ' ';
    else written += character;
  }
  return written;
}

/** Segments as text; the fields are raw, as they go on the wire. */
export const writeMessage = ({ delimiters, segments }: Hl7Message): string =>
  segments
    .map(({ name, fields }) =>
      name === 'MSH'
        ? `MSH${delimiters.field}${fields.slice(2).join(delimiters.field)}\r`
        : `${fields.join(delimiters.field)}\r`,
    )
    .join('');
