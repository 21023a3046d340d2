import Type, { type Static } from 'typebox';

/** Where a byte stream comes from: one grammar for every driver (`/dev/serial/by-id/…` or `tcp://host:port`). */
export type PortAddress =
  | { readonly kind: 'serial'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const tcpPattern = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;

/** Reads a port name; undefined for whatever is not in the grammar. */
export function parsePort(text: string): PortAddress | undefined {
  const tcp = tcpPattern.exec(text);
  if (tcp) {
    const port = Number(tcp[2]);
    const host = (tcp[1] ?? '').replace(/^\[|\]$/g, '');
    return port >= 1 && port <= 65_535 ? { kind: 'tcp', host, port } : undefined;
  }
  return /^\/[^\0]+$/.test(text) ? { kind: 'serial', path: text } : undefined;
}

export const PortSchema = Type.String({
  pattern: '^(tcp://(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}|/.+)$',
  maxLength: 255,
  description: 'Serial port (best by /dev/serial/by-id/…, so that it keeps its name) or tcp://host:port',
});

export interface Line {
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
  readonly rtscts: boolean;
}

/** Speed settings of a serial port; the device's own defaults are given by its driver. Not used on tcp://. */
export const lineSchema = (defaults: Partial<Line> = {}) =>
  Type.Object(
    {
      baudRate: Type.Integer({ minimum: 300, maximum: 921_600, default: defaults.baudRate ?? 9600 }),
      dataBits: Type.Union([Type.Literal(8), Type.Literal(7)], { default: defaults.dataBits ?? 8 }),
      parity: Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')], {
        default: defaults.parity ?? 'none',
      }),
      stopBits: Type.Union([Type.Literal(1), Type.Literal(2)], { default: defaults.stopBits ?? 1 }),
      rtscts: Type.Boolean({ default: defaults.rtscts ?? false }),
    },
    { additionalProperties: false, default: {}, description: 'Serial speed and format' },
  );
export type LineSettings = Static<ReturnType<typeof lineSchema>>;
