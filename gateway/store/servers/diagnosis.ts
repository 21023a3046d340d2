/** The test of a sink: asks its server step by step and says in words what is wrong. It writes one probe point. */
import type { Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import { causeOf, verdictOf, type Verdict } from './answers.ts';
import { askPath, exportPath, writePath } from './paths.ts';
import { controlLine } from './sender.ts';
import type { Diagnosis, Finding } from './server-protocol.ts';
import { placeOf, type ServerSettings } from './settings.ts';
import { Transport, type Reply } from './transport.ts';

/** The Date header has whole seconds and the answer was under way. */
const clockDoubtMs = 2_500;

/** Never rejects; takes at most four times the sink's deadline. */
export async function diagnose(settings: ServerSettings, clock: Clock): Promise<Diagnosis> {
  const transport = new Transport(settings, clock);
  try {
    return await new Examination(settings, transport, clock).run();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const finding: Finding = {
      about: 'secret',
      outcome: 'wrong',
      says: `${error.message}. ${error.whatToDo}`,
    };
    return { works: false, says: finding.says, findings: [finding] };
  } finally {
    transport.close();
  }
}

class Examination {
  private readonly settings: ServerSettings;
  private readonly transport: Transport;
  private readonly clock: Clock;
  private readonly findings: Finding[] = [];
  private seen: Pick<Diagnosis, 'version' | 'latencyMs' | 'clockOffsetMs'> = {};

  constructor(settings: ServerSettings, transport: Transport, clock: Clock) {
    this.settings = settings;
    this.transport = transport;
    this.clock = clock;
  }

  async run(): Promise<Diagnosis> {
    if (await this.hello()) {
      await this.write();
      if (this.settings.longQueries) await this.query();
    }
    const wrong = this.findings.find(({ outcome }) => outcome === 'wrong');
    const doubtful = this.findings.find(({ outcome }) => outcome === 'doubtful');
    const well = `it takes observations into ${placeOf(this.settings)}`;
    return {
      works: wrong === undefined,
      says: wrong?.says ?? (doubtful ? `${well}; but ${doubtful.says}` : well),
      findings: this.findings,
      ...this.seen,
    };
  }

  /** Is anybody there, is it what it should be, and what is its time? */
  private async hello(): Promise<boolean> {
    const askedMs = this.clock.monotonicMs();
    const path = this.settings.kind === 'victoriametrics' ? '/health' : '/ping';
    // A cluster's insert path answers no health: any answer of HTTP shows that somebody is there.
    const reply = await this.transport.send({ method: 'GET', path });
    const latencyMs = Math.round((this.clock.monotonicMs() - askedMs) * 10) / 10;
    if ('none' in reply) {
      this.find('url', 'wrong', `${this.settings.url}: ${reply.none}`);
      for (const about of ['server', 'place', 'write'] as const)
        this.find(about, 'not-tried', 'nobody answered');
      return false;
    }
    this.find('url', 'right', `${this.settings.url} answers in ${latencyMs} ms`);
    const version = versionOf(reply);
    this.seen = { latencyMs, ...(version === undefined ? {} : { version }) };
    this.kind(reply, version);
    this.time(reply, latencyMs);
    return true;
  }

  private kind(reply: Extract<Reply, { status: number }>, version: string | undefined): void {
    const { kind } = this.settings;
    if (kind === 'victoriametrics') {
      if (version === undefined || version.startsWith('VictoriaMetrics'))
        this.find('server', 'right', `it answered ${path(reply)}`);
      else this.find('server', 'doubtful', `it says it is InfluxDB ${version}; kind is ${kind}`);
      return;
    }
    if (version === undefined)
      return this.find(
        'server',
        'doubtful',
        `it does not say that it is an InfluxDB (status ${reply.status}); a proxy may hide it, or the url is another program's`,
      );
    const generation = /^v?(\d+)\./.exec(version)?.[1];
    const fits = generation === undefined || generation === kind.at(-1);
    this.find(
      'server',
      fits ? 'right' : 'doubtful',
      fits ? `InfluxDB ${version}` : `it is InfluxDB ${version}, but kind is ${kind}`,
    );
  }

  private time({ headers }: Extract<Reply, { status: number }>, latencyMs: number): void {
    const told = typeof headers['date'] === 'string' ? Date.parse(headers['date']) : NaN;
    if (!Number.isFinite(told)) return this.find('clock', 'not-tried', 'the server tells no time');
    // Half a second in the middle of the header's second, and half the way.
    const clockOffsetMs = Math.round(told + 500 - (this.clock.nowMs() - latencyMs / 2));
    this.seen = { ...this.seen, clockOffsetMs };
    const apart = Math.round(Math.abs(clockOffsetMs) / 1_000);
    if (Math.abs(clockOffsetMs) <= clockDoubtMs) this.find('clock', 'right', 'its clock agrees with ours');
    else
      this.find(
        'clock',
        'doubtful',
        `its clock is ${apart} s ${clockOffsetMs > 0 ? 'ahead of' : 'behind'} ours: see that both follow the same time server`,
      );
  }

  private async write(): Promise<void> {
    const line = controlLine(this.settings, this.clock.nowMs());
    const reply = await this.transport.send({ method: 'POST', path: writePath(this.settings), body: line });
    const verdict = verdictOf(reply, [line], this.clock.nowMs());
    if (verdict.kind === 'stored') {
      this.find('secret', 'right', this.settings.secret ? 'it was accepted' : 'none is asked for');
      this.find('place', 'right', `${placeOf(this.settings)} is there`);
      return this.find('write', 'right', 'a probe point was stored');
    }
    const [about, says] = this.refusal(verdict);
    this.find(about, 'wrong', says);
    if (about !== 'write') this.find('write', 'not-tried', 'see above');
  }

  private refusal(verdict: Exclude<Verdict, { kind: 'stored' }>): [Finding['about'], string] {
    const place = placeOf(this.settings);
    if (verdict.kind === 'tooLarge') return ['write', 'it takes not even one line: a proxy bounds the size'];
    const { cause } = verdict;
    if (verdict.kind === 'later') return ['write', `it takes nothing now: ${cause}`];
    if (verdict.kind === 'linesRefused') return ['write', `it refuses a plain point: ${cause}`];
    switch (verdict.code) {
      case 'SINK_SECRET_REFUSED':
        return ['secret', `${secretWords(this.settings)} is refused: ${cause}`];
      case 'SINK_FORBIDDEN':
        return ['secret', `${secretWords(this.settings)} is known, but may not write to ${place}: ${cause}`];
      case 'SINK_PLACE_UNKNOWN':
        return ['place', `there is no ${place}, or not this path: ${cause}`];
      default:
        return ['server', `what answers is no ${this.settings.kind}: ${cause}`];
    }
  }

  private async query(): Promise<void> {
    const { settings } = this;
    const plain = settings.kind === 'victoriametrics';
    const reply = await this.transport.send({
      method: 'POST',
      asking: true,
      path: plain ? exportPath : askPath(settings),
      body: plain
        ? `match[]=${encodeURIComponent(`${settings.measurement}_probe_ok`)}&start=0&end=1`
        : `q=${encodeURIComponent(`SELECT "ok" FROM "${settings.measurement}_probe" LIMIT 1`)}`,
      contentType: 'application/x-www-form-urlencoded',
    });
    const failed = 'none' in reply || reply.status !== 200 || /"error"/.test(reply.body);
    if (!failed) return this.find('query', 'right', 'it can be asked');
    const hint =
      settings.kind === 'influxdb-2'
        ? '; InfluxDB 2.x needs a DBRP mapping for the bucket (influx v1 dbrp create)'
        : '';
    this.find('query', 'wrong', `it cannot be asked: ${causeOf(reply)}${hint}`);
  }

  private find(about: Finding['about'], outcome: Finding['outcome'], says: string): void {
    this.findings.push({ about, outcome, says });
  }
}

const path = ({ status }: Extract<Reply, { status: number }>): string => `with status ${status}`;

function versionOf({ headers }: Extract<Reply, { status: number }>): string | undefined {
  const named = headers['x-influxdb-version'];
  return typeof named === 'string' ? named.slice(0, 64) : undefined;
}

function secretWords({ user, secret }: ServerSettings): string {
  if (!secret) return 'a request without a token or password';
  return user === undefined ? 'the token' : `the password of ${user}`;
}
