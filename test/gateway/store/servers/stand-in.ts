import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** One request as it came. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly lines: readonly string[];
}
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Lines that are stored all the same. */
  readonly stored?: readonly string[];
}
/** Undefined: the connection is kept and nothing is answered. */
export type Behave = (asked: Asked) => Answer | undefined;

/** Answers as InfluxDB 2.x and 3.x do where the real 1.x cannot: what it stores it holds by series and time. */
export interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Line by series and time: written twice it is there once. */
  readonly points: ReadonlyMap<string, string>;
  readonly requests: readonly Asked[];
  behave: Behave;
  /** What it tells of its time; the machine's own when absent. */
  dateHeader: (() => string) | undefined;
}

export const takesAll: Behave = ({ lines }) => ({ status: 204, stored: lines });

export async function openStandIn(behave: Behave = takesAll): Promise<StandIn> {
  const points = new Map<string, string>();
  const requests: Asked[] = [];
  let now = behave;
  let dateHeader: (() => string) | undefined;
  const answerOne = (asked: Asked, answer: ServerResponse): void => {
    requests.push(asked);
    const said = asked.method === 'GET' ? { status: 204 } : now(asked);
    if (!said) return;
    for (const line of ('stored' in said && said.stored) || []) points.set(identity(line), line);
    const { body, headers = {} } = said as Answer;
    answer.writeHead(said.status, {
      'content-type': 'application/json',
      'x-influxdb-version': 'v2.7.11',
      ...(dateHeader ? { date: dateHeader() } : {}),
      ...headers,
    });
    answer.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => answerOne(read(asked, Buffer.concat(chunks)), answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    points,
    requests,
    get behave() {
      return now;
    },
    set behave(next) {
      now = next;
    },
    get dateHeader() {
      return dateHeader;
    },
    set dateHeader(next) {
      dateHeader = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function read(asked: IncomingMessage, body: Buffer): Asked {
  const { pathname, searchParams } = new URL(asked.url ?? '/', 'http://here');
  const text = (asked.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8');
  return {
    method: asked.method ?? '',
    path: pathname,
    query: searchParams,
    token: asked.headers.authorization,
    lines: text === '' ? [] : text.split('\n'),
  };
}

const identity = (line: string): string => {
  const end = line.lastIndexOf(' ');
  return `${/^(?:\\.|[^ ])*/.exec(line)?.[0]}${line.slice(end)}`;
};
