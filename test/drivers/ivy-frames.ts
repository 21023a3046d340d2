/** A frame as the monitor sends it: head, waves, lines, end. */
export const frame = (lines: readonly string[], waves: Buffer = Buffer.alloc(400, 0xfb)): Buffer =>
  Buffer.concat([
    Buffer.from([0xff]),
    Buffer.from('ANSAR-B '),
    waves,
    Buffer.from(lines.map((line) => `${line}\r`).join(''), 'latin1'),
    Buffer.from([0xfe]),
  ]);

/** As captured: no carbon dioxide, no second pressure, no temperatures. */
export const captured: readonly string[] = [
  'HR=1;80;ECG-II-DIAG;',
  'RR=1;35;APNEA: 20 SEC;',
  'ETCO2=1;;;',
  'SPO2=1;100;PR=80 ;',
  'NIBP=4;121;75;92;80;;',
  'P1=3;111;73;88;;',
  'P2=3;;;;NO TRANSDUCER;',
  'T1=1;;;',
  'T2=1;;;',
];

/** The captured lines with some put in place of their namesakes. */
export const withLines = (...changed: readonly string[]): readonly string[] =>
  captured.map((line) => changed.find((other) => other.split('=')[0] === line.split('=')[0]) ?? line);
