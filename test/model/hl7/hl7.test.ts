import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage } from '../../../model/hl7/charset.ts';
import { createFramer, frame, type Framed } from '../../../model/hl7/frame.ts';
import {
  componentOf,
  escapeText,
  fieldOf,
  parseMessage,
  unescape,
  usualDelimiters,
  writeMessage,
} from '../../../model/hl7/message.ts';
import { readTime } from '../../../model/hl7/time.ts';

const head = 'MSH|^~\\&|MON|WARD|||20251121160000+0000||ORU^R01|1|P|2.6';
/** The text with each control character replaced. */
const printable = (text: string, by: string): string =>
  [...text].map((character) => (character < ' ' ? by : character)).join('');
const textsOf = (found: readonly Framed[]): string[] =>
  found.map(({ kind, bytes }) => `${kind} ${bytes.toString('latin1')}`);

describe('frames', () => {
  const messages = fc.array(
    fc.string({ maxLength: 30 }).map((text) => `${head}|${printable(text, '')}\r`),
    { maxLength: 4 },
  );
  const cuts = fc.array(fc.nat(400), { maxLength: 12 });

  test('come out whole however the stream is cut', () => {
    fc.assert(
      fc.property(messages, cuts, (sent, at) => {
        const bytes = Buffer.concat(sent.map((text) => frame(Buffer.from(text))));
        const framer = createFramer(100_000);
        const places = [...new Set([0, ...at.filter((each) => each < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const found = places
          .slice(1)
          .flatMap((to, index) => framer.push(bytes.subarray(places[index] ?? 0, to)));
        expect(found.map((each) => each.bytes.toString())).toEqual(sent);
        expect(found.every(({ kind }) => kind === 'message')).toBe(true);
        expect(framer.waiting).toBe(0);
      }),
      { seed: 20261121 },
    );
  });

  test('garbage before, between and after costs nothing but itself', () => {
    const framer = createFramer(1_000);
    const bytes = Buffer.concat([
      Buffer.from('noise'),
      frame(Buffer.from(head)),
      Buffer.from('xx\r\n'),
      frame(Buffer.from(head)),
      Buffer.from('end'),
    ]);
    expect(textsOf([...framer.push(bytes), ...framer.idle()])).toEqual([
      'garbage noise',
      `message ${head}`,
      'garbage xx\r\n',
      `message ${head}`,
      'garbage end',
    ]);
  });

  test('a message that was cut off by the next one is garbage', () => {
    const framer = createFramer(1_000);
    const bytes = Buffer.concat([Buffer.from(`\x0b${head}|cut`), frame(Buffer.from(head))]);
    expect(textsOf(framer.push(bytes)).map((text) => text.slice(0, 8))).toEqual(['garbage ', 'message ']);
  });

  test('without a frame a message ends where the next begins, or when the line is quiet', () => {
    const framer = createFramer(1_000);
    expect(textsOf(framer.push(Buffer.from(`${head}\rOBX|1\r${head}\rOBX|2\r`)))).toEqual([
      `message ${head}\rOBX|1\r`,
    ]);
    expect(textsOf(framer.idle())).toEqual([`message ${head}\rOBX|2\r`]);
    expect(framer.idle()).toEqual([]);
  });

  test('a stream without any end is bounded', () => {
    const framer = createFramer(1_000);
    framer.push(Buffer.from(`\x0b${head}`));
    for (let n = 0; n < 100; n++) framer.push(Buffer.alloc(900, 0x41));
    expect(framer.waiting).toBeLessThanOrEqual(1_000);
  });
});

describe('escapes', () => {
  test('every text comes back as it was, and adds no segment and no field', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const plain = printable(text, ' ');
        const escaped = escapeText(text, usualDelimiters);
        expect(unescape(escaped, usualDelimiters)).toBe(plain);
        const parsed = parseMessage(
          writeMessage({
            delimiters: usualDelimiters,
            segments: [
              { name: 'MSH', fields: ['MSH', '|', '^~\\&', 'A'] },
              { name: 'NTE', fields: ['NTE', '1', '', escaped] },
            ],
          }),
        );
        expect(parsed?.segments).toHaveLength(2);
        expect(componentOf(fieldOf(parsed?.segments[1], 3), 1, usualDelimiters)).toBe(plain);
      }),
      { seed: 20261121 },
    );
  });

  test('hexadecimal and formatting are read, an open escape stands as it is', () => {
    const read = (text: string): string => unescape(text, usualDelimiters);
    expect(read('a\\X41\\b')).toBe('aAb');
    expect(read('one\\.br\\two')).toBe('one two');
    expect(read('c:\\temp')).toBe('c:\\temp');
    expect(read('5\\T\\6\\F\\7')).toBe('5&6|7');
  });
});

describe('charsets', () => {
  const withCharset = (name: string): string => `MSH|^~\\&|监护|||||||1|P|2.6||||||${name}\rNTE|1||体温`;
  test.each([
    ['UNICODE UTF-8', 'utf-8'],
    ['UTF-8', 'utf-8'],
  ])('%s', (name) => {
    const { text, doubtful } = decodeMessage(Buffer.from(withCharset(name)));
    expect(text).toContain('体温');
    expect(doubtful).toBe(false);
  });

  test('GBK: 体温 in its two-byte form', () => {
    // 监护 and 体温 in GBK.
    const bytes = Buffer.concat([
      Buffer.from('MSH|^~\\&|'),
      Buffer.from('bce0bba4', 'hex'),
      Buffer.from('|||||||1|P|2.6||||||GBK\rNTE|1||'),
      Buffer.from('cce5cec2', 'hex'),
    ]);
    expect(decodeMessage(bytes).text).toContain('监护');
    expect(decodeMessage(bytes).text).toContain('体温');
  });

  test('a two-byte letter whose second byte looks like a bar parts no field', () => {
    // 瓅 is AD 7C in GBK: its second byte is the field separator.
    const bytes = Buffer.concat([
      Buffer.from('MSH|^~\\&|'),
      Buffer.from('ad7c', 'hex'),
      Buffer.from('|B|||||||P|2.6||||||GB 18030-2000\r'),
    ]);
    const message = parseMessage(decodeMessage(bytes).text);
    expect(fieldOf(message?.segments[0], 4)).toBe('B');
  });

  test('without MSH-18: UTF-8 if it can be, else GB 18030, marked', () => {
    expect(decodeMessage(Buffer.from('MSH|^~\\&|体温\r'))).toMatchObject({
      charset: 'utf-8',
      doubtful: false,
    });
    const gbk = Buffer.concat([Buffer.from('MSH|^~\\&|'), Buffer.from('cce5cec2', 'hex')]);
    expect(decodeMessage(gbk)).toMatchObject({ text: 'MSH|^~\\&|体温', doubtful: true });
  });
});

describe('times', () => {
  const atMs = Date.UTC(2025, 10, 21, 16, 0, 0);
  test.each([
    ['20251121160000+0000', undefined, atMs],
    ['20251121213000+0530', undefined, atMs],
    ['20251122000000', '+08:00', atMs],
    ['20251122000000', 'Asia/Shanghai', atMs],
    ['202511211600+0000', undefined, atMs],
    ['20251121160000.25-0000', undefined, atMs + 250],
  ])('%s in %s', (stamp, zone, expected) => {
    expect(readTime(stamp, zone)?.atMs).toBe(expected);
  });

  test('a time without a zone is no instant, but tells how far it is from another', () => {
    const early = readTime('20251122000000', undefined);
    const late = readTime('20251122000130', undefined);
    expect(early?.atMs).toBeUndefined();
    expect((late?.unzonedMs ?? 0) - (early?.unzonedMs ?? 0)).toBe(90_000);
  });

  test.each(['', '2025', '20250230120000', '20251121250000', 'yesterday'])('%s is no time', (stamp) => {
    expect(readTime(stamp, '+00:00')).toBeUndefined();
  });
});

test('no bytes make the reader throw', () => {
  const mutations = fc.array(fc.record({ at: fc.nat(120), byte: fc.nat(255) }), { maxLength: 8 });
  fc.assert(
    fc.property(mutations, fc.uint8Array({ maxLength: 60 }), (changes, tail) => {
      const bytes = Buffer.concat([Buffer.from(`${head}\rOBX|1|NM|147842^^MDC||70\r`), tail]);
      for (const { at, byte } of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
      parseMessage(decodeMessage(bytes).text);
      const framer = createFramer(10_000);
      framer.push(bytes);
      framer.idle();
    }),
    { numRuns: 2_000, seed: 20261121 },
  );
});
