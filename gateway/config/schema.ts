import Type, { type Static, type TProperties } from 'typebox';
import { BrokerLimitsSchema } from '../../broker/limits.ts';
import { criticalMetrics } from '../alarm/source-order.ts';
import { ServerSchema } from '../store/servers/settings.ts';

/** A section: every setting has a default, nothing unknown is let through. */
const section = <P extends TProperties>(properties: P, description: string) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description });

const tls = Type.Optional(
  Type.Object(
    {
      certificate: Type.String({ description: 'file with the certificate chain, PEM' }),
      key: Type.String({ description: 'file with its private key, PEM' }),
    },
    { additionalProperties: false },
  ),
);

const listener = <P extends TProperties>(port: number, description: string, more: P) =>
  section(
    {
      ...more,
      host: Type.String({
        default: '127.0.0.1',
        description: 'address to bind to; loopback until you say otherwise',
      }),
      port: Type.Integer({ minimum: 0, maximum: 65_535, default: port, description: '0 = any free one' }),
      tls,
      allowPlaintextOutward: Type.Boolean({
        default: false,
        description:
          'bind beyond this machine without TLS: passwords and values then cross the network in the clear',
      }),
    },
    description,
  );

const integer = (value: number, minimum: number, description: string) =>
  Type.Integer({ minimum, default: value, description });
const bounded = (value: number, [minimum, maximum]: readonly [number, number], description: string) =>
  Type.Integer({ minimum, maximum, default: value, description });
const mebibyte = 1024 * 1024;

/**
 * `vigil.yaml`: listeners, paths, bounds, sinks. Wards, beds, devices, people and limits live in the registry;
 * nothing is in both. `docs/operating.md` lists these settings from this schema.
 */
export const ConfigSchema = section(
  {
    version: Type.Literal(1, { default: 1, description: 'format of this file' }),
    data: Type.String({ default: './data', description: 'folder of everything Vigil keeps' }),
    http: listener(8080, 'HTTP, the live stream and MQTT over WebSocket', {
      origins: Type.Array(Type.String(), {
        default: [],
        description: 'origins a browser may call from beside this one, as https://portal.hospital.example',
      }),
      trustProxy: Type.Array(Type.String(), {
        default: [],
        description: 'addresses or nets of reverse proxies whose X-Forwarded-For is believed',
      }),
    }),
    mqtt: listener(1883, 'MQTT for devices and driver hosts', {}),
    broker: section(
      { limits: section(BrokerLimitsSchema.properties, 'every bound of the front door') },
      'bounds of the front door',
    ),
    journal: section(
      {
        commitMs: integer(5, 1, 'a batch leaves for the disk when it is this old'),
        commitMessages: integer(256, 1, 'or holds this many messages'),
        segmentBytes: integer(16 * mebibyte, mebibyte, 'size of one segment file'),
        maxBytes: integer(
          4096 * mebibyte,
          16 * mebibyte,
          'all segments together; reaching it is an alarm and a loss',
        ),
        classBytes: section(
          {
            waveforms: integer(2048 * mebibyte, 16 * mebibyte, 'of them waveforms at most'),
            raw: integer(512 * mebibyte, 16 * mebibyte, 'raw messages and what could not be read'),
            numerics: integer(4096 * mebibyte, 16 * mebibyte, 'observations'),
            alarm: integer(4096 * mebibyte, 16 * mebibyte, 'what devices say of their alarms'),
          },
          'bounds of single classes within maxBytes: reaching one takes from that class only',
        ),
        alarmAtPercent: Type.Integer({
          minimum: 1,
          maximum: 100,
          default: 80,
          description: 'a technical alarm is raised when so much of one of these bounds is in use',
        }),
        booksDays: integer(90, 1, 'how long the counts by device and hour are kept'),
        reserveBytes: integer(
          4 * mebibyte,
          64 * 1024,
          'preallocated for the loss ledger, even, so that a full disk cannot keep it out',
        ),
        startRoomBytes: integer(
          8 * mebibyte,
          mebibyte,
          'kept for the next start and given up by it, so that a full disk cannot keep Vigil from starting',
        ),
        unrecordedAfterMs: integer(
          2_000,
          100,
          'a commit that has not returned by then: judged, ledgered, confirmed',
        ),
        replaceWriterAfterMs: integer(
          10_000,
          1_000,
          'a writer that hangs this long is given up for a second one',
        ),
      },
      'the durable log',
    ),
    historian: section(
      {
        retentionHours: integer(720, 1, 'how long the embedded store keeps vital signs and what is charted'),
        settingsRetentionHours: integer(
          720,
          1,
          'the same of what devices are set to, their texts and states',
        ),
        technicalRetentionHours: integer(168, 1, 'the same of rooms, supplies and batteries'),
        besideServerHours: integer(
          72,
          1,
          'nothing longer than this while a time-series server answers long queries',
        ),
        queryDeadlineMs: integer(5_000, 100, 'a query that takes longer is given up'),
        corrections: integer(1_000_000, 1_000, 'corrections by people that are kept; then more are refused'),
      },
      'the embedded store',
    ),
    waveforms: section(
      {
        retentionHours: integer(48, 1, 'how long waveforms are kept'),
        maxBytes: integer(
          8192 * mebibyte,
          16 * mebibyte,
          'all of them together on disk; reaching it deletes the oldest, is an alarm and a loss',
        ),
        stripBeforeS: bounded(20, [0, 600], 'a strip of an alarm begins so long before it was raised'),
        stripAfterS: bounded(10, [0, 600], 'and ends so long after; 0 and 0: none are kept'),
        stripRetentionDays: integer(14, 1, 'how long strips are kept'),
        stripMaxBytes: integer(
          1024 * mebibyte,
          mebibyte,
          'all strips older than the waveforms; beyond it the oldest go',
        ),
        queryDeadlineMs: integer(5_000, 100, 'a query that takes longer is given up'),
      },
      'the store of waveforms',
    ),
    sinks: Type.Array(ServerSchema, {
      maxItems: 8,
      default: [],
      description: 'time-series servers that get every observation, each with its own backlog',
    }),
    host: section(
      { enabled: Type.Boolean({ default: true, description: 'start a driver host beside the gateway' }) },
      'the driver host on this machine',
    ),
    alarms: section(
      {
        criticalMetrics: Type.Array(Type.String(), {
          default: [...criticalMetrics],
          description: 'metrics whose missing is medium after 60 s',
        }),
        charts: Type.String({
          default: '',
          description:
            "folder of the hospital's own score charts (YAML or JSON); one with a shipped id replaces it",
        }),
        scoreAgeContinuousS: integer(900, 60, 'a continuous value older than this is no part of a score'),
        scoreAgeEpisodicS: integer(
          3_600,
          60,
          'the same for cuff pressure, temperature, consciousness and oxygen',
        ),
      },
      'alarming',
    ),
    backup: section(
      {
        folder: Type.Optional(Type.String({ description: 'where backups asked for over the API are put' })),
        keyFile: Type.Optional(
          Type.String({ description: 'key they are sealed with, made by npm run backup -- --make-key FILE' }),
        ),
        copyTo: Type.Optional(
          Type.String({
            description:
              'a second folder, on another disk or machine, kept as a copy to start from; it must exist',
          }),
        ),
        copyEverySeconds: Type.Integer({
          minimum: 1,
          maximum: 60,
          default: 20,
          description: 'how often the second folder is brought up to date',
        }),
        storesEveryMinutes: integer(
          60,
          1,
          'how often the historian is copied whole; until then segments are kept',
        ),
      },
      'backup and the second folder',
    ),
    log: section(
      {
        level: Type.Union(
          [Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
          { default: 'info' },
        ),
      },
      'logging to standard output, as JSON lines',
    ),
  },
  'settings of one gateway',
);
export type Config = Static<typeof ConfigSchema>;
