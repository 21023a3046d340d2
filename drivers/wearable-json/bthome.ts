/** What an object of BTHome v2 is called by OpenMQTTGateway, its length, and how its number is counted. */
interface Form {
  readonly word: string;
  readonly bytes: 1 | 2;
  readonly signed: boolean;
  readonly divisor: number;
}
const forms: Readonly<Record<number, Form>> = {
  0x00: { word: 'packet', bytes: 1, signed: false, divisor: 1 },
  0x01: { word: 'batt', bytes: 1, signed: false, divisor: 1 },
  0x02: { word: 'tempc', bytes: 2, signed: true, divisor: 100 },
  0x03: { word: 'hum', bytes: 2, signed: false, divisor: 100 },
};
const version2 = 0x40;
const encrypted = 0x01;

/**
 * Service data of FCD2 as hexadecimal text. Objects stand in the order of their numbers; at the first that is not
 * known its length is not known either, so the rest is let go. An object that is cut short spoils the whole.
 */
export function readBtHome(text: string): [string, number][] {
  if (!/^([0-9a-fA-F]{2}){2,32}$/.test(text)) return [];
  const bytes = Buffer.from(text, 'hex');
  const head = bytes[0] ?? 0;
  if ((head & 0xe0) !== version2 || head & encrypted) return [];
  const told: [string, number][] = [];
  for (let at = 1; at < bytes.length;) {
    const form = forms[bytes[at] ?? 0xff];
    if (!form) break;
    if (at + 1 + form.bytes > bytes.length) return [];
    const raw = form.signed ? bytes.readIntLE(at + 1, form.bytes) : bytes.readUIntLE(at + 1, form.bytes);
    if (form.word !== 'packet') told.push([form.word, raw / form.divisor]);
    at += 1 + form.bytes;
  }
  return told;
}
