import type { Alarm } from '../../model/alarm.ts';
import type { Bench } from './fixture.ts';

/** One good call of every route, in ward east. Tests made from the API's description fail where one is missing. */
export interface Example {
  readonly url: string;
  readonly body?: Record<string, unknown>;
  /** The same for something that does not exist; absent where the route names nothing. */
  readonly absent?: { readonly url?: string; readonly body?: Record<string, unknown> };
}

const soonMs = Date.now() + 3_600_000;
let made = 0;
/** The first alarm that rang: its strip is there when it is gone. */
let rung: string | undefined;
const freshId = (): string => `fresh-${++made}`;
const freshBed = (): string => `east-${3 + (++made % 10)}`;

const limits = {
  limits: [
    {
      metric: 'MDC_ECG_HEART_RATE',
      direction: 'high',
      priority: 'medium',
      value: 130,
      delayS: 10,
      hysteresis: 2,
      untilMs: soonMs,
    },
  ],
  reason: 'known tachycardia',
};

const wardLimits = {
  limits: [{ metric: 'MDC_RESP_RATE', direction: 'high', priority: 'medium', value: 45 }],
  deviceJudged: ['MDC_CONC_AWAY_CO2_ET'],
  rules: [
    {
      id: 'cuff',
      on: true,
      kind: 'overdue',
      metric: 'MDC_PRESS_BLD_NONINV_SYS',
      everyS: 900,
      priority: 'low',
    },
  ],
  reason: 'ward round',
};

/** Somebody on shift in ward east who has a bed and has asked for cover. */
function standingPeople({ people, identity }: Bench['services']) {
  const wards = ['east'];
  const ada = { id: 'ada', user: 'ada', name: 'Ada', roles: ['nurse' as const], wards };
  const colleague = identity.people().find((one) => one.user === 'colleague')?.id ?? 'nobody';
  const begun = people.shifts.openOf(ada.id) ?? people.shifts.begin(ada, { handheld: 'H-1', wards });
  const bed = { id: 'east-2', ward: 'east', label: '2' };
  const held = people.assignments.take(ada, bed, {});
  people.assignments.take({ ...ada, id: 'bo' }, bed, {});
  const open = people.covers.list({ open: true }).find((cover) => cover.from === ada.id);
  const cover = open ?? people.covers.ask(ada, { ward: 'east', to: colleague, minutes: 30 });
  const idOf = (row: { id: string } | string): string => (typeof row === 'string' ? row : row.id);
  return { shift: idOf(begun), assignment: held.id, cover: idOf(cover), colleague };
}
const tried = {
  metric: 'MDC_ECG_HEART_RATE',
  direction: 'high',
  priority: 'medium',
  value: 130,
  delayS: 19,
  hysteresis: 2,
  maxGapS: 15,
};

/** Made anew for each call, because some name what they make. */
export function examplesOf({ ids, job, services }: Bench): Readonly<Record<string, Example>> {
  const { east } = ids;
  const admission = {
    ward: 'east',
    bed: freshBed(),
    patient: { mrn: freshId(), name: 'Li', birthDate: '1950-01-31', sex: 'female' },
    profile: 'adult',
    admittedAtMs: Date.now(),
  };
  const device = {
    id: freshId(),
    label: 'Oximeter',
    ward: 'east',
    bed: 'east-2',
    driver: 'masimo',
    settings: { port: '/dev/ttyS1' },
    duty: 'spare',
    identity: { manufacturer: 'M', model: 'R', serial: '1' },
    assetNumber: 'A-1',
    periodMs: 1_000,
  };
  const association = {
    device: 'device-east-free',
    bed: 'east-1',
    encounter: east.encounter,
    beginAtMs: Date.now(),
  };
  const people = standingPeople(services);
  const charted = {
    device: `charted-${east.encounter}`,
    metric: 'pain-score',
    channel: '2',
    takenAtMs: Date.now(),
    boot: 'nobody:1',
    seq: 1,
  };
  const alarm = services.alarms.active({ ward: 'east' }).find((one) => one.kind === 'physiological');
  rung ??= alarm?.id;
  return {
    'GET /health': { url: '/health' },
    'GET /metrics': { url: '/metrics' },
    'GET /api/v1/setup': { url: '/api/v1/setup' },
    'POST /api/v1/setup': {
      url: '/api/v1/setup',
      body: { token: 'x', user: 'ann', name: 'Ann', password: 'seven violet teapots' },
    },
    'POST /api/v1/session': {
      url: '/api/v1/session',
      body: { user: 'nobody', password: 'seven violet teapots' },
    },
    'GET /api/v1/session': { url: '/api/v1/session' },
    'DELETE /api/v1/session': { url: '/api/v1/session' },
    'GET /api/v1/wards': { url: '/api/v1/wards?limit=5' },
    'POST /api/v1/wards': {
      url: '/api/v1/wards',
      body: { id: freshId(), name: '3 North', profile: 'adult' },
    },
    'GET /api/v1/beds': { url: '/api/v1/beds?ward=east' },
    'POST /api/v1/beds': {
      url: '/api/v1/beds',
      body: { id: freshId(), ward: 'east', label: '9' },
      absent: { body: { id: 'east-9', ward: 'none', label: '9' } },
    },
    'GET /api/v1/beds/{id}': { url: '/api/v1/beds/east-1', absent: { url: '/api/v1/beds/none' } },
    'PUT /api/v1/beds/{id}/monitoring': {
      url: '/api/v1/beds/east-1/monitoring',
      body: { state: 'away', reason: 'CT', expectedReturnAtMs: soonMs },
      absent: { url: '/api/v1/beds/none/monitoring' },
    },
    'GET /api/v1/alarms': { url: '/api/v1/alarms?ward=east' },
    'GET /api/v1/alarms/history': {
      url: '/api/v1/alarms/history?bed=east-1&limit=3',
      absent: { url: '/api/v1/alarms/history?bed=none&limit=3' },
    },
    ...actsOn(alarm),
    'GET /api/v1/wards/{id}/alarm-limits': {
      url: '/api/v1/wards/east/alarm-limits?profile=adult',
      absent: { url: '/api/v1/wards/none/alarm-limits' },
    },
    'PUT /api/v1/wards/{id}/alarm-limits': {
      url: '/api/v1/wards/east/alarm-limits',
      body: { ...wardLimits, profile: 'child' },
      absent: { url: '/api/v1/wards/none/alarm-limits' },
    },
    'GET /api/v1/beds/{id}/review': {
      url: '/api/v1/beds/east-1/review',
      absent: { url: '/api/v1/beds/none/review' },
    },
    'POST /api/v1/beds/{id}/review/{entry}/seen': {
      url: '/api/v1/beds/east-1/review/none/seen',
      body: {},
      absent: { url: '/api/v1/beds/none/review/none/seen' },
    },
    'GET /api/v1/beds/{id}/scores': {
      url: '/api/v1/beds/east-1/scores',
      absent: { url: '/api/v1/beds/none/scores' },
    },
    'POST /api/v1/beds/{id}/scores/{score}/confirm': {
      url: '/api/v1/beds/east-1/scores/news2/confirm',
      body: { total: 3, parts: { rr: 3 } },
      absent: { url: '/api/v1/beds/none/scores/news2/confirm' },
    },
    'PUT /api/v1/encounters/{id}/score-settings': {
      url: `/api/v1/encounters/${east.encounter}/score-settings`,
      body: { scale: 2, spinalInjury: false, reason: 'hypercapnic failure, target 88 to 92' },
      absent: { url: '/api/v1/encounters/none/score-settings' },
    },
    'PUT /api/v1/encounters/{id}/profile': {
      url: `/api/v1/encounters/${east.encounter}/profile`,
      body: { profile: 'adult' },
      absent: { url: '/api/v1/encounters/none/profile' },
    },
    'POST /api/v1/alarms/{id}/redirect': {
      url: `/api/v1/alarms/${alarm?.id}/redirect`,
      body: { to: 'nobody' },
      absent: { url: '/api/v1/alarms/none/redirect' },
    },
    'GET /api/v1/alarms/{id}/deliveries': {
      url: `/api/v1/alarms/${alarm?.id}/deliveries`,
      absent: { url: '/api/v1/alarms/none/deliveries' },
    },
    'POST /api/v1/alarms/test': {
      url: '/api/v1/alarms/test',
      body: { bed: 'east-3', shift: people.shift, priority: 'low', minutes: 1 },
      absent: { body: { bed: 'none', shift: people.shift, priority: 'low', minutes: 1 } },
    },
    'DELETE /api/v1/alarms/test/{bed}': {
      url: '/api/v1/alarms/test/east-3',
      absent: { url: '/api/v1/alarms/test/none' },
    },
    'GET /api/v1/colleagues': { url: '/api/v1/colleagues?ward=east' },
    'GET /api/v1/handhelds': { url: '/api/v1/handhelds?ward=east' },
    'GET /api/v1/shifts': { url: '/api/v1/shifts?ward=east&open=true' },
    'POST /api/v1/shifts': {
      url: '/api/v1/shifts',
      body: {
        handheld: freshId(),
        wards: ['east'],
        check: { visible: true, wakeLock: true, audio: true, battery: 0.9, clockOffsetMs: 12 },
      },
      absent: { body: { handheld: freshId(), wards: ['none'] } },
    },
    'POST /api/v1/shifts/{id}/end': {
      url: `/api/v1/shifts/${people.shift}/end`,
      body: { keepBeds: true },
      absent: { url: '/api/v1/shifts/none/end' },
    },
    'GET /api/v1/assignments': { url: '/api/v1/assignments?ward=east&bed=east-1&open=true' },
    'POST /api/v1/assignments': {
      url: '/api/v1/assignments',
      body: { bed: 'east-1', relieve: true },
      absent: { body: { bed: 'none' } },
    },
    'POST /api/v1/assignments/{id}/end': {
      url: `/api/v1/assignments/${people.assignment}/end`,
      body: {},
      absent: { url: '/api/v1/assignments/none/end' },
    },
    'GET /api/v1/cover': { url: '/api/v1/cover?ward=east' },
    'POST /api/v1/cover': {
      url: '/api/v1/cover',
      body: { ward: 'east', to: people.colleague, minutes: 30 },
      absent: { body: { ward: 'none', to: people.colleague, minutes: 30 } },
    },
    'POST /api/v1/cover/{id}/accept': {
      url: `/api/v1/cover/${people.cover}/accept`,
      body: {},
      absent: { url: '/api/v1/cover/none/accept' },
    },
    'POST /api/v1/cover/{id}/end': {
      url: `/api/v1/cover/${people.cover}/end`,
      body: {},
      absent: { url: '/api/v1/cover/none/end' },
    },
    'GET /api/v1/chains/{ward}': {
      url: '/api/v1/chains/east',
      absent: { url: '/api/v1/chains/none' },
    },
    'PUT /api/v1/chains/{ward}': {
      url: '/api/v1/chains/east',
      body: {
        levels: [[{ assigned: true }], [{ role: 'charge-nurse' }, { board: true }], [{ outlet: 'pagers' }]],
        patienceS: { high: 60, medium: 120, low: 300 },
        quietHours: { from: '22:00', to: '06:00', zone: 'Asia/Shanghai' },
      },
      absent: { url: '/api/v1/chains/none' },
    },
    'GET /api/v1/encounters': { url: '/api/v1/encounters?ward=east&open=true' },
    'GET /api/v1/encounters/{id}': {
      url: `/api/v1/encounters/${east.encounter}`,
      absent: { url: '/api/v1/encounters/none' },
    },
    'POST /api/v1/encounters': {
      url: '/api/v1/encounters',
      body: admission,
      absent: { body: { ...admission, ward: 'none', bed: 'none' } },
    },
    'POST /api/v1/encounters/{id}/transfer': {
      url: `/api/v1/encounters/${east.spareEncounter}/transfer`,
      body: { ward: 'east', bed: freshBed() },
      absent: { url: '/api/v1/encounters/none/transfer' },
    },
    'POST /api/v1/encounters/{id}/discharge': {
      url: `/api/v1/encounters/${east.spareEncounter}/discharge`,
      body: { dischargedAtMs: Date.now() },
      absent: { url: '/api/v1/encounters/none/discharge' },
    },
    'GET /api/v1/encounters/{id}/alarm-limits': {
      url: `/api/v1/encounters/${east.encounter}/alarm-limits`,
      absent: { url: '/api/v1/encounters/none/alarm-limits' },
    },
    'PUT /api/v1/encounters/{id}/alarm-limits': {
      url: `/api/v1/encounters/${east.encounter}/alarm-limits`,
      body: limits,
      absent: { url: '/api/v1/encounters/none/alarm-limits' },
    },
    'GET /api/v1/associations': { url: '/api/v1/associations?bed=east-1' },
    'POST /api/v1/associations': {
      url: '/api/v1/associations',
      body: association,
      absent: { body: { ...association, bed: 'none' } },
    },
    'POST /api/v1/associations/{id}/end': {
      url: `/api/v1/associations/${east.spareAssociation}/end`,
      body: { endAtMs: Date.now(), reason: 'changed monitor' },
      absent: { url: '/api/v1/associations/none/end' },
    },
    'PATCH /api/v1/associations/{id}': {
      url: `/api/v1/associations/${east.spareAssociation}`,
      body: { beginAtMs: Date.now() - 60_000 * ++made, reason: 'began earlier' },
      absent: { url: '/api/v1/associations/none' },
    },
    'POST /api/v1/patients/{id}/merge': {
      url: `/api/v1/patients/${east.sparePatient}/merge`,
      body: { into: east.patient, reason: 'the same person' },
      absent: { url: '/api/v1/patients/none/merge' },
    },
    'POST /api/v1/patients/{id}/unmerge': {
      url: `/api/v1/patients/${east.sparePatient}/unmerge`,
      body: { reason: 'not the same after all' },
      absent: { url: '/api/v1/patients/none/unmerge' },
    },
    'GET /api/v1/drivers': { url: '/api/v1/drivers' },
    'GET /api/v1/devices': { url: '/api/v1/devices?ward=east' },
    'POST /api/v1/devices': {
      url: '/api/v1/devices',
      body: device,
      absent: { body: { ...device, ward: 'none', bed: 'none' } },
    },
    'GET /api/v1/devices/{id}': {
      url: '/api/v1/devices/device-east',
      absent: { url: '/api/v1/devices/none' },
    },
    'PATCH /api/v1/devices/{id}': {
      url: '/api/v1/devices/device-east',
      body: { label: 'Oximeter 2', periodMs: 2_000 },
      absent: { url: '/api/v1/devices/none' },
    },
    'DELETE /api/v1/devices/{id}': {
      url: '/api/v1/devices/device-east',
      absent: { url: '/api/v1/devices/none' },
    },
    'GET /api/v1/devices/{id}/health': {
      url: '/api/v1/devices/device-east/health',
      absent: { url: '/api/v1/devices/none/health' },
    },
    'POST /api/v1/devices/{id}/credentials': {
      url: '/api/v1/devices/device-east-free/credentials',
      body: {},
      absent: { url: '/api/v1/devices/none/credentials' },
    },
    'POST /api/v1/devices/test': {
      url: '/api/v1/devices/test',
      body: { driver: 'masimo', settings: { port: '/dev/ttyS1' } },
    },
    'POST /api/v1/devices/{id}/test': {
      url: '/api/v1/devices/device-east-free/test',
      body: {},
      absent: { url: '/api/v1/devices/none/test' },
    },
    'GET /api/v1/device-list': { url: '/api/v1/device-list?ward=east' },
    'POST /api/v1/device-list': {
      url: '/api/v1/device-list',
      body: { csv: 'label,ward\nA,east\nB,nowhere\n', dryRun: true },
    },
    'GET /api/v1/hosts': { url: '/api/v1/hosts' },
    'POST /api/v1/hosts': { url: '/api/v1/hosts', body: { id: freshId(), label: 'Ward 3' } },
    'POST /api/v1/hosts/{id}/credentials': { url: '/api/v1/hosts/none/credentials', body: {} },
    'DELETE /api/v1/hosts/{id}': { url: '/api/v1/hosts/none' },
    'GET /api/v1/discovery': { url: '/api/v1/discovery' },
    'GET /api/v1/maps': { url: '/api/v1/maps' },
    'PUT /api/v1/maps/{name}': { url: '/api/v1/maps/own', body: { driver: 'modbus', content: {} } },
    'DELETE /api/v1/maps/{name}': { url: '/api/v1/maps/none' },
    'GET /api/v1/observations': {
      url: '/api/v1/observations?bed=east-1&metric=MDC_ECG_HEART_RATE&limit=3',
      absent: { url: '/api/v1/observations?bed=none' },
    },
    'GET /api/v1/waveforms': {
      url: '/api/v1/waveforms?bed=east-1&width=100&form=values',
      absent: { url: '/api/v1/waveforms?bed=none' },
    },
    'GET /api/v1/alarms/{id}/strips': {
      url: `/api/v1/alarms/${rung}/strips`,
      absent: { url: '/api/v1/alarms/none/strips' },
    },
    'POST /api/v1/observations': {
      url: '/api/v1/observations',
      body: {
        encounter: east.encounter,
        takenAtMs: Date.now(),
        values: [
          { metric: 'pain-score', value: 3, unit: '{score}' },
          { metric: 'acvpu', code: 'A' },
        ],
        sure: false,
      },
      absent: { body: { encounter: 'none', values: [{ metric: 'pain-score', value: 3 }] } },
    },
    'POST /api/v1/observations/confirm': {
      url: '/api/v1/observations/confirm',
      body: { encounter: east.encounter, observations: [charted] },
      absent: { body: { encounter: 'none', observations: [charted] } },
    },
    'POST /api/v1/observations/correct': {
      url: '/api/v1/observations/correct',
      body: {
        encounter: east.encounter,
        observation: charted,
        value: { value: 4, unit: '{score}', sure: true },
        reason: 'mistyped',
      },
      absent: {
        body: { encounter: 'none', observation: charted, value: { value: 4 }, reason: 'mistyped' },
      },
    },
    'POST /api/v1/observations/retract': {
      url: '/api/v1/observations/retract',
      body: { encounter: east.encounter, observation: charted, reason: 'another patient' },
      absent: { body: { encounter: 'none', observation: charted, reason: 'another patient' } },
    },
    'GET /api/v1/observations/latest': {
      url: `/api/v1/observations/latest?patient=${east.patient}`,
      absent: { url: '/api/v1/observations/latest?patient=none' },
    },
    'GET /api/v1/sinks': { url: '/api/v1/sinks?limit=5' },
    'POST /api/v1/sinks/{id}/test': { url: '/api/v1/sinks/away/test', body: {} },
    'GET /api/v1/metrics': { url: '/api/v1/metrics?limit=2' },
    'GET /api/v1/losses': { url: '/api/v1/losses?from=0&limit=2' },
    'GET /api/v1/losses/books': { url: '/api/v1/losses/books?from=0&device=monitor-1' },
    'POST /api/v1/losses/reconcile': {
      url: '/api/v1/losses/reconcile',
      body: { from: '2026-01-05T02:00:00Z' },
    },
    'GET /api/v1/alarm-analytics': {
      url: `/api/v1/alarm-analytics?ward=east&from=${Date.now() - 86_400_000}&to=${Date.now() + 1_000}`,
      absent: { url: '/api/v1/alarm-analytics?ward=none&from=1&to=2' },
    },
    'POST /api/v1/alarm-analytics/proposals': {
      url: '/api/v1/alarm-analytics/proposals',
      body: { ward: 'east', days: 1 },
      absent: { body: { ward: 'none', days: 1 } },
    },
    'POST /api/v1/alarm-limits/replay': {
      url: '/api/v1/alarm-limits/replay',
      body: { ward: 'east', days: 1, limits: [tried] },
      absent: { body: { ward: 'none', days: 1, limits: [tried] } },
    },
    'POST /api/v1/backup': { url: '/api/v1/backup', body: { passphrase: 'eleven grey herons' } },
    'GET /api/v1/jobs': { url: '/api/v1/jobs?limit=5' },
    'GET /api/v1/jobs/{id}': { url: `/api/v1/jobs/${job}` },
    'DELETE /api/v1/jobs/{id}': { url: '/api/v1/jobs/job-none' },
    'GET /api/v1/users': { url: '/api/v1/users' },
    'POST /api/v1/users': {
      url: '/api/v1/users',
      body: {
        user: freshId(),
        name: 'Bo',
        password: 'eight yellow kettles',
        roles: ['nurse'],
        wards: ['east'],
      },
    },
  };
}

/** The acts on one alarm, each in a state the one before leaves it in; the last one ends it. */
const actsOn = (alarm: Alarm | undefined): Readonly<Record<string, Example>> => {
  const version = alarm?.version ?? 0;
  const bodies = {
    acknowledge: { version },
    accept: { version },
    reject: { version, reason: 'at another bed' },
    pause: { version, what: 'audio', forS: 60, reason: 'suction' },
    off: { version, what: 'audio', reason: 'palliative care' },
    resume: { version },
    clear: { version },
    'end-measurement': { reason: 'electrodes taken off' },
  };
  return Object.fromEntries(
    Object.entries(bodies).map(([act, body]) => [
      `POST /api/v1/alarms/{id}/${act}`,
      {
        url: `/api/v1/alarms/${alarm?.id}/${act}`,
        body,
        absent: { url: `/api/v1/alarms/none/${act}` },
      },
    ]),
  );
};
