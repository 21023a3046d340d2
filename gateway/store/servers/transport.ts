/** One request to a time-series server, by the InfluxDB client's transport: no batching and no retry of its own. */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import type { Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import type { ServerSettings } from './settings.ts';

/** What came back: an answer of the server's, or why there was none. */
export type Reply =
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: string;
    }
  | { readonly none: string; readonly tooLarge?: true };

export interface Request {
  readonly method: 'GET' | 'POST';
  /** From the root of the server's URL on, with its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly gzip?: boolean;
  /** Where it is asked rather than written to. */
  readonly asking?: boolean;
  /** Larger answers are given up. */
  readonly mostBytes?: number;
  /** Monotonic; the sink's own deadline from now when absent. */
  readonly untilMs?: number;
}

const usualBytes = 64 * 1024;
const gzipFromBytes = 1_000;

export class Transport {
  private readonly settings: ServerSettings;
  private readonly clock: Clock;
  private readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  private clients: { readonly write: InfluxDB; readonly ask: InfluxDB } | undefined;

  constructor(settings: ServerSettings, clock: Clock) {
    this.settings = settings;
    this.clock = clock;
    const keep = { keepAlive: true, maxSockets: 8, timeout: 120_000 };
    this.agents = { http: new HttpAgent(keep), https: new HttpsAgent(keep) };
  }

  /** Secret and certificates are read anew before the next request: they may have been mended. */
  refresh(): void {
    this.clients = undefined;
  }

  /** Never rejects for what the world does; throws SINK_SECRET when secret or certificates cannot be read. */
  async send(request: Request): Promise<Reply> {
    this.clients ??= this.connect();
    const client = request.asking ? this.clients.ask : this.clients.write;
    const end = new AbortController();
    const leftMs = (request.untilMs ?? Infinity) - this.clock.monotonicMs();
    const deadlineMs = Math.max(
      0,
      Math.min(leftMs, request.untilMs === undefined ? this.settings.deadlineMs : leftMs),
    );
    let late = false;
    const cancel = this.clock.after(deadlineMs, () => {
      late = true;
      end.abort();
    });
    try {
      return await exchange(client, request, end);
    } catch (error) {
      if (late) return { none: `no answer within ${Math.round(deadlineMs)} ms` };
      if (error instanceof TooLarge) return { none: error.message, tooLarge: true };
      if (error instanceof HttpError)
        return { status: error.statusCode, headers: error.headers ?? {}, body: error.body ?? '' };
      return { none: wordsOf(error) };
    } finally {
      cancel();
    }
  }

  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private connect(): { write: InfluxDB; ask: InfluxDB } {
    const { settings } = this;
    const secret = readSecret(settings);
    const ca =
      settings.certificateAuthority === undefined
        ? undefined
        : readText(settings.id, settings.certificateAuthority);
    const client = (url: string): InfluxDB => {
      const secure = url.startsWith('https:');
      return new InfluxDB({
        url,
        ...(secret !== undefined && settings.user === undefined ? { token: secret } : {}),
        timeout: 0,
        ...(settings.user === undefined
          ? {}
          : {
              headers: {
                authorization: `Basic ${Buffer.from(`${settings.user}:${secret ?? ''}`).toString('base64')}`,
              },
            }),
        transportOptions: { agent: secure ? this.agents.https : this.agents.http, ...(ca ? { ca } : {}) },
      });
    };
    return { write: client(settings.url), ask: client(settings.queryUrl ?? settings.url) };
  }
}

class TooLarge extends Error {}

function exchange(client: InfluxDB, request: Request, end: AbortController): Promise<Reply> {
  const { method, path, body = '', contentType, mostBytes = usualBytes } = request;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let status = 0;
  let headers: Extract<Reply, { status: number }>['headers'] = {};
  return new Promise((resolve, reject) => {
    client.transport.send(
      path,
      body,
      {
        method,
        headers: { 'content-type': contentType ?? 'text/plain; charset=utf-8', accept: 'application/json' },
        ...(request.gzip ? { gzipThreshold: gzipFromBytes } : {}),
        signal: end.signal,
      },
      {
        responseStarted: (had, code) => {
          headers = had;
          status = code ?? 0;
        },
        next: (data) => {
          bytes += data.length;
          if (bytes > mostBytes) {
            reject(new TooLarge(`the answer is larger than ${mostBytes} bytes`));
            end.abort();
          } else chunks.push(data);
        },
        error: reject,
        complete: () => resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') }),
      },
    );
  });
}

/** Undefined when none is configured. Throws SINK_SECRET. */
function readSecret({ id, secret }: ServerSettings): string | undefined {
  if (!secret) return undefined;
  if (secret.file !== undefined) return readText(id, secret.file).trim();
  const found = process.env[secret.env ?? ''];
  if (found === undefined)
    throw new Fault('SINK_SECRET', { sink: id, cause: `the variable ${secret.env} is not set` });
  return found;
}

function readText(sink: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('SINK_SECRET', { sink, cause: `${file}: ${cause}` });
  }
}

const failures: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'the connection was refused: nothing listens there',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'the host does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  EPROTO: 'TLS failed: it may speak plain http',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS failed: it may speak plain http',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'TLS failed: it may speak plain http',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: its certificate is self-signed; name it as certificateAuthority',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS: the authority of its certificate is not trusted; set certificateAuthority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'TLS: the authority of its certificate is not trusted; set certificateAuthority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'TLS: the authority of its certificate is not trusted; set certificateAuthority',
  CERT_HAS_EXPIRED: 'TLS: its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: its certificate is for another host name',
};

/** Why there was no answer. An error's own words may hold a URL, never a secret or a body. */
function wordsOf(error: unknown): string {
  const { code = '', message = 'unknown' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code.startsWith('HPE_')) return 'what answers does not speak HTTP; it may want https';
  return failures[code] ?? message.slice(0, 200);
}
