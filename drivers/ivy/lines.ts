/** One line: `NAME=n;v1;…;vn;label;alarm;`. */
export interface Line {
  /** Numbers; null for an empty field. */
  readonly values: readonly (number | null)[];
  /** The texts behind the numbers: one (a label or a message) or two (a label and an alarm). */
  readonly texts: readonly string[];
}

/** How many numbers each line has. There is no checksum, so the form itself is the check. */
const counts: Readonly<Record<string, number>> = {
  HR: 1,
  RR: 1,
  ETCO2: 1,
  SPO2: 1,
  NIBP: 4,
  P1: 3,
  P2: 3,
  T1: 1,
  T2: 1,
};

/** Lines by name; in words why the text is none. One wrong line makes the whole frame doubtful. */
export function readLines(text: string): ReadonlyMap<string, Line> | string {
  if (!text.endsWith('\r')) return 'the text does not end with a line';
  const found = new Map<string, Line>();
  for (const row of text.slice(0, -1).split('\r')) {
    const [, name, rest] = /^([A-Z][A-Z0-9]{0,7})=([ -~]*);$/.exec(row) ?? [];
    if (name === undefined || rest === undefined) return 'a line has another form';
    if (found.has(name)) return `${name} twice`;
    const [count = '', ...fields] = rest.split(';');
    const numbers = Number(count);
    if (!/^\d$/.test(count) || fields.length < numbers || fields.length > numbers + 2) {
      return `${name} has another number of fields`;
    }
    if ((counts[name] ?? numbers) !== numbers) return `${name} has another number of values`;
    const values = fields.slice(0, numbers).map(readNumber);
    if (values.includes(undefined)) return `${name} has a value that is no number`;
    const texts = fields.slice(numbers).map((field) => field.trim());
    found.set(name, { values: values as (number | null)[], texts });
  }
  return found.size > 0 ? found : 'no lines';
}

/** Null for an empty field, undefined for what is no number. */
function readNumber(field: string): number | null | undefined {
  const text = field.trim();
  if (text === '') return null;
  return /^-?\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}
