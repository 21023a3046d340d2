/** Time-series servers as `vigil.yaml` names them. */
import { isIP } from 'node:net';
import Type, { type Static } from 'typebox';

const integer = (value: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, default: value, description });
const word = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 256, description }));

export const ServerSchema = Type.Object(
  {
    id: Type.String({
      pattern: '^[a-z0-9-]{1,64}$',
      description: 'its name in health, alarms and the API; keep it: undelivered data is kept under it',
    }),
    kind: Type.Union(
      [
        Type.Literal('influxdb-1'),
        Type.Literal('influxdb-2'),
        Type.Literal('influxdb-3'),
        Type.Literal('victoriametrics'),
      ],
      { description: 'what answers at the url' },
    ),
    url: Type.String({
      pattern: '^https?://[^\\s]+$',
      description: 'where it is written to; a VictoriaMetrics cluster: http://vminsert:8480/insert/0/influx',
    }),
    queryUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s]+$',
        description: 'where it is asked, if elsewhere; a cluster: http://vmselect:8481/select/0/prometheus',
      }),
    ),
    database: word(
      'of InfluxDB 1.x and 3.x; of 2.x for queries, if its DBRP mapping is not named as the bucket',
    ),
    retentionPolicy: word('of InfluxDB 1.x; its default one when absent'),
    org: word('of InfluxDB 2.x'),
    bucket: word('of InfluxDB 2.x'),
    user: word('of InfluxDB 1.x or of a proxy that asks for one; secret is then its password'),
    secret: Type.Optional(
      Type.Object(
        {
          file: word('file that holds the token or password; read again when the server refuses it'),
          env: word('environment variable that holds it'),
        },
        { additionalProperties: false },
      ),
    ),
    certificateAuthority: word('file with the certificates (PEM) that its own is checked against'),
    allowPlaintextOutward: Type.Boolean({
      default: false,
      description:
        'speak http to a server beyond this machine: values and the secret cross the network in the clear',
    }),
    measurement: Type.String({
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$',
      default: 'vigil',
      description: 'name of the measurement; VictoriaMetrics names its metrics {measurement}_{field}',
    }),
    longQueries: Type.Boolean({
      default: false,
      description: 'answers queries older than the historian keeps; one sink at most',
    }),
    gzip: Type.Boolean({ default: true, description: 'compress what is sent' }),
    gatherMs: integer(250, 0, 10_000, 'live observations are gathered this long for one request'),
    requestLines: integer(5_000, 1, 50_000, 'observations in one request at most'),
    deadlineMs: integer(8_000, 100, 120_000, 'a request that is not answered by then is sent again'),
    retryMaxMs: integer(
      60_000,
      100,
      3_600_000,
      'longest wait between two tries while it is away or overloaded',
    ),
    probeMs: integer(30_000, 100, 3_600_000, 'how often a paused one is tried again'),
    backlogPerS: integer(50_000, 1, 10_000_000, 'observations a second of the backlog beside the live lane'),
    lagAlarmMs: integer(300_000, 1_000, 86_400_000, 'behind by more than this is an alarm'),
    windowBytes: integer(
      8 * 1024 * 1024,
      1024 * 1024,
      256 * 1024 * 1024,
      'what waits in memory for its answer',
    ),
  },
  { additionalProperties: false },
);
export type ServerSettings = Static<typeof ServerSchema>;
export type ServerKind = ServerSettings['kind'];

/** One thing wrong with a sink, by the setting's name. */
export interface ServerMistake {
  readonly setting: string;
  readonly cause: string;
  readonly change: string;
}

/** What a schema cannot say: which settings belong together. */
export function mistakesOf(server: ServerSettings): ServerMistake[] {
  const mistakes: ServerMistake[] = [];
  const wrong = (setting: string, cause: string, change: string): void =>
    void mistakes.push({ setting, cause, change });
  for (const setting of needed[server.kind])
    if (server[setting] === undefined) wrong(setting, `${server.kind} needs it`, `Set ${setting}.`);
  const { secret, user } = server;
  if (secret && (secret.file === undefined) === (secret.env === undefined))
    wrong('secret', 'one of file and env is needed', 'Give either secret.file or secret.env.');
  if (user !== undefined && !secret)
    wrong('user', 'a user without a secret', 'Give secret.file or secret.env.');
  for (const setting of ['url', 'queryUrl'] as const) {
    const text = server[setting];
    if (text === undefined) continue;
    const url = URL.parse(text);
    if (!url) wrong(setting, 'it is no URL', 'Write it as http://host:port.');
    else if (url.username || url.password)
      wrong(setting, 'a secret in the URL would stand in logs', 'Use user and secret.');
    else if (url.search || url.hash)
      wrong(setting, 'it has a query', 'Leave out ? and #; Vigil adds what is needed.');
    else if (url.protocol === 'http:' && !isHere(url.hostname) && !server.allowPlaintextOutward)
      wrong(setting, `${url.hostname} is beyond this machine and there is no TLS`, plaintext);
  }
  return mistakes;
}

const plaintext = 'Use https, or set allowPlaintextOutward: true.';

const needed = {
  'influxdb-1': ['database'],
  'influxdb-2': ['org', 'bucket'],
  'influxdb-3': ['database'],
  victoriametrics: [],
} as const satisfies Record<ServerKind, readonly (keyof ServerSettings)[]>;

const isHere = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

/** The bucket or database, in the server's own word. */
export const placeOf = ({ kind, database, bucket }: ServerSettings): string =>
  kind === 'influxdb-2' ? `bucket ${bucket}` : database === undefined ? 'storage' : `database ${database}`;

/** Under this name the journal keeps what is undelivered. */
export const journalSinkId = (id: string): string => `server-${id}`;
